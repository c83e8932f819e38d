"""The hedge that is set once."""

from __future__ import annotations

import math

import pytest

from lpmanager.hedge.static import least_cvar_hedge, least_squares_hedge
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


def test_tokens_that_just_lie_there_are_hedged_one_for_one() -> None:
    prices = [1500.0, 1800.0, 2300.0]
    hedge = least_squares_hedge(
        price=PRICE, value=7 + 3 * PRICE, prices=prices, values=[7 + 3 * p for p in prices]
    )
    assert hedge == pytest.approx(3)


def test_near_todays_price_the_static_hedge_is_delta() -> None:
    prices = [1999.0, 2001.0]
    hedge = least_squares_hedge(
        price=PRICE,
        value=value_at(PRICE),
        prices=prices,
        values=[value_at(price) for price in prices],
    )
    delta = range_exposure(
        liquidity=L, sqrt_price=math.sqrt(PRICE), sqrt_lower=SQRT_LOW, sqrt_upper=SQRT_HIGH
    ).delta
    assert hedge == pytest.approx(delta, rel=1e-6)


def test_no_other_static_hedge_leaves_less_over() -> None:
    values = [value_at(price) for price in GRID]

    def left_over(short: float) -> float:
        moves = ((p - PRICE, v - value_at(PRICE)) for p, v in zip(GRID, values, strict=True))
        return sum((gain - short * move) ** 2 for move, gain in moves)

    best = least_squares_hedge(price=PRICE, value=value_at(PRICE), prices=GRID, values=values)
    assert left_over(best) < min(left_over(best * 0.99), left_over(best * 1.01))


def test_the_hedge_of_least_cvar_leaves_a_smaller_tail_than_any_other() -> None:
    values = [value_at(price) for price in GRID]

    def tail(short: float) -> float:
        left = [
            v - value_at(PRICE) - short * (p - PRICE) for p, v in zip(GRID, values, strict=True)
        ]
        found = tail_loss(left, 0.9)
        assert isinstance(found, TailLoss)
        return found.cvar

    best = least_cvar_hedge(
        price=PRICE, value=value_at(PRICE), prices=GRID, values=values, confidence=0.9
    )
    assert isinstance(best, float)
    others = [step / 100 for step in range(-100, 700)]
    assert tail(best) <= min(map(tail, others)) + 1e-9
    squares = least_squares_hedge(price=PRICE, value=value_at(PRICE), prices=GRID, values=values)
    assert tail(best) < tail(squares)


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
        least_squares_hedge(price=PRICE, value=1.0, prices=prices, values=values)
