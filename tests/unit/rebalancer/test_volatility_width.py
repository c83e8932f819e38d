"""A range as wide as the price is expected to move."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from builders import NO_OUTLOOK, a_market, a_position, a_record, a_view, an_outlook

from lpmanager.errors import ConfigError
from lpmanager.model import Target
from lpmanager.rebalancer import make_policy
from lpmanager.rebalancer.policies import VolatilityWidth

DAY = 86_400
#: A volatility of 5 % in a square root of a day.
FIVE_PERCENT = 0.05**2 / DAY
POLICY = VolatilityWidth(
    multiplier=Fraction(2), horizon_s=DAY, min_half_width_ticks=50, max_half_width_ticks=3_000
)


def wanted(tick: int, *held: str, rate: float | None = FIVE_PERCENT) -> Target:
    positions = tuple(a_position(text, token_id=i) for i, text in enumerate(held))
    outlook = NO_OUTLOOK if rate is None else an_outlook(variance_rate=rate)
    market = a_market(tick=tick, positions=positions)
    return POLICY.target(a_view(market, a_record((10**9, 10**9)), outlook))


def ranges(target: Target) -> list[str]:
    return [str(weighted.range) for weighted in target.ranges]


def test_the_width_is_that_many_deviations_over_the_horizon() -> None:
    half = math.ceil(2 * 0.05 / math.log(1.0001))
    assert half == POLICY.half_width_up(FIVE_PERCENT) == 1001
    assert ranges(wanted(0)) == ["[-1010, 1010)"]


def test_the_width_keeps_its_bounds() -> None:
    assert POLICY.half_width_up(1e-30) == 50
    assert POLICY.half_width_up(1.0) == 3_000
    assert POLICY.half_width_up(float("inf")) == 3_000


def test_a_range_stands_however_the_volatility_changes_while_the_price_is_inside() -> None:
    for rate in (FIVE_PERCENT / 100, FIVE_PERCENT, FIVE_PERCENT * 100):
        assert ranges(wanted(90, "[-100, 100)", rate=rate)) == ["[-100, 100)"]


def test_a_range_that_the_price_has_left_is_placed_anew_in_the_width_of_now() -> None:
    assert ranges(wanted(100, "[-100, 100)", rate=FIVE_PERCENT / 4)) == ["[-410, 610)"]


def test_an_order_beside_the_price_is_not_taken_for_the_base() -> None:
    assert ranges(wanted(150, "[-100, 100)", "[100, 200)")) != ["[-100, 100)", "[100, 200)"]


def test_without_history_nothing_changes() -> None:
    kept = wanted(5_000, "[-100, 100)", rate=None)
    assert ranges(kept) == ["[-100, 100)"]
    assert NO_OUTLOOK.reason in kept.reason


def test_a_price_that_does_not_move_tells_no_width() -> None:
    kept = wanted(5_000, "[-100, 100)", rate=0.0)
    assert ranges(kept) == ["[-100, 100)"]
    assert "a price that moves" in kept.reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"multiplier": 0}, "multiplier must be positive"),
        ({"horizon_s": -1}, "horizon_s must be positive"),
        ({"min_half_width_ticks": 0}, "min_half_width_ticks must be positive"),
        ({"max_half_width_ticks": 10}, "max_half_width_ticks must be at least min"),
        ({"recentre_at": 2}, "recentre_at must be in"),
    ],
)
def test_impossible_options_are_named(change: dict[str, object], message: str) -> None:
    options = {
        "multiplier": 2,
        "horizon_s": DAY,
        "min_half_width_ticks": 50,
        "max_half_width_ticks": 300,
    }
    with pytest.raises(ConfigError, match=message):
        make_policy("volatility_width", {**options, **change})
