"""Time in range and LVR of ranges, by the prices that were seen."""

from __future__ import annotations

import math

import pytest

from lpmanager.risk.held_range import HeldRange
from lpmanager.risk.lived import Deployed, Life, SeenPrice, deployed, lost_to_arbitrage

#: The worked case of the inventory's tests: 10,000 at 2000 in [1500, 2500].
WORKED = HeldRange(
    liquidity=933.4553114807629, sqrt_lower=math.sqrt(1500), sqrt_upper=math.sqrt(2500)
)
HOUR = 3_600


def at(time: int, price: float) -> SeenPrice:
    return SeenPrice(time=time, sqrt_price=math.sqrt(price))


def a_life(opened: SeenPrice, closed_at: int | None = None) -> Life:
    return Life(held=WORKED, opened=opened, closed_at=closed_at)


def test_a_range_is_in_range_from_one_price_to_the_next() -> None:
    life = a_life(at(100, 2000))
    seen = [at(0, 2000), at(300, 2600), at(350, 2400), at(600, 1400)]
    assert deployed([life], seen, 1_000) == Deployed(seconds=900, in_range_s=200 + 250)


def test_a_range_earns_at_its_lower_edge_and_no_more_at_its_upper_one() -> None:
    """As the pool counts its liquidity."""
    life = a_life(at(0, 2000))
    assert life.active(WORKED.sqrt_lower)
    assert not life.active(WORKED.sqrt_upper)


def test_the_same_time_counts_once_however_many_ranges_are_held() -> None:
    beyond = HeldRange(liquidity=1.0, sqrt_lower=math.sqrt(2500), sqrt_upper=math.sqrt(2600))
    lives = [
        a_life(at(0, 2000), closed_at=400),
        Life(held=beyond, opened=at(200, 2000), closed_at=700),
        a_life(at(800, 2000)),
    ]
    seen = [at(300, 2550), at(600, 2700)]
    found = deployed(lives, seen, 1_000)
    assert found == Deployed(seconds=700 + 200, in_range_s=600 + 200)


def test_without_ranges_nothing_was_deployed() -> None:
    assert deployed([], [at(0, 2000)], 1_000) == Deployed(seconds=0, in_range_s=0)


def test_lvr_is_what_the_range_is_behind_the_tokens_that_it_held() -> None:
    """Up to 2200, where HODL is worth 99.450197 more, and back, by the worked case's table."""
    up, back = at(HOUR, 2200), at(2 * HOUR, 2000)
    risen = lost_to_arbitrage([a_life(at(0, 2000))], [up])
    assert risen == pytest.approx(10_440.717815 - 10_341.267618, abs=1e-5)
    fallen = lost_to_arbitrage([a_life(up)], [back])
    assert fallen == pytest.approx(10_341.267618 - 10_000 - 200 * 1.23222788, abs=1e-5)
    both = lost_to_arbitrage([a_life(at(0, 2000))], [up, back])
    assert both == pytest.approx(risen + fallen)


def test_beyond_its_edge_a_range_loses_nothing_more() -> None:
    life = a_life(at(0, 2500))
    assert lost_to_arbitrage([life], [at(HOUR, 3000), at(2 * HOUR, 2600)]) == 0


def test_prices_a_moment_apart_count_as_one() -> None:
    life, there = a_life(at(0, 2000)), at(400, 2100)
    wild = [at(0, 2000), at(60, 2300), at(120, 1700), there]
    assert lost_to_arbitrage([life], wild) == lost_to_arbitrage([life], [there])


def test_only_prices_of_its_own_time_are_a_ranges_loss() -> None:
    seen = [at(0, 1800), at(HOUR, 2000), at(2 * HOUR, 2200), at(3 * HOUR, 1600)]
    life = a_life(at(HOUR, 2000), closed_at=3 * HOUR)
    assert lost_to_arbitrage([life], seen) == lost_to_arbitrage([a_life(at(0, 2000))], seen[2:3])
