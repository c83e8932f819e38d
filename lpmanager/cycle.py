"""One pass from the chain to the books: the whole program on one page.

chain -> Snapshot -> books -> Inventory, Outlook -> Plan | Hold -> Outcome -> books, reconciled
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.execution.plan_file import require_current
from lpmanager.inventory import Inventory, measure
from lpmanager.model import Amounts, Decision, Outcome, Plan, Snapshot
from lpmanager.rebalancer import Limits, Policy, View, decide
from lpmanager.risk import Outlook, assess


class Custody(Protocol):
    """Whatever can carry out a plan: the wallet's executor, or a vault."""

    def carry_out(self, plan: Plan, wallet: Amounts) -> Outcome:
        """Do the plan's actions in order; what was done is in the Outcome, also on a stop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One managed allocation, wired up. `custody` is None in a dry run."""

    name: str
    read: Callable[[], Snapshot]
    policy: Policy
    limits: Limits
    books: Bookkeeper
    custody: Custody | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What one pass saw, decided and did. `outcome` is None where nothing was carried out."""

    snapshot: Snapshot
    inventory: Inventory
    outlook: Outlook | None
    decision: Decision
    outcome: Outcome | None


def observe(campaign: Campaign) -> View:
    """Read the chain and bring the books up to it."""
    snapshot = campaign.read()
    record = campaign.books.bring_up_to(snapshot)
    return View(
        snapshot=snapshot,
        record=record,
        inventory=measure(snapshot, record, campaign.limits.target_weight),
        outlook=assess(snapshot),
    )


def run_cycle(campaign: Campaign) -> Cycle:
    """Read, book, decide, do, book again. Raises Halted where the books do not close."""
    campaign.books.require_running()
    view = observe(campaign)
    return _conclude(campaign, view, decide(campaign.name, view, campaign.policy, campaign.limits))


def run_plan(campaign: Campaign, plan: Plan) -> Cycle:
    """A cycle with a plan that was decided before. Raises PlanRefused where it no longer holds."""
    campaign.books.require_running()
    view = observe(campaign)
    require_current(plan, view.snapshot, view.record.usage)
    return _conclude(campaign, view, plan)


def _conclude(campaign: Campaign, view: View, decision: Decision) -> Cycle:
    outcome = carry_out(campaign, decision, view) if isinstance(decision, Plan) else None
    campaign.books.write_down(view.snapshot, decision, outcome)
    return Cycle(
        snapshot=view.snapshot,
        inventory=view.inventory,
        outlook=view.outlook,
        decision=decision,
        outcome=outcome,
    )


def carry_out(campaign: Campaign, plan: Plan, view: View) -> Outcome | None:
    """Do a plan and close the books on what came of it; nothing in a dry run."""
    if campaign.custody is None:
        return None
    outcome = campaign.custody.carry_out(plan, view.record.wallet)
    campaign.books.close(view.snapshot, outcome, campaign.read)
    return outcome
