"""Out of every range at once, while a token of the pool is off its peg."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.model import Decision, Gate, Hold, Target
from lpmanager.rebalancer.candidates import rerange
from lpmanager.rebalancer.economics import gas_wei_up
from lpmanager.rebalancer.gates import leaving_gates
from lpmanager.rebalancer.planner import estimate_of, plan_of
from lpmanager.rebalancer.view import View
from lpmanager.risk.guards import head_age, native_price
from lpmanager.risk.limits import Limits


def leave_at_once(campaign: str, view: View, target: Target, limits: Limits) -> Decision:
    """Take everything out, on as few gates as can be; `target` has no ranges and no swap.

    Asked are the age of the head, the price of gas, its budget and the money for it, and what a
    vault's code lets its operator do. Pauses and budgets of moves are of a calm market, and the
    mean price lags behind just when a token fails. A false price takes nothing from a range that is
    only burned: its value is the least, over all prices, of what it pays out there as worth at the
    true one.
    """
    snapshot = view.snapshot
    read = head_age(snapshot, limits), native_price(snapshot)
    if not all(gate.passed for gate in read):
        return _stopped(campaign, view, target.reason, read)
    candidate = rerange(view, target, limits)
    gas_wei = gas_wei_up(snapshot, candidate.actions)
    gates = (*read, *leaving_gates(view, candidate, gas_wei, limits))
    if not all(gate.passed for gate in gates):
        return _stopped(campaign, view, target.reason, gates)
    estimate = estimate_of(view, candidate, gas_wei, fees_gained=Fraction(0), horizon_s=0)
    return plan_of(campaign, view, candidate, estimate, gates, limits)


def _stopped(campaign: str, view: View, wanted: str, gates: tuple[Gate, ...]) -> Hold:
    """What a vault's code refuses its operator, it does not refuse its owner."""
    closed = next(gate for gate in gates if not gate.passed)
    reason = f"{wanted}: stopped by {closed.name}"
    if view.snapshot.vault is not None:
        reason += f"; its owner can take everything out: `lpm vault exit {campaign} --live`"
    return Hold(campaign=campaign, block=view.snapshot.block, reason=reason, gates=gates)
