"""How every limit stands now, whether or not a decision comes to ask it."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.amm import principal_down
from lpmanager.amm.removal import without_liquidity
from lpmanager.hedge import balance_gate
from lpmanager.model import Gate, Mint, SwapPurpose, Target
from lpmanager.rebalancer.budgets import reserve_gates
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.day_of import days_asked
from lpmanager.rebalancer.efficiency_gates import efficiency_so_far
from lpmanager.rebalancer.entry_gates import entry_gates
from lpmanager.rebalancer.gates import usage_gates
from lpmanager.rebalancer.health_gates import health_gates
from lpmanager.rebalancer.hedge_limits import hedge_gates, hedge_limits
from lpmanager.rebalancer.judging import Asked, gate_of
from lpmanager.rebalancer.loss_gates import loss_gates
from lpmanager.rebalancer.peg_gates import peg_gates
from lpmanager.rebalancer.risk_gates import pay_of, placing_gates, stay_gates
from lpmanager.rebalancer.swing_gates import swing_gates
from lpmanager.rebalancer.tempering import adjustment_of, tempered_limits
from lpmanager.rebalancer.used_up import capacity_gates
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing


def limits_as_they_stand(view: View, limits: Limits) -> tuple[Gate, ...]:
    """What would be asked now were all that is held placed anew just as it is, without a swap and
    its gas; then what could make it leave, or place a range anew.

    A decision asks only what its change needs, and nothing where all is near enough. Without an
    Outlook nothing is asked of what is held: the gate `history` is closed then, and tells why.
    """
    appetite, outlook = limits.appetite, view.outlook
    limits = tempered_limits(hedge_limits(view, limits), adjustment_of(view, appetite))
    before = (
        *usage_gates(view, limits),
        *reserve_gates(view, limits),
        balance_gate(view.inventory, limits),
        *hedge_gates(view, limits),
        *placing_gates(view, outlook, limits),
    )
    after = (*efficiency_so_far(view, appetite), *capacity_gates(view, appetite))
    if isinstance(outlook, Missing):
        return (*before, *peg_gates(view, appetite), *health_gates(view.snapshot, appetite), *after)
    held, none = _as_held(view), Fraction(0)
    days = days_asked(view, outlook, limits)
    return (
        *before,
        *entry_gates(view, outlook, held, none, appetite),
        *stay_gates(view, outlook, held, appetite),
        *loss_gates(view, outlook, held, none, appetite, days),
        *swing_gates(view, outlook, held, limits),
        *after,
        *_pay_to_stay(view, outlook, limits),
    )


def _as_held(view: View) -> Candidate:
    """A change that would bring about what there is; only its ranges count."""
    snapshot = view.snapshot
    pool, state = snapshot.pool, snapshot.state
    price = state.sqrt_price_x96
    for position in snapshot.positions:
        state = without_liquidity(state, position.range, position.liquidity)
    mints = tuple(
        Mint(
            range=position.range,
            desired=pool.amounts(*principal_down(position, price)),
            minimum=pool.amounts(0, 0),
        )
        for position in snapshot.positions
    )
    return Candidate(
        name="as it is held",
        purpose=SwapPurpose.RERANGE,
        target=Target(ranges=(), swap=False, reason="as it is held"),
        actions=mints,
        placed=tuple((position.range, position.liquidity) for position in snapshot.positions),
        after=state,
        swap_cost=Fraction(0),
        at_risk=Fraction(0),
    )


def _pay_to_stay(view: View, outlook: Outlook, limits: Limits) -> tuple[Gate, ...]:
    """Open where it cannot be told, for then nothing is left."""
    least = limits.appetite.leave_below_fee_to_lvr
    if least is None:
        return ()
    asked = Asked(
        "pay to stay",
        f"{float(least):.2f}",
        "fees over LVR of a unit of active liquidity; everything is taken out below that",
    )
    pay = pay_of(view, outlook)
    if isinstance(pay, Missing):
        return (gate_of(asked, passed=True, measured=f"unknown: {pay.reason}"),)
    return (gate_of(asked, passed=pay >= least, measured=f"{pay:.2f}"),)
