"""The compiled engine's ticks and prices, to the last bit those of the contract."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    sqrt_price_at_tick,
    tick_at_sqrt_price,
)
from lpmanager.amm.fast import limbs, prices
from lpmanager.amm.fast.packing import from_limbs, limbs_of
from lpmanager.model import MAX_TICK, MIN_TICK, SqrtPriceX96


@njit
def round_trip(kept: Any, lowest: Any, end: Any) -> Any:
    """Prices of all ticks in [lowest, end) to ticks again, and the last price below the next.

    Gives the first tick that is not found again, `end` for none, and the greatest error of the
    estimates along the way.
    """
    one, error = (np.uint64(1),), 0
    price = prices.sqrt_price_at_tick(lowest)
    for tick in range(lowest, end):
        above = prices.sqrt_price_at_tick(tick + 1)
        last = limbs.subtract(above, one)
        if prices.tick_at_sqrt_price(kept, price) != tick:
            return tick, error
        if prices.tick_at_sqrt_price(kept, last) != tick:
            return tick, error
        error = max(error, abs(prices._estimated_place(price) - (tick << prices._PLACES)))
        error = max(error, abs(prices._estimated_place(last) - (tick + 1 << prices._PLACES)))
        price = above
    return end, error


def compiled_price(tick: int) -> int:
    return from_limbs(np.array([prices.sqrt_price_at_tick(tick)], dtype=np.uint64))[0]


@pytest.mark.parametrize(
    "ticks",
    [
        range(MIN_TICK, MIN_TICK + 1_000),
        range(-1_000, 1_000),
        range(MAX_TICK - 999, MAX_TICK + 1),
        [sign << bit for bit in range(20) for sign in (1, -1)],
        Random(1).sample(range(MIN_TICK, MAX_TICK), 10_000),
    ],
    ids=["lowest", "around-0", "highest", "one-bit", "anywhere"],
)
def test_a_ticks_price_is_the_contracts(ticks: list[int]) -> None:
    assert [compiled_price(tick) for tick in ticks] == [sqrt_price_at_tick(tick) for tick in ticks]


def test_every_tick_is_found_from_its_first_and_its_last_price() -> None:
    found, error = round_trip(prices.none_kept(), MIN_TICK, MAX_TICK)
    assert found == MAX_TICK
    # What the estimate must not exceed for the ticks in between to be right as well.
    assert error * 50 < prices._DOUBT


@given(st.floats(32, 160), st.integers(-2, 2))
def test_the_tick_of_any_price_is_the_one_below_it(doublings: float, beside: int) -> None:
    price = min(max(int(2**doublings) + beside, MIN_SQRT_PRICE), MAX_SQRT_PRICE - 1)
    found = prices.tick_at_sqrt_price(prices.none_kept(), limbs_of(price, 3))
    assert found == tick_at_sqrt_price(SqrtPriceX96(price))


def test_kept_prices_are_those_of_their_own_ticks_whatever_stood_in_their_place_before() -> None:
    kept = prices.none_kept()
    # a place is a tick's low bits: each of these stands in that of one before
    for tick in (0, prices._KEPT, 0, -prices._KEPT, 7 - prices._KEPT, 7, 7):
        found = prices.kept_price_at_tick(kept, tick)
        assert from_limbs(np.array([found], dtype=np.uint64))[0] == sqrt_price_at_tick(tick)
