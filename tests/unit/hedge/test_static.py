"""The hedge that is set once."""

from __future__ import annotations

import math

import pytest

from lpmanager.hedge.static import least_cvar_hedge
from lpmanager.inventory import range_exposure
from lpmanager.risk.cvar import TailLoss, tail_loss
from lpmanager.risk.missing import Missing

#: The worked case of the inventory's tests: 10,000 at 2000 in [1500, 2500].
L, PRICE = 933.4553114807629, 2000.0
SQRT_LOW, SQRT_HIGH = math.sqrt(1500), math.sqrt(2500)
GRID = [1200.0 + 50 * step for step in range(36)]


def value_at(price: float) -> float:
    s = min(max(math.sqrt(price), SQRT_LOW), SQRT_HIGH)
    return L * (s - SQRT_LOW) + price * L * (1 / s - 1 / SQRT_HIGH)


def hedge(prices: list[float], values: list[float], value: float, confidence: float) -> float:
    found = least_cvar_hedge(
        price=PRICE, value=value, prices=prices, values=values, confidence=confidence
    )
    assert isinstance(found, float)
    return found


def test_tokens_that_just_lie_there_are_hedged_one_for_one() -> None:
    prices = [1500.0, 1800.0, 2300.0]
    assert hedge(prices, [7 + 3 * p for p in prices], 7 + 3 * PRICE, 0.6) == pytest.approx(3)


def test_near_todays_price_the_static_hedge_is_delta() -> None:
    prices = [1999.0, 2001.0]
    found = hedge(prices, [value_at(price) for price in prices], value_at(PRICE), 0.5)
    delta = range_exposure(
        liquidity=L, sqrt_price=math.sqrt(PRICE), sqrt_lower=SQRT_LOW, sqrt_upper=SQRT_HIGH
    ).delta
    assert found == pytest.approx(delta, rel=1e-3)


def test_the_hedge_of_least_cvar_leaves_a_smaller_tail_than_any_other() -> None:
    values = [value_at(price) for price in GRID]

    def tail(short: float) -> float:
        left = [
            v - value_at(PRICE) - short * (p - PRICE) for p, v in zip(GRID, values, strict=True)
        ]
        found = tail_loss(left, 0.9)
        assert isinstance(found, TailLoss)
        return found.cvar

    best = hedge(GRID, values, value_at(PRICE), 0.9)
    others = [step / 100 for step in range(-100, 700)]
    assert tail(best) <= min(map(tail, others)) + 1e-9
    assert tail(best) < 0.9 * tail(0.0)


def test_a_tail_needs_enough_prices() -> None:
    few = least_cvar_hedge(price=PRICE, value=1.0, prices=[1.0, 3000.0], values=[1.0, 2.0])
    assert isinstance(few, Missing)
    assert "needs 20 results" in few.reason


@pytest.mark.parametrize(
    ("prices", "values", "message"),
    [([PRICE], [1.0], "other than today's"), ([1.0, 2.0], [1.0], "for each of 2"),
     ([0.0], [1.0], "price 0 of the grid"), ([1.0], [math.nan], "finite value")],
)  # fmt: skip
def test_a_grid_that_says_nothing_is_refused(
    prices: list[float], values: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        least_cvar_hedge(price=PRICE, value=1.0, prices=prices, values=values)
