"""Amounts, prices and grids: what holds for every number."""

from __future__ import annotations

from fractions import Fraction

from builders import USDC, WETH, a_token, amounts
from hypothesis import given
from hypothesis import strategies as st

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.model import Amount, SqrtPriceX96, amount_from_text_down, valuation_price
from lpmanager.model.tick import ceil_to_spacing, floor_to_spacing
from lpmanager.model.token import UINT256_MAX, decimal_text

raws = st.integers(-UINT256_MAX, UINT256_MAX)
sqrt_prices = st.integers(MIN_SQRT_PRICE, MAX_SQRT_PRICE - 1).map(SqrtPriceX96)


@given(raw=raws, decimals=st.integers(0, 77))
def test_an_amount_survives_being_written_and_read(raw: int, decimals: int) -> None:
    token = a_token(decimals=decimals)
    amount = Amount(token, raw)
    text = f"{amount.to_decimal():f}"
    assert amount_from_text_down(token, text) == amount
    assert Fraction(text) == Fraction(raw, 10**decimals)


@given(numerator=st.integers(), twos=st.integers(0, 60), fives=st.integers(0, 60))
def test_a_decimal_text_is_the_fraction_itself(numerator: int, twos: int, fives: int) -> None:
    value = Fraction(numerator, 2**twos * 5**fives)
    assert Fraction(decimal_text(value)) == value


@given(raw0=raws, raw1=raws, price=sqrt_prices, quote=st.sampled_from([USDC, WETH]))
def test_value_is_additive_and_ends(raw0: int, raw1: int, price: SqrtPriceX96, quote) -> None:
    valued = valuation_price(USDC, WETH, quote, price)
    whole = valued.value(amounts(raw0, raw1))
    assert whole == valued.value(amounts(raw0, 0)) + valued.value(amounts(0, raw1))
    assert Fraction(decimal_text(whole)) == whole


@given(price=sqrt_prices)
def test_both_quotes_agree_to_thirty_digits(price: SqrtPriceX96) -> None:
    there = valuation_price(USDC, WETH, WETH, price).ratio
    back = valuation_price(USDC, WETH, USDC, price).ratio
    assert 0 <= 1 - there * back < Fraction(3, 10**29)


@given(tick=st.integers(-(10**6), 10**6), spacing=st.integers(1, 200))
def test_the_grid_encloses_every_tick_by_less_than_a_spacing(tick: int, spacing: int) -> None:
    below, above = floor_to_spacing(tick, spacing), ceil_to_spacing(tick, spacing)
    assert below <= tick <= above
    assert below % spacing == above % spacing == 0
    assert above - below in (0, spacing)
