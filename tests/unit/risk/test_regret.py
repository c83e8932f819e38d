"""What perfect hindsight was worth, and what a rule lost to it."""

from __future__ import annotations

import math
import random

import pytest

from lpmanager.risk.lookback import hindsight_price
from lpmanager.risk.missing import Missing
from lpmanager.risk.regret import Regret, regret

DAY = 86_400


def zigzag(moves: int, size: float, *, step_s: int = 600) -> tuple[list[int], list[float]]:
    """A price of 2,000 that goes up and comes back by so much of its log."""
    return (
        [step_s * n for n in range(moves + 1)],
        [2_000 * math.exp(size * (n % 2)) for n in range(moves + 1)],
    )


def found(times: list[int], prices: list[float], **changes: float) -> Regret:
    told = regret(times, prices, **{"base": 2.0, "gained": 0.0, **changes})
    assert isinstance(told, Regret)
    return told


def test_hindsight_is_priced_at_the_volatility_that_there_was() -> None:
    times, prices = zigzag(144, 0.01)
    rate = 144 * 0.01**2 / DAY
    worth = hindsight_price(price=2_000, variance_rate=rate, seconds=DAY)
    assert found(times, prices).hindsight == pytest.approx(2 * worth)


def test_the_rule_is_behind_it_by_what_it_did_not_gain() -> None:
    times, prices = zigzag(144, 0.01)
    told = found(times, prices, gained=100.0)
    assert told.behind == pytest.approx(told.hindsight - 100)
    assert found(times, prices, gained=-50.0).behind == pytest.approx(told.hindsight + 50)


def test_on_average_hindsight_is_worth_what_prices_did_swing() -> None:
    """By 300 random days: mean of the highest less the lowest of the very paths."""
    rng, swings, told = random.Random(5), [], []
    for _ in range(300):
        log, prices = 0.0, [2_000.0]
        for _ in range(288):
            log += rng.gauss(0, 0.003) - 0.003**2 / 2
            prices.append(2_000 * math.exp(log))
        swings.append(max(prices) - min(prices))
        told.append(found([300 * n for n in range(289)], prices, base=1.0).hindsight)
    # looked at every five minutes, a path hides a little of its extremes
    assert sum(swings) / 300 == pytest.approx(sum(told) / 300, rel=0.08)
    assert sum(swings) < sum(told)


def test_prices_that_come_back_within_minutes_are_no_volatility() -> None:
    times, prices = zigzag(288, 0.01)
    noisy_times = sorted([*times, *(time + 12 for time in times)])
    noisy = [price for price in prices for price in (price, price * 1.02)]
    assert found(noisy_times, noisy) == found(times, prices)


def test_too_few_prices_and_nothing_put_in_say_so() -> None:
    short = regret(*zigzag(9, 0.01), base=1.0, gained=0.0)
    assert isinstance(short, Missing)
    assert "found 9" in short.reason
    assert isinstance(regret([], [], base=1.0, gained=0.0), Missing)
    assert isinstance(regret(*zigzag(20, 0.01), base=0.0, gained=0.0), Missing)


def test_a_price_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        regret([0, 300], [1.0, math.nan], base=1.0, gained=0.0)
    with pytest.raises(ValueError, match="gained"):
        regret([0, 300], [1.0, 1.0], base=1.0, gained=math.nan)
