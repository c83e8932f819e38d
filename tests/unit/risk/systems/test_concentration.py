"""Liquidity in few hands, or at few prices."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.risk.missing import Missing
from lpmanager.risk.systems.concentration import concentration_of_prices, herfindahl
from lpmanager.risk.systems.liquidity_bands import LiquidityBand


def band(lower: float, upper: float, liquidity: float) -> LiquidityBand:
    return LiquidityBand(lower=lower, upper=upper, liquidity=liquidity)


def test_equal_shares_have_the_index_of_their_number_and_one_alone_has_one() -> None:
    assert herfindahl([5, 5, 5, 5]) == pytest.approx(0.25)
    assert herfindahl([0, 7, 0]) == 1
    assert herfindahl([3, 1]) == pytest.approx((9 + 1) / 16)


@settings(max_examples=25)
@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=12), st.floats(0.1, 10))
def test_the_index_is_between_that_of_equals_and_one_and_knows_no_unit(
    amounts: list[float], unit: float
) -> None:
    found = herfindahl(amounts)
    assert isinstance(found, float)
    assert 1 / len(amounts) - 1e-12 <= found <= 1 + 1e-12
    assert herfindahl([each * unit for each in amounts]) == pytest.approx(found)


def test_of_nothing_there_is_no_concentration() -> None:
    assert isinstance(herfindahl([]), Missing)
    assert isinstance(herfindahl([0, 0]), Missing)


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_amounts_that_cannot_be_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="found"):
        herfindahl([1, wrong])


def test_liquidity_that_is_everywhere_is_not_concentrated() -> None:
    assert concentration_of_prices([band(-1, 1, 5)], 0.0, 0.5) == pytest.approx(1 / 20)
    split = [band(-1, 0.13, 5), band(0.13, 1, 5)]
    assert concentration_of_prices(split, 0.0, 0.5) == pytest.approx(1 / 20)


def test_liquidity_in_one_step_of_the_price_is_all_in_one_place() -> None:
    bands = [band(-1, 0, 0), band(0, 0.05, 9), band(0.05, 1, 0)]
    assert concentration_of_prices(bands, 0.0, 0.5) == pytest.approx(1)


def test_unknown_or_empty_liquidity_has_no_concentration() -> None:
    assert isinstance(concentration_of_prices([band(-0.4, 1, 5)], 0.0, 0.5), Missing)
    assert isinstance(concentration_of_prices([], 0.0, 0.5), Missing)
    assert isinstance(concentration_of_prices([band(-1, 1, 0)], 0.0, 0.5), Missing)


@pytest.mark.parametrize(("reach", "buckets"), [(0.0, 20), (math.nan, 20), (0.5, 0)])
def test_a_reach_that_cannot_be_is_refused(reach: float, buckets: int) -> None:
    with pytest.raises(ValueError, match="found"):
        concentration_of_prices([band(-1, 1, 5)], 0.0, reach, buckets)
