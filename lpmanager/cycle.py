"""One pass from the chain to the books: the whole program on one page.

chain -> Snapshot -> books -> Inventory, Outlook -> Plan | Hold -> Outcome -> books, reconciled
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.errors import ChainError, MaybeSent
from lpmanager.execution.plan_file import (
    require_current,
    require_nothing_signed_since,
    require_of_this_chain,
)
from lpmanager.inventory import Inventory, measure
from lpmanager.model import Amounts, Block, Decision, Outcome, Plan, Snapshot
from lpmanager.rebalancer import Limits, Policy, View, decide
from lpmanager.risk import Outlook, assess
from lpmanager.risk.calibration.calibration import NOT_MADE, Calibration
from lpmanager.risk.calibration.live import still_good
from lpmanager.risk.missing import Missing


class Custody(Protocol):
    """Whatever can carry out a plan: the wallet's executor, or a vault."""

    def carry_out(self, plan: Plan, wallet: Amounts) -> Outcome:
        """Do the plan's actions in order; what was done is in the Outcome, also on a stop."""
        ...

    def recover(self, campaign: str) -> Outcome:
        """See through what an earlier run left open; what it did is in the Outcome."""
        ...

    def take_back(self, campaign: str, decided: Block, nonce: int) -> Outcome:
        """Take back what others are still allowed to take from the account, as was `decided` by
        what that block shows, and at the signer's `nonce` of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One managed allocation, wired up. `block_hash` tells which block its chain has at a height,
    if any. `custody` is None in a dry run; `calibration` reads the one that was kept last."""

    name: str
    read: Callable[[], Snapshot]
    block_hash: Callable[[int], str | None]
    policy: Policy
    limits: Limits
    books: Bookkeeper
    custody: Custody | None
    calibration: Callable[[], Calibration | Missing] = lambda: NOT_MADE


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What one pass saw, decided and did. `outcome` is None where nothing was carried out."""

    snapshot: Snapshot
    inventory: Inventory
    outlook: Outlook | Missing
    calibration: Calibration | Missing
    decision: Decision
    outcome: Outcome | None


def observe(campaign: Campaign) -> View:
    """Read the chain and bring the books up to it."""
    snapshot = campaign.read()
    record = campaign.books.bring_up_to(snapshot)
    max_age_s = campaign.limits.appetite.max_calibration_age_s
    return View(
        snapshot=snapshot,
        record=record,
        inventory=measure(snapshot, record, campaign.limits.target_weight),
        outlook=assess(snapshot),
        calibration=still_good(campaign.calibration(), snapshot.block.timestamp, max_age_s),
        surroundings=campaign.books.surroundings(),
    )


def run_cycle(campaign: Campaign) -> Cycle:
    """Read, book, decide, do, book again. Raises Halted where the books do not close."""
    view = begin(campaign)
    return _conclude(campaign, view, decide(campaign.name, view, campaign.policy, campaign.limits))


def run_plan(campaign: Campaign, plan: Plan) -> Cycle:
    """A cycle with a plan that was decided before. Raises PlanRefused where it no longer holds."""
    view = begin(campaign)
    require_current(plan, view.snapshot, view.record.usage)
    campaign.books.require_not_begun(plan)
    require_nothing_signed_since(plan, view.snapshot.wallet.nonce)
    require_of_this_chain(plan, campaign.block_hash(plan.block.number))
    return _conclude(campaign, view, plan)


def begin(campaign: Campaign) -> View:
    """Take over, observe, and take back what an earlier run still allows others to take.

    Raises Halted where the campaign is stopped, something else signs for its account, or it has
    lost more than a day may cost.
    """
    take_over(campaign)
    view = observe(campaign)
    campaign.books.require_nobody_else_signed(view.snapshot)
    limit = campaign.limits.max_loss_per_day
    campaign.books.require_loss_within(limit, view.snapshot, view.record)
    if campaign.custody is None or not view.snapshot.wallet.allowances:
        return view
    revoked = campaign.custody.take_back(
        campaign.name, view.snapshot.block, view.snapshot.wallet.nonce
    )
    if revoked.stop is not None:
        campaign.books.write_down_allowed(view.snapshot, revoked.stop)
    campaign.books.close(view.snapshot, revoked, campaign.read)
    if revoked.stop is not None:
        raise ChainError(f"campaign {campaign.name}: {revoked.stop.reason}")
    return observe(campaign)


def take_over(campaign: Campaign) -> None:
    """Settle what an earlier run left open, before anything new. Raises Halted while stopped.

    A halted campaign's transactions are seen through and booked too, though none is signed anew:
    while one is open, no other campaign of the account can sign.
    """
    if campaign.custody is None:
        campaign.books.require_running()
        return
    left = campaign.custody.recover(campaign.name)
    campaign.books.catch_up(left)
    campaign.books.require_running()
    if left.stop is not None:
        raise MaybeSent(f"campaign {campaign.name}: {left.stop.reason}")


def _conclude(campaign: Campaign, view: View, decision: Decision) -> Cycle:
    """Do what was decided, nothing in a dry run, and close the books on what came of it."""
    outcome = None
    if isinstance(decision, Plan) and campaign.custody is not None:
        outcome = campaign.custody.carry_out(decision, view.record.wallet)
    campaign.books.write_down(view.snapshot, decision, outcome)
    if outcome is not None:
        campaign.books.close(view.snapshot, outcome, campaign.read)
    return Cycle(
        snapshot=view.snapshot,
        inventory=view.inventory,
        outlook=view.outlook,
        calibration=view.calibration,
        decision=decision,
        outcome=outcome,
    )
