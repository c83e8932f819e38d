"""`lpm run`: cycles on the timetable of the configuration, or one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpmanager.cli.campaigns import (
    INTERRUPTED,
    CampaignNames,
    Live,
    Opener,
    Round,
    Wait,
    chosen,
    dry,
    for_each,
    signing,
)
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

    from lpmanager.cycle import Cycle
    from lpmanager.settings import Settings

Once = Annotated[bool, typer.Option("--once", help="One cycle, for cron. Without it: [schedule].")]


def run(
    campaigns: CampaignNames = None,
    config: ConfigPath = DEFAULT_CONFIG,
    once: Once = False,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Observe, decide and, with --live, act; again and again until SIGTERM or Ctrl-C.

    Those let the action in hand finish and be booked. A timetable stopped so exits with 0; with
    --once the exit code is 130 then, else that of the first campaign that failed, 1 where a plan
    was stopped half way. Within a timetable failures are logged and the next cycle tries again.
    """
    from lpmanager.scheduler import run_on, stop_on_signal

    if as_json and not once:
        raise UsageError("--json prints the cycles of --once; a timetable logs on stderr")
    settings = load_settings(config)
    names = chosen(settings, campaigns)
    trigger = None if once else _trigger(settings)
    with stop_on_signal() as stop:
        hands = signing(settings, names, stop.is_set, wait) if live else nullcontext(dry(settings))
        with hands as open_campaign:
            if trigger is None:
                cycles = _cycle_of_each(names, open_campaign, stop.is_set)
                _conclude(cycles, stopped=stop.is_set(), as_json=as_json)
            else:
                run_on(trigger, lambda: _tick(names, open_campaign, stop.is_set), stop)


def _trigger(settings: Settings) -> BaseTrigger:
    from lpmanager.scheduler import cron_trigger, interval_trigger

    schedule = settings.schedule
    if schedule is None:
        raise ConfigError('schedule: missing; write every = "10m" under [schedule], or use --once')
    if schedule.every is not None:
        return interval_trigger(schedule.every)
    if schedule.cron is not None:
        return cron_trigger(schedule.cron)
    raise ConfigError("schedule: give every or cron")


def _tick(names: list[str], open_campaign: Opener, stop_asked: Callable[[], bool]) -> None:
    """One cycle of each campaign; what fails is logged, and tried again with the next."""
    import structlog

    cycles = _cycle_of_each(names, open_campaign, stop_asked)
    for name, error in cycles.failed.items():
        structlog.get_logger().error("cycle failed", campaign=name, error=str(error))


def _cycle_of_each(
    names: list[str], open_campaign: Opener, stop_asked: Callable[[], bool]
) -> Round[Cycle]:
    from lpmanager.cycle import run_cycle

    def one(name: str) -> Cycle:
        cycle = run_cycle(open_campaign(name))
        _log(name, cycle)
        return cycle

    return for_each(names, one, stop_asked)


def _log(name: str, cycle: Cycle) -> None:
    import structlog

    from lpmanager.cli.words import number
    from lpmanager.model import Plan
    from lpmanager.rebalancer.judging import is_ignored

    decision, outcome = cycle.decision, cycle.outcome
    done = {} if outcome is None else {"steps": len(outcome.steps), "stopped": outcome.stopped}
    structlog.get_logger().info(
        "cycle",
        campaign=name,
        block=cycle.snapshot.block.number,
        price=number(cycle.snapshot.price.per_whole),
        decision="plan" if isinstance(decision, Plan) else "hold",
        reason=decision.reason,
        closed=[str(gate) for gate in decision.gates if not gate.passed],
        ignored=[f"{gate.name}, {gate.measured}" for gate in decision.gates if is_ignored(gate)],
        **_calibrated(cycle),
        **done,
    )


def _calibrated(cycle: Cycle) -> dict[str, str]:
    """How old the calibration is, or why it counts for nothing; nothing where none was made."""
    from lpmanager.model.units import duration
    from lpmanager.risk.calibration.calibration import NOT_MADE
    from lpmanager.risk.missing import Missing

    calibration = cycle.calibration
    if isinstance(calibration, Missing):
        return {} if calibration == NOT_MADE else {"calibration": calibration.reason}
    age = cycle.snapshot.block.timestamp - calibration.made_at
    return {"calibration": f"made {duration(age)} ago"}


def _conclude(cycles: Round[Cycle], *, stopped: bool, as_json: bool) -> None:
    from lpmanager.cli.output import print_json

    if as_json:
        shown = {name: _cycle_json(cycle) for name, cycle in cycles.done.items()}
        print_json({"campaigns": shown, "errors": cycles.errors})
    if stopped:
        raise typer.Exit(INTERRUPTED)
    cycles.exit_if_failed()
    if any(c.outcome is not None and c.outcome.stopped for c in cycles.done.values()):
        raise typer.Exit(1)


def _cycle_json(cycle: Cycle) -> dict[str, Any]:
    from lpmanager.cli.decisions import outcome_json
    from lpmanager.execution.plan_file import decision_to_json
    from lpmanager.model.token import decimal_text

    return {
        "block": cycle.snapshot.block.number,
        "price": decimal_text(cycle.snapshot.price.per_whole),
        **decision_to_json(cycle.decision),
        "outcome": None if cycle.outcome is None else outcome_json(cycle.outcome),
    }
