"""Between amounts of tokens and liquidity in a range."""

from __future__ import annotations

from lpmanager.amm.full_math import Q96, mul_div_down
from lpmanager.amm.sqrt_price import (
    amount0_delta_down,
    amount0_delta_up,
    amount1_delta_down,
    amount1_delta_up,
)
from lpmanager.amm.tick_math import sqrt_price_at_tick
from lpmanager.errors import LpmError
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

_UINT128_MAX = 2**128 - 1


class LiquidityOverflow(LpmError, ValueError):
    """Amounts would give more liquidity than the contract's uint128 holds; it reverts then."""


def liquidity_for_amounts_down(
    sqrt_price_x96: SqrtPriceX96, tick_range: TickRange, amount0: int, amount1: int
) -> Liquidity:
    """The liquidity a mint gets for at most these raw amounts, rounded down.

    Equal to what the position manager computes, including its early rounding of token0's factor.
    Raises LiquidityOverflow where either token alone would give more than uint128 holds: the
    contract reverts then, even where the other token is the scarce one. Formula: LiquidityAmounts
    of the periphery.
    """
    low, high = range_bounds(tick_range)
    price = _clamp(sqrt_price_x96, low, high)
    candidates = []
    if price < high:
        factor = mul_div_down(price, high, Q96)
        candidates.append(_fitting(mul_div_down(amount0, factor, high - price), tick_range))
    if price > low:
        candidates.append(_fitting(mul_div_down(amount1, Q96, price - low), tick_range))
    return min(candidates)


def amounts_for_liquidity_down(
    sqrt_price_x96: SqrtPriceX96, tick_range: TickRange, liquidity: Liquidity
) -> tuple[int, int]:
    """Raw (token0, token1) that burning the liquidity pays, rounded down."""
    return amounts_between_down(sqrt_price_x96, *range_bounds(tick_range), liquidity)


def amounts_for_liquidity_up(
    sqrt_price_x96: SqrtPriceX96, tick_range: TickRange, liquidity: Liquidity
) -> tuple[int, int]:
    """Raw (token0, token1) that minting the liquidity costs, rounded up."""
    low, high = range_bounds(tick_range)
    price = _clamp(sqrt_price_x96, low, high)
    return (
        amount0_delta_up(price, high, liquidity),
        amount1_delta_up(low, price, liquidity),
    )


def amounts_between_down(
    sqrt_price_x96: SqrtPriceX96, low: SqrtPriceX96, high: SqrtPriceX96, liquidity: Liquidity
) -> tuple[int, int]:
    """As `amounts_for_liquidity_down`, for bounds that need not be on ticks."""
    price = _clamp(sqrt_price_x96, low, high)
    return (
        amount0_delta_down(price, high, liquidity),
        amount1_delta_down(low, price, liquidity),
    )


def range_bounds(tick_range: TickRange) -> tuple[SqrtPriceX96, SqrtPriceX96]:
    """The sqrt prices at a range's edges, lower first."""
    return sqrt_price_at_tick(tick_range.lower), sqrt_price_at_tick(tick_range.upper)


def _clamp(price: SqrtPriceX96, low: SqrtPriceX96, high: SqrtPriceX96) -> SqrtPriceX96:
    return min(max(price, low), high)


def _fitting(liquidity: int, tick_range: TickRange) -> Liquidity:
    if liquidity > _UINT128_MAX:
        raise LiquidityOverflow(
            f"liquidity {liquidity} in {tick_range} does not fit uint128; offer less or a wider "
            "range"
        )
    return Liquidity(liquidity)
