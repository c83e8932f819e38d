"""Plans that a person asks for by name: open, close, collect. The guards hold for them too."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from lpmanager.amm import uncollected_fees
from lpmanager.errors import GuardVeto, UsageError
from lpmanager.model import Collect, Gate, Plan, Target, TickRange, WeightedRange
from lpmanager.rebalancer.candidates import Candidate, rerange
from lpmanager.rebalancer.economics import gas_wei_up
from lpmanager.rebalancer.entry_gates import takes_on
from lpmanager.rebalancer.gates import leaving_gates, plan_gates
from lpmanager.rebalancer.planner import estimate_of, plan_of
from lpmanager.rebalancer.view import View
from lpmanager.risk.guards import head_age, native_price, twap_deviation
from lpmanager.risk.limits import Limits


def open_plan(campaign: str, view: View, tick_range: TickRange, limits: Limits) -> Plan:
    """Put all the wallet's share into one more range, after the swap that makes the tokens fit.

    Raises GuardVeto where a gate is closed, UsageError where there is nothing to put in or the
    range is off the pool's spacing.
    """
    try:
        tick_range.require_spacing(view.snapshot.pool.tick_spacing)
    except ValueError as error:
        raise UsageError(f"campaign {campaign}: {error}") from error
    kept = tuple(WeightedRange(p.range, Fraction(1)) for p in view.snapshot.positions)
    target = Target(
        ranges=(WeightedRange(tick_range, Fraction(1)), *kept),
        swap=True,
        reason=f"open {tick_range} by hand",
    )
    return _plan(campaign, view, rerange(view, target, limits), limits)


def close_plan(campaign: str, view: View, limits: Limits) -> Plan:
    """Take everything out of every position, wherever the price is. Raises as `open_plan`."""
    target = Target(ranges=(), swap=False, reason="close by hand")
    return _plan(campaign, view, rerange(view, target, limits), limits)


def collect_plan(campaign: str, view: View, limits: Limits) -> Plan:
    """Take the fees out of every position. Raises as `open_plan`."""
    pool, positions = view.snapshot.pool, view.snapshot.positions
    kept = tuple(WeightedRange(p.range, Fraction(1)) for p in positions)
    target = Target(ranges=kept, swap=False, reason="collect by hand")
    fees = {p.token_id: pool.amounts(*uncollected_fees(p)) for p in positions}
    actions = tuple(
        Collect(token_id=i, expected=amounts) for i, amounts in fees.items() if not amounts.is_zero
    )
    candidate = replace(rerange(view, target, limits), name="collect", actions=actions)
    return _plan(campaign, view, candidate, limits)


def _plan(campaign: str, view: View, candidate: Candidate, limits: Limits) -> Plan:
    """A plan with every gate that protects money; what a person asks for need not pay back.

    A price that is far from its mean is a trap for what is placed or swapped, and not for what is
    only taken out (`leave_at_once`).
    """
    if not candidate.actions:
        raise UsageError(f"campaign {campaign}: {candidate.target.reason}: there is nothing to do")
    snapshot, places = view.snapshot, takes_on(candidate)
    near = (twap_deviation(snapshot, limits),) if places else ()
    before = head_age(snapshot, limits), *near, native_price(snapshot)
    _require_open(campaign, before)
    gas_wei = gas_wei_up(snapshot, candidate.actions)
    asked = plan_gates if places else leaving_gates
    gates = (*before, *asked(view, candidate, gas_wei, limits))
    _require_open(campaign, gates)
    estimate = estimate_of(view, candidate, gas_wei, fees_gained=Fraction(0), horizon_s=0)
    return plan_of(campaign, view, candidate, estimate, gates, limits)


def _require_open(campaign: str, gates: tuple[Gate, ...]) -> None:
    for gate in gates:
        if not gate.passed:
            raise GuardVeto(
                f"campaign {campaign}: gate {gate.name} is closed: {gate.measured}, limit "
                f"{gate.limit} ({gate.reason})"
            )
