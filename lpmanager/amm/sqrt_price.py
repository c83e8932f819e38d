"""How far amounts move a price, and what amounts a move of the price takes.

Formulas: SqrtPriceMath of v4-core. With S the sqrt price and L the liquidity,
token0 = L * (1/S_low - 1/S_high) and token1 = L * (S_high - S_low). Divisions by powers of two are
written as shifts, because every swap comes through here.
"""

from __future__ import annotations

from lpmanager.amm.full_math import Q256, div_up, mul_div_up
from lpmanager.model import Liquidity, SqrtPriceX96


def amount0_delta_down(a: SqrtPriceX96, b: SqrtPriceX96, liquidity: Liquidity) -> int:
    """Raw token0 between the prices `a` and `b`, in either order, rounded down."""
    if a > b:
        a, b = b, a
    return (liquidity << 96) * (b - a) // b // a


def amount0_delta_up(a: SqrtPriceX96, b: SqrtPriceX96, liquidity: Liquidity) -> int:
    """Raw token0 between the prices `a` and `b`, in either order, rounded up."""
    if a > b:
        a, b = b, a
    return -(-(liquidity << 96) * (b - a) // b // a)


def amount1_delta_down(a: SqrtPriceX96, b: SqrtPriceX96, liquidity: Liquidity) -> int:
    """Raw token1 between the prices `a` and `b`, in either order, rounded down."""
    return liquidity * abs(a - b) >> 96


def amount1_delta_up(a: SqrtPriceX96, b: SqrtPriceX96, liquidity: Liquidity) -> int:
    """Raw token1 between the prices `a` and `b`, in either order, rounded up."""
    return -(-liquidity * abs(a - b) >> 96)


def next_sqrt_price_from_input(
    sqrt_price_x96: SqrtPriceX96, liquidity: Liquidity, amount_in: int, zero_for_one: bool
) -> SqrtPriceX96:
    """The price after `amount_in` entered the pool, rounded so that the pool never loses."""
    if zero_for_one:
        return _after_amount0_in_up(sqrt_price_x96, liquidity, amount_in)
    return SqrtPriceX96(sqrt_price_x96 + (amount_in << 96) // liquidity)


def next_sqrt_price_from_output(
    sqrt_price_x96: SqrtPriceX96, liquidity: Liquidity, amount_out: int, zero_for_one: bool
) -> SqrtPriceX96:
    """The price after `amount_out` left the pool, rounded so that the pool never loses.

    Raises ValueError where the liquidity cannot give that much.
    """
    if zero_for_one:
        after = sqrt_price_x96 - div_up(amount_out << 96, liquidity)
        _require_reserves(after > 0, liquidity, amount_out)
        return SqrtPriceX96(after)
    reserve, taken = liquidity << 96, amount_out * sqrt_price_x96
    _require_reserves(taken < reserve, liquidity, amount_out)
    return SqrtPriceX96(mul_div_up(reserve, sqrt_price_x96, reserve - taken))


def _after_amount0_in_up(
    sqrt_price_x96: SqrtPriceX96, liquidity: Liquidity, amount_in: int
) -> SqrtPriceX96:
    if amount_in == 0:
        return sqrt_price_x96
    reserve, added = liquidity << 96, amount_in * sqrt_price_x96
    if reserve + added < Q256:
        return SqrtPriceX96(mul_div_up(reserve, sqrt_price_x96, reserve + added))
    # The contract's 256 bits overflow here, and it falls back to a coarser quotient.
    return SqrtPriceX96(div_up(reserve, reserve // sqrt_price_x96 + amount_in))


def _require_reserves(enough: bool, liquidity: Liquidity, amount_out: int) -> None:
    if not enough:
        raise ValueError(f"liquidity {liquidity} cannot pay out {amount_out} raw units")
