"""How long a price stays in a range, against limits and a simulation."""

from __future__ import annotations

import math
import random

import pytest
from builders import a_range

from lpmanager.risk import expected_seconds_in_range

DAY = 86_400
#: 60 % a year
VARIANCE = 0.6**2 / 31_536_000


def seconds(tick: int, text: str, variance: float = VARIANCE, horizon: int = DAY) -> float:
    return expected_seconds_in_range(tick, a_range(text), variance, horizon)


def test_a_price_that_does_not_move_stays_where_it_is() -> None:
    assert seconds(0, "[-600, 600)", 0.0) == DAY
    assert seconds(600, "[-600, 600)", 0.0) == 0
    assert seconds(0, "[-600, 600)", 1e-30) == pytest.approx(DAY)
    assert seconds(700, "[-600, 600)", 1e-30) == 0


def test_no_time_is_spent_in_no_time() -> None:
    assert seconds(0, "[-600, 600)", horizon=0) == 0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        seconds(0, "[-600, 600)", -1.0)
    with pytest.raises(ValueError, match="negative"):
        seconds(0, "[-600, 600)", horizon=-1)


def test_the_wider_the_range_and_the_nearer_its_centre_the_longer() -> None:
    by_width = [seconds(0, f"[-{w}, {w})") for w in (10, 50, 200, 1000, 5000)]
    assert by_width == sorted(by_width)
    assert by_width[-1] == pytest.approx(DAY, rel=1e-3)
    by_distance = [seconds(d, "[-200, 200)") for d in (0, 100, 199, 300, 600, 3000)]
    assert by_distance == sorted(by_distance, reverse=True)


def test_both_sides_are_alike() -> None:
    assert seconds(-120, "[-200, 500)") == pytest.approx(seconds(120, "[-500, 200)"))


def test_two_halves_are_the_whole() -> None:
    halves = seconds(30, "[-200, 0)") + seconds(30, "[0, 200)")
    assert halves == pytest.approx(seconds(30, "[-200, 200)"))


def test_a_small_range_far_from_its_edges_follows_the_closed_form() -> None:
    """For a strip narrow against the spread, the time is width * sqrt(2 T / (pi variance))."""
    width = 2 * math.log(1.0001)
    expected = width * math.sqrt(2 * DAY / (math.pi * VARIANCE))
    assert seconds(0, "[-1, 1)") == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("tick", "text"), [(0, "[-100, 100)"), (80, "[-100, 100)"), (150, "[-100, 100)")]
)
def test_a_simulated_walk_stays_as_long(tick: int, text: str) -> None:
    rng, held = random.Random(7), a_range(text)
    steps, walks = 200, 1_500
    spread = math.sqrt(VARIANCE * DAY / steps) / math.log(1.0001)
    inside = 0
    for _ in range(walks):
        price = tick + 0.0
        for _ in range(steps):
            price += rng.gauss(0, spread)
            inside += held.lower <= price < held.upper
    assert seconds(tick, text) / DAY == pytest.approx(inside / steps / walks, abs=0.02)
