"""The decision: Plan or Hold. The one function that live, simulation and backtest all call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial

from lpmanager.amm import LiquidityOverflow, TickDataMissing
from lpmanager.hedge import balance_gate
from lpmanager.model import (
    Decision,
    Estimate,
    Gate,
    Hold,
    Plan,
    SwapPurpose,
    Target,
)
from lpmanager.rebalancer.budgets import reserve_gates
from lpmanager.rebalancer.candidates import Candidate, hedge, rerange, rerange_without_swap
from lpmanager.rebalancer.economics import expected_fees, gas_wei_up
from lpmanager.rebalancer.efficiency_gates import efficiency_gates
from lpmanager.rebalancer.entry_gates import entry_gates, takes_on
from lpmanager.rebalancer.gates import hedge_cost, leaving_cost, payback, plan_gates, usage_gates
from lpmanager.rebalancer.hedge_limits import hedge_gates, hedge_limits
from lpmanager.rebalancer.leaving import leave_at_once
from lpmanager.rebalancer.peg_gates import failing_word, target_off_peg
from lpmanager.rebalancer.planner import estimate_of, plan_of
from lpmanager.rebalancer.policies import Policy
from lpmanager.rebalancer.ranges import NoRoom
from lpmanager.rebalancer.risk_gates import (
    pay_of,
    places_anything,
    placing_gates,
    stay_gates,
)
from lpmanager.rebalancer.size_cap import Sized, sized
from lpmanager.rebalancer.swing_gates import swing_gates
from lpmanager.rebalancer.tempering import (
    adjustment_of,
    target_that_stays,
    tempered_limits,
    tempered_target,
    widening_of,
)
from lpmanager.rebalancer.toxic_gates import target_while_toxic, toxic_flow
from lpmanager.rebalancer.used_up import must_place_anew, target_of
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.guards import market_gates
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing


def decide(campaign: str, view: View, policy: Policy, limits: Limits) -> Decision:
    """Re-range, hedge by a swap, or hold. Pure.

    The candidates are worked out on the exact pool; the one expected to leave the most, of those
    that pass every gate, becomes the Plan. A Hold lists every gate of the best one, so that it
    says which number stopped it.
    """
    view = replace(view, widening=widening_of(limits.appetite))
    market = market_gates(view.snapshot, view.outlook, limits)
    if view.inventory.weight is None:
        return _hold(campaign, view, "the campaign holds nothing to deploy", market)
    failing = failing_word(view, limits.appetite)
    if failing is not None and view.snapshot.positions:
        return leave_at_once(campaign, view, target_off_peg(failing), limits)
    if isinstance(view.outlook, Missing) or not all(gate.passed for gate in market):
        return _hold(campaign, view, "what was read cannot be acted upon", market)
    change = adjustment_of(view, limits.appetite)
    limits = tempered_limits(hedge_limits(view, limits), change)
    try:
        wanted = (
            _wanted(view, view.outlook, policy, limits.appetite)
            if failing is None
            else target_off_peg(failing)
        )
    except (LiquidityOverflow, NoRoom) as error:
        return _hold(campaign, view, str(error), (*market, _impossible(error)))
    target = tempered_target(view, wanted, change)
    target = target_that_stays(view, target, view.outlook, limits.appetite)
    candidates, impossible = _candidates(view, view.outlook, target, limits)
    if not candidates:
        gates = (*market, balance_gate(view.inventory, limits), *impossible)
        return _hold(campaign, view, target.reason, gates)
    before = (*market, *usage_gates(view, limits))
    judged = [_judge(campaign, view, view.outlook, c, before, limits) for c in candidates]
    plans = [plan for plan in judged if all(gate.passed for gate in plan.gates)]
    if plans:
        return max(plans, key=_net)
    best = max(judged, key=_net)
    closed = next(gate for gate in best.gates if not gate.passed)
    return _hold(campaign, view, f"{best.reason}: stopped by {closed.name}", best.gates)


def _wanted(view: View, outlook: Outlook, policy: Policy, appetite: Appetite) -> Target:
    """What the policy wants, or no ranges where the flow is toxic, or liquidity is paid too little
    to stay."""
    toxic = toxic_flow(view, appetite)
    if toxic is not None:
        return target_while_toxic(toxic)
    least = appetite.leave_below_fee_to_lvr
    pay = None if least is None else pay_of(view, outlook)
    if least is None or pay is None or isinstance(pay, Missing) or pay >= least:
        return target_of(view, policy, appetite)
    return Target(
        ranges=(),
        swap=False,
        reason=f"stay out: fees pay {pay:.2f} of what arbitrage takes, less than "
        f"{float(least):.2f}",
    )


def _candidates(
    view: View, outlook: Outlook, target: Target, limits: Limits
) -> tuple[list[Sized], list[Gate]]:
    """What could be done about the target, and why something else could not.

    Nothing of both where all is as it should be.
    """
    ways: list[Callable[[], Sized | None]] = []
    held = {p.range for p in view.snapshot.positions}
    if {w.range for w in target.ranges} != held:
        both = target.swap and target.ranges
        ways = [
            partial(sized, view, outlook, target, way, limits)
            for way in ((rerange, rerange_without_swap) if both else (rerange,))
        ]
    elif not balance_gate(view.inventory, limits).passed:
        ways = [partial(_hedge, view, target, limits)]
    candidates, impossible = [], []
    for way in ways:
        try:
            found = way()
        except (TickDataMissing, LiquidityOverflow, NoRoom) as error:
            impossible.append(_impossible(error))
        else:
            if found is not None and found.candidate.actions:
                candidates.append(found)
    return candidates, impossible


def _hedge(view: View, target: Target, limits: Limits) -> Sized | None:
    candidate = hedge(view, target, limits)
    return None if candidate is None else Sized(candidate=candidate, losses=())


def _impossible(error: TickDataMissing | LiquidityOverflow | NoRoom) -> Gate:
    """A swap that would leave the ticks that were read, a mint that the contract would revert
    because the price lies a hair beside an edge, or a range beyond an end of the ticks."""
    match error:
        case TickDataMissing():
            name, measured, limit = "depth", "beyond the ticks read", "within them"
        case LiquidityOverflow():
            name, measured, limit = "liquidity", "beyond uint128", "within it"
        case NoRoom():
            name, measured = "room", f"tick {error.tick}"
            limit = f"[{error.lowest}, {error.highest})"
    return Gate(name=name, passed=False, measured=measured, limit=limit, reason=str(error))


def _judge(
    campaign: str,
    view: View,
    outlook: Outlook,
    found: Sized,
    before: tuple[Gate, ...],
    limits: Limits,
) -> Plan:
    """The candidate as a Plan, with the gates it passes or does not."""
    candidate = found.candidate
    gas_wei = gas_wei_up(view.snapshot, candidate.actions)
    estimate = _estimate(view, outlook, candidate, gas_wei, limits)
    must = must_place_anew(view, candidate.target, limits.appetite)
    if candidate.purpose is SwapPurpose.HEDGE:
        worth = hedge_cost(view, candidate, estimate, limits)
    elif not candidate.target.ranges:
        worth = leaving_cost(view, candidate, estimate, limits)
    else:
        worth = payback(view, estimate) if must is None else must
    gates = (*before, *plan_gates(view, candidate, gas_wei, limits), worth)
    if candidate.purpose is SwapPurpose.HEDGE:
        gates += hedge_gates(view, limits)
    if takes_on(candidate):
        gates += entry_gates(view, outlook, candidate, estimate.gas, limits.appetite)
        gates += reserve_gates(view, limits) if must is None else ()
    if places_anything(candidate):
        gates += placing_gates(view, outlook, limits)
        gates += efficiency_gates(view, estimate, limits.appetite)
        gates += stay_gates(view, outlook, candidate, limits.appetite)
        gates += found.losses
        gates += swing_gates(view, outlook, candidate, limits)
    return plan_of(campaign, view, candidate, estimate, gates, limits)


def _estimate(
    view: View, outlook: Outlook, candidate: Candidate, gas_wei: int, limits: Limits
) -> Estimate:
    """Cost and gain of a candidate, the gain against what is held now."""
    snapshot = view.snapshot
    horizon = limits.payback_horizon_s
    now = [(p.range, p.liquidity) for p in snapshot.positions]
    others = candidate.others_liquidity
    kept = (1 - candidate.target.forgoes) * expected_fees(view, outlook, now, others, horizon)
    gained = expected_fees(view, outlook, candidate.placed, others, horizon) - kept
    return estimate_of(view, candidate, gas_wei, gained, horizon)


def _net(plan: Plan) -> Fraction:
    return plan.estimate.fees_gained - plan.estimate.gas - plan.estimate.swap_cost


def _hold(campaign: str, view: View, reason: str, gates: tuple[Gate, ...]) -> Hold:
    return Hold(campaign=campaign, block=view.snapshot.block, reason=reason, gates=gates)
