"""How soon a price leaves a range, and how surely it stays."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from builders import a_range
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.risk.gap import expected_exit_seconds, log_distances, stay_probability

DAY = 86_400
TENTH_DOWN, TENTH_UP = math.log(1 / 0.9), math.log(1.1)
YEARLY_80 = 0.8**2 / (365 * DAY)


def stays(
    below: float, above: float, variance: float = 0.0025 / DAY, seconds: float = DAY
) -> float:
    return stay_probability(to_lower=below, to_upper=above, variance_rate=variance, seconds=seconds)


def test_the_mean_time_to_leave_ten_percent_either_way() -> None:
    seconds = expected_exit_seconds(
        to_lower=TENTH_DOWN, to_upper=TENTH_UP, variance_rate=0.05**2 / DAY
    )
    assert seconds / DAY == pytest.approx(4.0167719, abs=5e-8)


def test_the_chance_to_stay_ten_percent_either_way_for_a_week() -> None:
    assert stays(TENTH_DOWN, TENTH_UP, YEARLY_80, 7 * DAY) == pytest.approx(0.28238119, abs=5e-9)


def stays_above(distance: float, spread: float, drift: float) -> float:
    """Chance not to touch one edge: the reflection principle, with drift."""
    normal = NormalDist().cdf
    return normal((distance + drift) / spread) - math.exp(
        -2 * drift * distance / spread**2
    ) * normal((drift - distance) / spread)


@pytest.mark.parametrize("spread", [1e-4, 0.05, 0.5, 2.0])
@pytest.mark.parametrize("distance", [0.1, 1.0, 3.0])
def test_with_the_other_edge_out_of_reach_the_reflection_principle_holds(
    spread: float, distance: float
) -> None:
    near, drift = distance * spread, -(spread**2) / 2
    one = stays(near, 150.0, spread**2, 1)
    assert one == pytest.approx(stays_above(near, spread, drift), abs=1e-10)
    other = stays(150.0, near, spread**2, 1)
    assert other == pytest.approx(stays_above(near, spread, -drift), abs=1e-10)


def test_no_time_no_leaving_and_no_end_no_staying() -> None:
    assert stays(0.1, 0.1, seconds=0) == 1
    assert stays(0.1, 0.1, seconds=1e-6) == pytest.approx(1)
    assert stays(0.1, 0.1, seconds=1_000 * DAY) == pytest.approx(0)


def test_a_price_outside_or_on_an_edge_has_left() -> None:
    for below, above in ((0.0, 0.1), (0.1, 0.0), (-0.1, 0.3)):
        assert stays(below, above) == 0
        assert expected_exit_seconds(to_lower=below, to_upper=above, variance_rate=1e-9) == 0


@settings(max_examples=40)
@given(st.floats(0.001, 3), st.floats(0.001, 3), st.floats(0.01, 1.5))
def test_more_room_and_less_time_keep_it_longer(below: float, above: float, spread: float) -> None:
    chance = stays(below, above, spread**2, 1)
    assert 0 <= chance <= 1
    assert stays(below * 1.1, above, spread**2, 1) >= chance - 1e-12
    assert stays(below, above * 1.1, spread**2, 1) >= chance - 1e-12
    assert stays(below, above, spread**2, 1.1) <= chance + 1e-12


def test_distances_are_from_the_ticks_of_the_range() -> None:
    below, above = log_distances(50, a_range("[-100, 300)"))
    assert below == pytest.approx(150 * math.log(1.0001))
    assert above == pytest.approx(250 * math.log(1.0001))
    assert log_distances(300, a_range("[-100, 300)"))[1] == 0


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_a_variance_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="variance rate must be above 0"):
        stays(0.1, 0.1, wrong)
    with pytest.raises(ValueError, match="variance rate must be above 0"):
        expected_exit_seconds(to_lower=0.1, to_upper=0.1, variance_rate=wrong)


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_a_time_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="time must be finite"):
        stays(0.1, 0.1, seconds=wrong)


def test_a_time_beyond_the_series_is_refused() -> None:
    with pytest.raises(ValueError, match=r"spreads by 3\.16; at most 3"):
        stays(0.1, 0.1, 1.0, 10)
