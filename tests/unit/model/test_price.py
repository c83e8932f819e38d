"""The price that values what is held: exact, cut to digits that end, either way round."""

from __future__ import annotations

from fractions import Fraction

import pytest
from builders import USDC, WETH, a_pool, a_snapshot, a_token, amounts, price_at

from lpmanager.model import Amount, Price, SqrtPriceX96, valuation_price
from lpmanager.model.price import PRICE_DIGITS, Q96, spot_ratio
from lpmanager.model.token import decimal_text

#: 4 raw WETH for one raw USDC
TWICE = SqrtPriceX96(2 * Q96)


def test_with_token1_as_quote_the_price_is_of_token0() -> None:
    price = valuation_price(USDC, WETH, WETH, TWICE)
    assert (price.base, price.quote, price.ratio) == (USDC, WETH, 4)
    assert price.value(amounts(10, 3)) == 43


def test_with_token0_as_quote_the_price_is_of_token1() -> None:
    price = valuation_price(USDC, WETH, USDC, TWICE)
    assert (price.base, price.quote, price.ratio) == (WETH, USDC, Fraction(1, 4))
    assert price.value(amounts(10, 4)) == 11


def test_a_whole_token_costs_what_people_say() -> None:
    price = valuation_price(USDC, WETH, USDC, SqrtPriceX96(Q96 * 10**6))
    assert price.ratio == Fraction(1, 10**12)
    assert price.per_whole == 1


def test_a_price_has_thirty_digits_rounded_down_and_is_a_decimal_that_ends() -> None:
    for tick in (-700_001, -1, 1, 199_999, 700_001):
        exact = spot_ratio(price_at(tick))
        cut = valuation_price(USDC, WETH, WETH, price_at(tick)).ratio
        assert cut <= exact
        assert exact - cut < exact / 10 ** (PRICE_DIGITS - 1)
        assert decimal_text(cut)


def test_a_snapshot_values_in_the_campaigns_quote_token() -> None:
    assert a_snapshot(quote=WETH).price.quote == WETH
    assert a_snapshot(quote=USDC).price.base == WETH


def test_nothing_values_a_token_outside_the_pair() -> None:
    price = valuation_price(USDC, WETH, USDC, TWICE)
    other = a_token("DAI", 18, number=9)
    with pytest.raises(ValueError, match="no price of DAI"):
        price.value_of(Amount(other, 1))
    with pytest.raises(ValueError, match="neither USDC nor WETH"):
        valuation_price(USDC, WETH, other, TWICE)


def test_a_pool_without_a_price_values_nothing() -> None:
    with pytest.raises(ValueError, match="not initialized"):
        a_pool().price(USDC, SqrtPriceX96(0))
    with pytest.raises(ValueError, match="positive"):
        Price(base=USDC, quote=WETH, ratio=Fraction(0))
