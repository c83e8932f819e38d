"""`lpm plan`: what would be done now, and why, or why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.campaigns import CampaignNames, Round, chosen, dry, for_each
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.errors import GuardVeto, UsageError

if TYPE_CHECKING:
    from lpmanager.cycle import Cycle

Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Write the plan here, for `lpm execute`.")
]


def plan(
    campaigns: CampaignNames = None,
    config: ConfigPath = DEFAULT_CONFIG,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Read the chain and decide, without doing anything.

    With --out a plan is written to a file; where the decision is to hold, nothing is written and
    the exit code is 5.
    """
    from lpmanager.cycle import run_cycle

    settings = load_settings(config)
    names = chosen(settings, campaigns)
    if out is not None and len(names) > 1:
        raise UsageError(f"--out takes one plan; name one campaign of {', '.join(names)}")
    open_campaign = dry(settings)
    cycles = for_each(names, lambda name: run_cycle(open_campaign(name)))
    if as_json:
        _print_json(cycles)
    else:
        for cycle in cycles.done.values():
            _print(cycle)
    cycles.exit_if_failed()
    if out is not None:
        _write(cycles.done[names[0]], out)


def _print(cycle: Cycle) -> None:
    from lpmanager.cli.decisions import print_hold, print_plan
    from lpmanager.model import Plan

    if isinstance(cycle.decision, Plan):
        print_plan(cycle.decision, cycle.snapshot)
    else:
        print_hold(cycle.decision)


def _print_json(cycles: Round[Cycle]) -> None:
    from lpmanager.cli.output import print_json
    from lpmanager.execution.plan_file import decision_to_json

    decisions = {name: decision_to_json(cycle.decision) for name, cycle in cycles.done.items()}
    print_json({"campaigns": decisions, "errors": cycles.errors})


def _write(cycle: Cycle, path: Path) -> None:
    from lpmanager.cli.output import note
    from lpmanager.execution.plan_file import write_plan
    from lpmanager.model import Plan

    decision = cycle.decision
    if not isinstance(decision, Plan):
        closed = [str(gate) for gate in decision.gates if not gate.passed]
        why = f"; closed: {'; '.join(closed)}" if closed else ""
        raise GuardVeto(
            f"{decision.campaign} holds: {decision.reason}{why}; nothing was written to {path}"
        )
    write_plan(decision, path)
    note(f"wrote {path}; carry it out with `lpm execute {path} --live`")
