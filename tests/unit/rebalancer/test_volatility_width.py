"""A range as wide as the price is expected to move."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import NO_OUTLOOK, a_market, a_position, a_record, a_view, an_outlook
from price_series import a_swap

from lpmanager.errors import ConfigError
from lpmanager.model import Flow, Target
from lpmanager.rebalancer import View, make_policy
from lpmanager.rebalancer.policies import VolatilityWidth
from lpmanager.risk import Outlook, assess

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


# ---- without jumps ----


def after_a_jump(jump: int, hours: int = 3, quiet_hours: int = 0) -> View:
    """Five ticks to and fro every five minutes, a block each; in the last of these the price fell
    by `jump`, out of the held range. Before all that nobody traded."""
    steps, quiet = 12 * hours, 12 * quiet_hours
    ticks = [5 * (step % 2) for step in range(steps)] + [-jump]
    swaps = tuple(a_swap(100 - steps + step, tick) for step, tick in enumerate(ticks))
    flow = Flow(from_block=101 - steps - quiet, seconds=300 * (steps + quiet), swaps=swaps[1:])
    market = a_market(tick=-jump, positions=(a_position("[-100, 100)"),))
    snapshot = replace(market, flow=flow)
    outlook = assess(snapshot)
    assert isinstance(outlook, Outlook), outlook
    return a_view(snapshot, a_record((10**9, 10**9)), outlook)


def width(view: View, forecast: str) -> int:
    target = replace(POLICY, forecast=forecast).target(view)
    return target.ranges[0].range.width


def test_a_jump_that_just_happened_widens_by_realised_volatility_alone() -> None:
    jumped = after_a_jump(500)
    assert width(jumped, "realised") > 4 * width(jumped, "without_jumps")
    assert "without jumps" in replace(POLICY, forecast="without_jumps").target(jumped).reason


@pytest.mark.parametrize("forecast", ["realised", "without_jumps"])
def test_of_a_time_of_which_half_was_quiet_the_width_is_less_by_the_root_of_two(
    forecast: str,
) -> None:
    whole, half = (after_a_jump(500, quiet_hours=hours) for hours in (0, 3))
    assert width(half, forecast) == pytest.approx(width(whole, forecast) / 2**0.5, abs=20)


def test_losses_count_a_jump_whatever_the_width_is_made_for() -> None:
    assert isinstance(jumped := after_a_jump(500).outlook, Outlook)
    assert isinstance(calm := after_a_jump(105).outlook, Outlook)
    assert jumped.variance_rate > 10 * calm.variance_rate


def test_volatility_without_jumps_says_what_it_needs() -> None:
    kept = replace(POLICY, forecast="without_jumps").target(after_a_jump(500, hours=1))
    assert ranges(kept) == ["[-100, 100)"]
    assert "bipower variation needs 20 returns of 300 s, found 11" in kept.reason
