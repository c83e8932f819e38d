"""Ticks, ranges, and the pool's time-weighted mean of them."""

from __future__ import annotations

import pytest
from builders import a_range

from lpmanager.model import MAX_TICK, MIN_TICK, TickRange, Twap
from lpmanager.model.tick import (
    ceil_to_spacing,
    floor_to_spacing,
    max_usable_tick,
    min_usable_tick,
)


@pytest.mark.parametrize(
    ("tick", "below", "above"),
    [(0, 0, 0), (1, 0, 10), (-1, -10, 0), (-10, -10, -10), (19, 10, 20)],
)
def test_the_grid_rounds_to_its_named_side_below_zero_too(
    tick: int, below: int, above: int
) -> None:
    assert floor_to_spacing(tick, 10) == below
    assert ceil_to_spacing(tick, 10) == above


def test_usable_ticks_are_on_the_grid_and_inside_the_bounds() -> None:
    assert (min_usable_tick(60), max_usable_tick(60)) == (-887220, 887220)
    assert (min_usable_tick(1), max_usable_tick(1)) == (MIN_TICK, MAX_TICK)


def test_a_range_holds_its_lower_tick_and_not_its_upper() -> None:
    held = a_range("[-10, 20)")
    assert -10 in held
    assert 19 in held
    assert 20 not in held
    assert -11 not in held
    assert (held.width, held.centre, str(held)) == (30, 5, "[-10, 20)")


@pytest.mark.parametrize(("lower", "upper"), [(1, 1), (2, 1), (MIN_TICK - 1, 0), (0, MAX_TICK + 1)])
def test_a_range_that_is_none_is_refused(lower: int, upper: int) -> None:
    with pytest.raises(ValueError, match="range"):
        TickRange(lower, upper)


def test_a_tick_off_the_spacing_is_refused_with_the_nearest_ones() -> None:
    a_range("[-20, 20)").require_spacing(10)
    with pytest.raises(ValueError, match=r"lower tick -15 .* the nearest are -20 and -10"):
        a_range("[-15, 20)").require_spacing(10)
    with pytest.raises(ValueError, match=r"upper tick 25 .* the nearest are 20 and 30"):
        a_range("[-20, 25)").require_spacing(10)


@pytest.mark.parametrize(("moved", "mean"), [(-1, -1), (1, 0), (-600, -1), (1200, 2), (-601, -2)])
def test_the_mean_tick_is_rounded_towards_negative_infinity(moved: int, mean: int) -> None:
    twap = Twap(window_s=600, tick_cumulative_then=10**12, tick_cumulative_now=10**12 + moved)
    assert twap.tick_down == mean
