"""What the scripts share: one campaign, one plan that a person asked for, done or shown."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lpmanager.cli.campaigns import INTERRUPTED, chosen, dry, signing
from lpmanager.cli.options import load_settings

if TYPE_CHECKING:
    from lpmanager.cycle import Cycle
    from lpmanager.model import Plan
    from lpmanager.rebalancer import View
    from lpmanager.risk.limits import Limits

PlanMaker = Callable[[str, "View", "Limits"], "Plan"]


def run_script(program: Callable[..., object], name: str) -> None:
    """Run a script's Typer program with the process's arguments, and exit as `lpm` does."""
    from lpmanager.cli.main import run_program
    from lpmanager.cli.output import configure_logging

    configure_logging(verbose=False)
    run_program(program, name)


def do_by_hand(
    config: Path, campaign: str, make_plan: PlanMaker, *, live: bool, wait: float
) -> None:
    """Settle what is open, make the plan, and carry it out where `live`, once no other program
    signs for the account, which is waited for up to `wait`; print the plan, and what came of it.

    Raises GuardVeto where a gate is closed. Leaves with 1 where the plan was stopped half way,
    with 130 where a signal did it.
    """
    from lpmanager.cycle import begin, run_plan
    from lpmanager.scheduler import stop_on_signal

    settings = load_settings(config)
    (name,) = chosen(settings, [campaign])
    with stop_on_signal() as stop:
        hands = signing(settings, [name], stop.is_set, wait) if live else nullcontext(dry(settings))
        with hands as open_campaign:
            opened = open_campaign(name)
            plan = make_plan(name, begin(opened), opened.limits)
            _show(run_plan(opened, plan))
        if stop.is_set():
            raise typer.Exit(INTERRUPTED)


def _show(cycle: Cycle) -> None:
    from lpmanager.cli.decisions import outcome_json
    from lpmanager.cli.output import print_json
    from lpmanager.execution.plan_file import decision_to_json

    outcome = cycle.outcome
    print_json(
        {
            **decision_to_json(cycle.decision),
            "outcome": None if outcome is None else outcome_json(outcome),
        }
    )
    if outcome is not None and outcome.stopped:
        raise typer.Exit(1)
