"""The least a mint or a burn may bring while the price stays within a tolerance.

Each minimum is what a counterfactual pool gives, moved to an edge of the tolerated band: the
method of the v3-sdk's Position, without formulas of its own.
"""

from __future__ import annotations

from math import isqrt

from lpmanager.amm.full_math import div_up
from lpmanager.amm.liquidity import amounts_for_liquidity_down, liquidity_for_amounts_down
from lpmanager.amm.tick_math import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

#: Hundredths of a percent in one.
BPS = 10_000


def sqrt_price_bounds(
    sqrt_price_x96: SqrtPriceX96, slippage_bps: int
) -> tuple[SqrtPriceX96, SqrtPriceX96]:
    """The sqrt prices between which the price is within `slippage_bps` of now: (low, high).

    The tolerance is of the price, not of its root. Rounded outwards (low down, high up) by less
    than one unit of sqrtPriceX96, and kept inside what a swap accepts as a limit. Raises
    ValueError unless 0 <= slippage_bps < 10,000.
    """
    if not 0 <= slippage_bps < BPS:
        raise ValueError(f"slippage must be in [0, {BPS}) bps, found {slippage_bps}")
    square = sqrt_price_x96 * sqrt_price_x96
    low = isqrt(square * (BPS - slippage_bps) // BPS)
    high = _sqrt_up(div_up(square * (BPS + slippage_bps), BPS))
    return (
        SqrtPriceX96(max(low, MIN_SQRT_PRICE + 1)),
        SqrtPriceX96(min(high, MAX_SQRT_PRICE - 1)),
    )


def mint_minimums_down(
    sqrt_price_x96: SqrtPriceX96,
    tick_range: TickRange,
    amount0: int,
    amount1: int,
    slippage_bps: int,
) -> tuple[int, int]:
    """The least raw (token0, token1) that a mint offered these amounts takes inside the band.

    Warning: where the range is narrower than the band, both can be 0, and a price bound must
    guard the mint instead.
    """
    low, high = sqrt_price_bounds(sqrt_price_x96, slippage_bps)
    taken = [
        amounts_for_liquidity_down(
            price, tick_range, liquidity_for_amounts_down(price, tick_range, amount0, amount1)
        )
        for price in (low, sqrt_price_x96, high)
    ]
    return min(taken0 for taken0, _ in taken), min(taken1 for _, taken1 in taken)


def burn_minimums_down(
    sqrt_price_x96: SqrtPriceX96, tick_range: TickRange, liquidity: Liquidity, slippage_bps: int
) -> tuple[int, int]:
    """The least raw (token0, token1) that burning the liquidity pays inside the band.

    A higher price leaves less token0, a lower one less token1. The warning of
    `mint_minimums_down` holds here too.
    """
    low, high = sqrt_price_bounds(sqrt_price_x96, slippage_bps)
    least0, _ = amounts_for_liquidity_down(high, tick_range, liquidity)
    _, least1 = amounts_for_liquidity_down(low, tick_range, liquidity)
    return least0, least1


def _sqrt_up(square: int) -> int:
    root = isqrt(square)
    return root if root * root == square else root + 1
