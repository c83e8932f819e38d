"""What a mint is held to at the price of its block, as the position manager holds it."""

from __future__ import annotations

import pytest
from builders import a_range, amounts, price_at
from hypothesis import given
from hypothesis import strategies as st

from lpmanager.amm import (
    amounts_for_liquidity_up,
    liquidity_for_amounts_down,
    mint_minimums_down,
    sqrt_price_bounds,
)
from lpmanager.execution.plan_terms import overtaken_mint
from lpmanager.model import Collect, Mint, SqrtPriceX96

_PRICE = price_at(199_000)
_BAND_BPS = 50
_LOW, _HIGH = sqrt_price_bounds(_PRICE, _BAND_BPS)


def a_mint(text: str, raw0: int, raw1: int, minimum: tuple[int, int]) -> Mint:
    return Mint(range=a_range(text), desired=amounts(raw0, raw1), minimum=amounts(*minimum))


@given(
    price=st.integers(_LOW, _HIGH).map(SqrtPriceX96),
    raw0=st.integers(10**6, 10**15),
    raw1=st.integers(10**15, 10**24),
)
def test_no_price_of_the_band_overtakes_a_mint_whose_minimums_are_of_that_band(
    price: SqrtPriceX96, raw0: int, raw1: int
) -> None:
    minimum = mint_minimums_down(_PRICE, a_range("[198000, 200000)"), raw0, raw1, _BAND_BPS)
    assert overtaken_mint(a_mint("[198000, 200000)", raw0, raw1, minimum), price) is None


@pytest.mark.parametrize(
    ("text", "raw0", "raw1", "still", "crossed"),
    [
        ("[199010, 199310)", 10**9, 0, 199_010, 199_011),
        ("[198690, 198990)", 0, 10**18, 198_990, 198_989),
    ],
)
def test_a_price_inside_a_range_for_one_token_overtakes_its_mint(
    text: str, raw0: int, raw1: int, still: int, crossed: int
) -> None:
    mint = a_mint(text, raw0, raw1, (0, 0))
    assert overtaken_mint(mint, price_at(still)) is None
    assert "it would take 0.000000 USDC + 0." in str(overtaken_mint(mint, price_at(crossed)))


@pytest.mark.parametrize(("more0", "more1"), [(1, 0), (0, 1)])
def test_a_mint_is_overtaken_by_one_unit_that_it_would_take_too_little(
    more0: int, more1: int
) -> None:
    text, wanted = "[198000, 200000)", (10**9, 10**18)
    liquidity = liquidity_for_amounts_down(_PRICE, a_range(text), *wanted)
    taken0, taken1 = amounts_for_liquidity_up(_PRICE, a_range(text), liquidity)
    assert overtaken_mint(a_mint(text, *wanted, (taken0, taken1)), _PRICE) is None
    assert overtaken_mint(a_mint(text, *wanted, (taken0 + more0, taken1 + more1)), _PRICE)


def test_more_liquidity_than_the_contract_can_hold_is_told() -> None:
    mint = a_mint("[198000, 200000)", 2**127, 2**127, (0, 0))
    assert "uint128" in str(overtaken_mint(mint, _PRICE))


def test_the_price_overtakes_nothing_but_a_mint() -> None:
    assert overtaken_mint(Collect(token_id=1, expected=amounts(0, 0)), _PRICE) is None
