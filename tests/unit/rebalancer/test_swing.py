"""A new range against how far the price is expected to swing until the next move."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import a_limits, a_market, a_position, a_record, a_view, an_outlook
from decisions import closed, gate

from lpmanager.model import Decision, Hold, Mint, Plan, TickRange
from lpmanager.rebalancer import Limits, View, decide
from lpmanager.rebalancer.assessment import Measure, Unit, assessment
from lpmanager.rebalancer.policies import FixedWidth, Passive
from lpmanager.rebalancer.swing_gates import Swing, swing_between_moves
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.missing import Missing

DAY_S = 86_400
FIVE_PERCENT_A_DAY = an_outlook(variance_rate=0.05**2 / DAY_S)
#: Nothing is placed yet.
VIEW = a_view(a_market(tick=1_005), a_record((10**11, 10**12)), FIVE_PERCENT_A_DAY)
FIXED = FixedWidth(half_width_ticks=600)


def decided(least: Fraction | None, policy=FIXED, view: View = VIEW, **limits: object) -> Decision:
    appetite = Appetite(min_width_to_swing=least)
    return decide("mine", view, policy, a_limits(appetite=appetite, **limits))


def expected(limits: Limits) -> Swing:
    swing = swing_between_moves(VIEW, FIVE_PERCENT_A_DAY, limits)
    assert isinstance(swing, Swing)
    return swing


def test_the_swing_of_a_week_is_that_of_feller() -> None:
    week = expected(a_limits(min_interval_s=7 * DAY_S))
    assert (week.seconds, week.log_range) == (7 * DAY_S, pytest.approx(0.21110041))


@pytest.mark.parametrize(
    ("moves", "pause_s", "seconds"),
    [(6, 600, DAY_S / 6), (1, 600, DAY_S), (6, DAY_S, DAY_S), (0, 600, DAY_S)],
)
def test_a_move_has_to_last_until_the_next_one_may_come(
    moves: int, pause_s: int, seconds: float
) -> None:
    limits = a_limits(max_moves_per_day=moves, min_interval_s=pause_s)
    assert expected(limits).seconds == seconds


def test_a_range_that_is_narrow_for_the_swing_to_come_is_not_placed() -> None:
    plan = decided(None)
    assert isinstance(plan, Plan)
    (placed,) = [action.range for action in plan.actions if isinstance(action, Mint)]
    swing = math.sqrt(8 / math.pi) * 0.05 / math.sqrt(6) / math.log(1.0001)
    times = placed.width / swing
    assert isinstance(decided(Fraction(times * 0.99)), Plan)
    held = decided(Fraction(times * 1.01))
    assert isinstance(held, Hold)
    assert closed(held) == ["swing"]
    found = gate(held, "swing")
    assert found.measured == f"{times:.2f} times"
    assert f"{placed.width} ticks, over the {math.ceil(swing)} ticks from low to high" in (
        found.reason
    )


def test_with_fewer_moves_a_day_the_same_range_is_too_narrow() -> None:
    assert isinstance(decided(Fraction(2)), Plan)
    assert closed(decided(Fraction(2), max_moves_per_day=1)) == ["swing"]


def test_an_order_beside_the_price_waits_for_it_and_may_be_narrow() -> None:
    passive = Passive(half_width_ticks=600, order_width_ticks=60)
    plan = decided(Fraction(2), passive)
    assert isinstance(plan, Plan)
    widths = [action.range.width for action in plan.actions if isinstance(action, Mint)]
    assert min(widths) == 60
    assert gate(plan, "swing").passed


def test_a_price_that_stands_still_swings_nowhere() -> None:
    still = replace(VIEW, outlook=an_outlook(variance_rate=0.0))
    plan = decided(Fraction(10**6), view=still)
    assert isinstance(plan, Plan)
    assert gate(plan, "swing").measured == "the price stands still"


def told(view: View) -> Measure:
    (found,) = [one for one in assessment(view, a_limits()) if one.name == "width over swing"]
    return found


def test_the_width_of_what_is_held_is_told_over_the_swing() -> None:
    held = a_market(positions=(a_position("[-600, 600)", token_id=7, liquidity=10**13),))
    view = a_view(held, a_record((0, 0)), FIVE_PERCENT_A_DAY)
    swing = expected(a_limits())
    found = told(view)
    assert (found.value, found.unit) == (swing.widths(TickRange(-600, 600)), Unit.RATIO)
    assert "of the 14400 s that a move has to last" in found.meaning
    for unknown in (VIEW, replace(view, outlook=an_outlook(variance_rate=0.0))):
        assert isinstance(told(unknown).value, Missing)
