"""`lpm execute`: carry out a plan that `lpm plan --out` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.campaigns import INTERRUPTED, Live, Wait, signing, wall_clock
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.errors import LpmError, PlanRefused

if TYPE_CHECKING:
    from lpmanager.model import Outcome, Plan
    from lpmanager.settings import Settings

PlanPath = Annotated[Path, typer.Argument(metavar="PLAN", help="The file `lpm plan --out` wrote.")]


def execute(
    plan_path: PlanPath,
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Check a plan against the chain as it is now; with --live, carry it out.

    Exit code 5 where the plan is expired, altered or overtaken, 1 where it was stopped half way,
    130 where Ctrl-C or SIGTERM stopped it: the action in hand was finished and booked first.
    """
    from lpmanager.execution.plan_file import read_plan

    settings = load_settings(config)
    plan = read_plan(plan_path)
    if plan.campaign not in settings.campaigns:
        raise PlanRefused(f"the plan is for campaign {plan.campaign}, which {config} does not have")
    if live:
        _carry_out(settings, plan, wait, as_json)
    else:
        _rehearse(settings, plan, as_json)


def _carry_out(settings: Settings, plan: Plan, wait_s: float, as_json: bool) -> None:
    from lpmanager.cycle import run_plan
    from lpmanager.scheduler import stop_on_signal

    with (
        stop_on_signal() as stop,
        signing(settings, [plan.campaign], stop.is_set, wait_s) as open_campaign,
    ):
        outcome = run_plan(open_campaign(plan.campaign), plan).outcome
        if outcome is None:
            raise LpmError(f"campaign {plan.campaign}: opened without custody, nothing was done")
        _print(plan, outcome, as_json)
        if outcome.stopped is not None:
            raise typer.Exit(INTERRUPTED if stop.is_set() else 1)


def _print(plan: Plan, outcome: Outcome, as_json: bool) -> None:
    from lpmanager.cli.decisions import outcome_json, print_outcome
    from lpmanager.cli.output import print_json

    if as_json:
        print_json({"campaign": plan.campaign, "live": True, **outcome_json(outcome)})
    else:
        print_outcome(plan.campaign, outcome)


def _rehearse(settings: Settings, plan: Plan, as_json: bool) -> None:
    """Everything but sending: the plan against the chain, and its first transaction simulated."""
    from lpmanager.cli.decisions import print_plan
    from lpmanager.cli.output import note, print_json
    from lpmanager.cycle import run_plan
    from lpmanager.desk.campaigns import open_campaign
    from lpmanager.desk.markets import Markets
    from lpmanager.execution.plan_file import decision_to_json
    from lpmanager.execution.rehearsal import rehearse
    from lpmanager.ledger.store import Ledger

    books = Ledger.read(settings.store)
    market = Markets(settings, wall_clock).open(plan.campaign, books)
    campaign = open_campaign(settings, plan.campaign, market, books, custody=None)
    snapshot = run_plan(campaign, plan).snapshot
    venue = market.chain.uniswap_v3
    first = rehearse(market.node, venue, market.pool, plan, snapshot.block)
    if as_json:
        shown = decision_to_json(plan)
        print_json({"campaign": plan.campaign, "live": False, "simulated": first.what, **shown})
    else:
        print_plan(plan, snapshot)
    note(f"dry run: the plan still holds, its first transaction ({first.what}) would succeed")
    note("nothing was signed; add --live to carry it out")
