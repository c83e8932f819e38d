"""Less is placed where the whole would lose more than it may."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from builders import a_limits, a_market, a_position, a_record, a_view, an_outlook
from decisions import closed, gate

from lpmanager.model import Decision, Hold, Mint, Plan, Target, TickRange, WeightedRange
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.policies import FixedWidth, Policy
from lpmanager.risk.appetite import Appetite

FIXED = FixedWidth(half_width_ticks=600)
HALF_AND_HALF = (10**12, 10**12)
#: The base token is token1.
ALL_QUOTE, ALL_BASE = (2 * 10**12, 0), (0, 2 * 10**12)


def holding(wallet: tuple[int, int], **outlook: float) -> View:
    return a_view(a_market(), a_record(wallet), an_outlook(**outlook))


def decided(view: View, policy: Policy = FIXED, **appetite: object) -> Decision:
    return decide("mine", view, policy, a_limits(appetite=Appetite(**appetite)))


def planned(view: View, policy: Policy = FIXED, **appetite: object) -> Plan:
    plan = decided(view, policy, **appetite)
    assert isinstance(plan, Plan)
    return plan


def placed(plan: Plan) -> float:
    """All that is put into ranges in raw units, at a price of 1."""
    mints = [action for action in plan.actions if isinstance(action, Mint)]
    return float(sum(sum(mint.desired.raw) for mint in mints))


def lost(decision: Decision, name: str) -> float:
    return float(gate(decision, name).measured.rstrip("%")) / 100


@pytest.mark.parametrize(("wallet", "limit"), [(HALF_AND_HALF, "0.15"), (ALL_QUOTE, "0.05")])
def test_as_much_is_placed_as_a_crash_may_take(wallet: tuple[int, int], limit: str) -> None:
    """Idle, the base token falls too: so the limit is on what the range adds to that."""
    whole, part = (planned(holding(wallet), max_crash_loss=Fraction(most)) for most in ("1", limit))
    assert lost(part, "crash") <= float(limit) < lost(whole, "crash")
    share = placed(part) / placed(whole)
    idle = 0.1 if wallet == HALF_AND_HALF else 0.0
    assert share == pytest.approx((float(limit) - idle) / (lost(whole, "crash") - idle), abs=0.015)
    assert f"only {share:.0%} of that is placed: of {share + 0.01:.0%} crash is " in part.reason


def test_as_much_is_placed_as_a_bad_day_may_take() -> None:
    view = holding(ALL_QUOTE, variance_rate=2e-8, fee_rate=1e-9)
    whole = planned(view, max_cvar=Fraction(1))
    limit = Fraction(lost(whole, "CVaR of a day") / 2)
    part = planned(view, max_cvar=limit)
    assert 0.3 < placed(part) / placed(whole) < 0.7
    assert lost(part, "CVaR of a day") == pytest.approx(float(limit), rel=0.05)


def test_what_is_within_the_limit_is_placed_whole() -> None:
    view = holding(HALF_AND_HALF)
    assert planned(view, max_crash_loss=Fraction(1, 5)).actions == planned(view).actions


def test_where_holding_loses_more_than_may_be_no_size_helps_and_the_hold_says_so() -> None:
    held = decided(holding(ALL_BASE), max_crash_loss=Fraction(1, 10))
    assert isinstance(held, Hold)
    assert closed(held) == ["crash"]
    assert "even with 1% of that placed, crash is 19.9%" in held.reason


def test_a_range_that_is_held_keeps_what_is_in_it() -> None:
    """Only what is added to it is made smaller."""
    old = a_position("[-1200, 1200)", token_id=7, liquidity=10**13)

    class Adding:
        def target(self, seen: View) -> Target:
            ranges = (old.range, TickRange(-600, 600))
            weighted = tuple(WeightedRange(each, Fraction(1)) for each in ranges)
            return Target(ranges=weighted, swap=False, reason="one more range")

    view = a_view(a_market(positions=(old,)), a_record(HALF_AND_HALF), an_outlook())
    whole, part = (planned(view, Adding(), max_crash_loss=Fraction(n, 1_000)) for n in (1_000, 150))
    assert 0 < placed(part) < placed(whole)
    assert [action for action in part.actions if not isinstance(action, Mint)] == []
    assert part.target.ranges[0] == whole.target.ranges[0]
    assert replace(part.target, ranges=(), reason="") == replace(whole.target, ranges=(), reason="")
