"""The worked case: 10,000 of value at price 2000 in [1500, 2500].

The range is not on ticks, so the integer functions are given its real sqrt prices in Q96, and
tokens of 18 decimals: what is compared is the code that money goes through.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import isqrt

import pytest
from inventory_builders import WETH_USDC, token

from lpmanager.amm import amounts_between_down
from lpmanager.inventory import against_hodl, capacity_between, range_exposure
from lpmanager.model import Amounts, Liquidity, PoolKey, SqrtPriceX96

BASE, QUOTE = token("BASE", 18), token("QUOTE", 18)
QUOTE_IS_1 = replace(WETH_USDC, token0=BASE, token1=QUOTE)
QUOTE_IS_0 = replace(WETH_USDC, token0=QUOTE, token1=BASE)
L = 933.4553114807629
LIQUIDITY = Liquidity(933455311480762900000)

#: price, base held, quote held, value, HODL, IL in percent, gamma
TABLE = [
    (1200, 5.43260628, 0, 6519.127531, 8237.128740, -20.856797, 0),
    (1500, 5.43260628, 0, 8148.909414, 8898.205463, -8.420755, 0),
    (1800, 3.33264646, 3450.586083, 9449.349711, 9559.282185, -1.150008, -0.006111598),
    (2000, 2.20358907, 5592.821851, 10000, 10000, 0, -0.0052181738),
    (2200, 1.23222788, 7630.366283, 10341.267618, 10440.717815, -0.952523, -0.0045230305),
    (2500, 0, 10520.196816, 10520.196816, 11101.794537, -5.238772, 0),
    (3000, 0, 10520.196816, 10520.196816, 12203.589075, -13.794239, 0),
]  # fmt: skip


def sqrt_x96(pool: PoolKey, price: int) -> SqrtPriceX96:
    ratio = Fraction(price) if pool == QUOTE_IS_1 else Fraction(1, price)
    return SqrtPriceX96(isqrt(int(ratio * 2**192)))


def edges(pool: PoolKey) -> tuple[SqrtPriceX96, SqrtPriceX96]:
    low, high = sorted((sqrt_x96(pool, 1500), sqrt_x96(pool, 2500)))
    return low, high


def held_at(pool: PoolKey, price: int) -> Amounts:
    return pool.amounts(*amounts_between_down(sqrt_x96(pool, price), *edges(pool), LIQUIDITY))


def base_and_quote(pool: PoolKey, amounts: Amounts) -> tuple[float, float]:
    both = amounts.amount0.raw / 1e18, amounts.amount1.raw / 1e18
    return both if pool == QUOTE_IS_1 else both[::-1]


both_orders = pytest.mark.parametrize(
    "pool", [QUOTE_IS_1, QUOTE_IS_0], ids=["quote-is-token1", "quote-is-token0"]
)


@both_orders
@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"at-{row[0]}")
def test_amounts_value_and_impermanent_loss_follow_the_table(
    pool: PoolKey, row: tuple[float, ...]
) -> None:
    price, base, quote, value, hodl, loss_percent, _ = row
    held = held_at(pool, int(price))
    assert base_and_quote(pool, held) == pytest.approx((base, quote), rel=1e-8, abs=1e-15)
    at = pool.price(QUOTE, sqrt_x96(pool, int(price)))
    put_in = held_at(pool, 2000)
    assert float(at.value(held)) / 1e18 == pytest.approx(value, rel=1e-9)
    assert float(at.value(put_in)) / 1e18 == pytest.approx(hodl, rel=1e-9)
    loss = against_hodl(at, held, put_in)
    assert loss.share is not None
    assert float(loss.share) * 100 == pytest.approx(loss_percent, abs=1e-6)
    assert loss.value == at.value(held) - at.value(put_in)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"at-{row[0]}")
def test_delta_is_the_base_held_and_gamma_follows_the_table(row: tuple[float, ...]) -> None:
    price, base, *_, gamma = row
    found = range_exposure(
        liquidity=L, sqrt_price=price**0.5, sqrt_lower=1500**0.5, sqrt_upper=2500**0.5
    )
    assert found.delta == pytest.approx(base, rel=1e-8, abs=1e-12)
    assert found.gamma == pytest.approx(gamma, rel=1e-7)


@both_orders
def test_at_2000_the_position_can_sell_its_base_and_buy_with_its_quote(pool: PoolKey) -> None:
    left = capacity_between(pool, QUOTE, sqrt_x96(pool, 2000), *edges(pool), LIQUIDITY)
    assert left.base_left.token == left.quote_buys.token == BASE
    assert left.base_left.raw / 1e18 == pytest.approx(2.20358907, rel=1e-8)
    assert left.base_sells_for.raw / 1e18 == pytest.approx(4927.374965, rel=1e-9)
    assert left.quote_left.raw / 1e18 == pytest.approx(5592.821851, rel=1e-9)
    assert left.quote_buys.raw / 1e18 == pytest.approx(3.22901721, rel=1e-8)
    assert left.base_used is not None
    assert left.quote_used is not None
    assert float(left.base_used) == pytest.approx(3.22901721 / 5.43260628, rel=1e-8)
    assert float(left.quote_used) == pytest.approx(4927.374965 / 10520.196816, rel=1e-8)


@both_orders
def test_beyond_an_edge_one_side_is_used_up_and_the_other_untouched(pool: PoolKey) -> None:
    left = capacity_between(pool, QUOTE, sqrt_x96(pool, 3000), *edges(pool), LIQUIDITY)
    assert (left.base_left.raw, left.base_used) == (0, 1)
    assert (left.base_sells_for.raw, left.quote_used) == (0, 0)


def test_no_liquidity_has_no_used_share() -> None:
    left = capacity_between(
        QUOTE_IS_1, QUOTE, sqrt_x96(QUOTE_IS_1, 2000), *edges(QUOTE_IS_1), Liquidity(0)
    )
    assert (left.base_used, left.quote_used) == (None, None)


@pytest.mark.parametrize(
    ("ratio", "percent"),
    [("0.25", -20), ("0.5", -5.719096), ("0.75", -1.02567), ("0.8", -0.6192), ("1.1", -0.11344),
     ("1.25", -0.6192), ("1.5", -2.02041), (2, -5.719096), (3, -13.397460), (4, -20),
     (5, -25.464)],
)  # fmt: skip
def test_a_full_range_position_loses_as_a_constant_product_pool(
    ratio: str | int, percent: float
) -> None:
    low, high = SqrtPriceX96(2**96 // 10**9), SqrtPriceX96(2**96 * 10**9)
    start, end = (SqrtPriceX96(isqrt(int(Fraction(r) * 2**192))) for r in (1, ratio))
    put_in, held = (
        QUOTE_IS_1.amounts(*amounts_between_down(price, low, high, LIQUIDITY))
        for price in (start, end)
    )
    loss = against_hodl(QUOTE_IS_1.price(QUOTE, end), held, put_in)
    assert loss.share is not None
    assert float(loss.share) * 100 == pytest.approx(percent, abs=6e-4)
