"""A pair declared the wrong way round, or with wrong decimals, is found out by its price."""

from __future__ import annotations

import pytest
from builders import USDC, WETH, a_pool, a_token

from lpmanager.backtest.markets.plausibility import check_price
from lpmanager.errors import MarketDataError
from lpmanager.model import PoolKey, Token

USDT, WBTC, WMATIC = a_token("USDT", 6, 3), a_token("WBTC", 8, 4), a_token("WMATIC", 18, 5)
UNHEARD_OF = a_token("XYZ", 18, 9)

USDC_WETH_TICK = 199_045  # 2,267 dollars
WBTC_WETH_TICK = 257_000  # 14.6 ether
WMATIC_WETH_TICK = -80_000  # 0.00034 ether
WMATIC_USDC_TICK = -276_000  # 1.03 dollars


def refusal_of(pool: PoolKey, tick: int) -> str:
    with pytest.raises(MarketDataError) as raised:
        check_price(pool, tick)
    return str(raised.value)


@pytest.mark.parametrize(
    ("token0", "token1", "tick"),
    [
        (USDC, WETH, USDC_WETH_TICK),
        (WETH, USDC, -USDC_WETH_TICK),
        (WBTC, WETH, WBTC_WETH_TICK),
        (WMATIC, WETH, WMATIC_WETH_TICK),
        (WMATIC, USDC, WMATIC_USDC_TICK),
        (USDC, USDT, 3),
        (a_token("usdc.e", 6), a_token("weth", 18), USDC_WETH_TICK),
    ],
)
def test_real_prices_are_plausible(token0: Token, token1: Token, tick: int) -> None:
    assert check_price(a_pool(token0, token1), tick) is None


@pytest.mark.parametrize(
    ("token0", "token1", "tick"),
    [
        (WETH, USDC, USDC_WETH_TICK),
        (USDC, WETH, -USDC_WETH_TICK),
        (WETH, WBTC, WBTC_WETH_TICK),
        (WETH, WMATIC, WMATIC_WETH_TICK),
        (USDC, WMATIC, WMATIC_USDC_TICK),
    ],
)
def test_tokens_the_wrong_way_round_are_named(token0: Token, token1: Token, tick: int) -> None:
    told = refusal_of(a_pool(token0, token1), tick)
    assert f"with the tokens the other way round ({token1.symbol} as token0)" in told


def test_both_prices_are_told() -> None:
    told = refusal_of(a_pool(WETH, USDC), USDC_WETH_TICK)
    assert told == (
        "WETH/USDC 0.05%: tick 199045 is 4.41e+20 USDC per WETH, which is not plausible; with the "
        "tokens the other way round (USDC as token0) it is 2,269.96 USDC per WETH: declare the "
        "pool so, or give its own file"
    )


@pytest.mark.parametrize(
    ("token0", "token1", "tick", "remedy"),
    [
        (a_token("USDC", 18), WETH, USDC_WETH_TICK, "with 6 decimals of USDC, not 18,"),
        (USDC, a_token("WETH", 6), USDC_WETH_TICK, "with 18 decimals of WETH, not 6,"),
        (a_token("WBTC", 18), WETH, WBTC_WETH_TICK, "with 8 decimals of WBTC, not 18,"),
        (a_token("USDC", 18), a_token("WETH", 6), USDC_WETH_TICK, "6 decimals of USDC and 18 of"),
        (WETH, a_token("USDC", 18), USDC_WETH_TICK, "the other way round and 18 decimals of WETH"),
    ],
)
def test_wrong_decimals_are_named(token0: Token, token1: Token, tick: int, remedy: str) -> None:
    assert remedy in refusal_of(a_pool(token0, token1), tick)


def test_an_unheard_of_token_is_not_judged_and_that_is_said() -> None:
    note = check_price(a_pool(USDC, UNHEARD_OF), 0)
    assert note is not None
    assert "were not checked" in note
    assert "XYZ" in note
    assert "USDC" not in note


def test_a_price_that_nothing_explains_is_left_to_the_reader() -> None:
    note = check_price(a_pool(USDC, USDT), 30_000)
    assert note == (
        "Check the file: tick 30000 is 20.0825 USDT per USDC, which no usual order and decimals "
        "of the tokens explain."
    )
