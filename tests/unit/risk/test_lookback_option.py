"""Lookback options with interest, against published values."""

from __future__ import annotations

import math

import pytest

from lpmanager.risk.lookback import lookback_call
from lpmanager.risk.lookback_option import (
    YEAR_S,
    floating_lookback_call,
    floating_lookback_put,
)


def call(low: float, price: float, q: float, r: float, years: float, sigma: float = 0.3) -> float:
    return floating_lookback_call(
        price=price,
        lowest=low,
        rate=r,
        yield_rate=q,
        volatility=sigma,
        seconds=round(years * YEAR_S),
    )


def put(high: float, price: float, q: float, r: float, years: float, sigma: float = 0.3) -> float:
    return floating_lookback_put(
        price=price,
        highest=high,
        rate=r,
        yield_rate=q,
        volatility=sigma,
        seconds=round(years * YEAR_S),
    )


@pytest.mark.parametrize(
    ("value", "published"),
    [
        (call(100, 120, 0.06, 0.10, 0.5), 25.3533),
        (call(100, 100, 0.00, 0.05, 1.0), 23.7884),
        (call(100, 100, 0.00, 0.05, 0.2), 10.7190),
        (call(100, 110, 0.00, 0.05, 0.2), 14.4597),
        (put(100, 100, 0.00, 0.10, 0.5), 15.3526),
        (put(110, 100, 0.00, 0.10, 0.5), 16.8468),
        (put(120, 100, 0.00, 0.10, 0.5), 21.0645),
    ],
)
def test_values_of_haug_and_of_broadie_glasserman_and_kou(value: float, published: float) -> None:
    assert value == pytest.approx(published, abs=1e-4)


def test_without_carry_there_is_a_value_where_quantlib_has_none() -> None:
    assert call(90, 100, 0.05, 0.05, 1) == pytest.approx(21.817075601551579, abs=1e-8)
    assert put(110, 100, 0.05, 0.05, 1) == pytest.approx(26.407720137984153, abs=1e-8)
    assert call(90, 100, 0.0, 0.0, 1) == lookback_call(price=100, lowest=90, spread=0.3)


@pytest.mark.parametrize("carry", [1e-4, 1e-6, 2e-9, 0.9e-9, -0.9e-9, -2e-9, -1e-6])
def test_the_value_does_not_leap_on_the_way_to_no_carry(carry: float) -> None:
    assert call(90, 100, 0.05, 0.05 + carry, 1) == pytest.approx(
        21.8170756 + 40.22 * carry, abs=0.01 * abs(carry) + 3e-7
    )


def test_a_minute_is_priced_as_a_minute() -> None:
    spread = 0.6 * math.sqrt(60 / YEAR_S)
    minute = floating_lookback_call(
        price=2_000, lowest=1_999, rate=0.05, yield_rate=0, volatility=0.6, seconds=60
    )
    # the interest of a minute on the price is 0.00019
    assert minute == pytest.approx(
        lookback_call(price=2_000, lowest=1_999, spread=spread), abs=3e-4
    )


def test_what_cannot_be_is_refused() -> None:
    for years, sigma, rate in (
        (0, 0.3, 0.1),
        (1, 0.0, 0.1),
        (1, math.nan, 0.1),
        (1, math.inf, 0.1),
        (1, 0.3, math.nan),
    ):
        with pytest.raises(ValueError, match="no option over"):
            call(90, 100, 0.0, rate, years, sigma)
        with pytest.raises(ValueError, match="no option over"):
            put(110, 100, 0.0, rate, years, sigma)
    with pytest.raises(ValueError, match="the lowest price 101"):
        call(101, 100, 0.0, 0.1, 1)
    with pytest.raises(ValueError, match="the highest price 99"):
        put(99, 100, 0.0, 0.1, 1)


def test_a_value_that_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match="QuantLib gives"):
        call(1, 100, 3.0, 0.0, 1, 0.01)
