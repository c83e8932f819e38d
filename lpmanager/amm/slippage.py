"""The least a mint or a burn may bring while the price stays within a tolerance.

Each minimum is what a counterfactual pool gives, moved to an edge of the tolerated band: the
method of the v3-sdk's Position, without formulas of its own.
"""

from __future__ import annotations

from math import isqrt

from lpmanager.amm.full_math import Q96, div_up
from lpmanager.amm.liquidity import (
    amounts_for_liquidity_down,
    liquidity_for_amounts_down,
    range_bounds,
)
from lpmanager.amm.tick_math import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

#: Hundredths of a percent in one.
BPS = 10_000


def sqrt_price_bounds(
    sqrt_price_x96: SqrtPriceX96, slippage_bps: int
) -> tuple[SqrtPriceX96, SqrtPriceX96]:
    """The sqrt prices between which the price is within `slippage_bps` of now: (low, high).

    The tolerance is of the price, not of its root. Both are rounded down by less than one unit of
    sqrtPriceX96, so that high is the last price inside the tolerance, as in the v3-sdk; and kept
    inside what a swap accepts as a limit. Raises ValueError unless 0 <= slippage_bps < 10,000.
    """
    if not 0 <= slippage_bps < BPS:
        raise ValueError(f"slippage must be in [0, {BPS}) bps, found {slippage_bps}")
    square = sqrt_price_x96 * sqrt_price_x96
    low = isqrt(square * (BPS - slippage_bps) // BPS)
    high = isqrt(square * (BPS + slippage_bps) // BPS)
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

    Wherever the price is in the band when the mint is mined, it takes at least that. The position
    manager works out the liquidity anew at that price, from the amounts offered, and so do the
    counterfactual pools here; the v3-sdk keeps the liquidity of today's price, and its minimums
    refuse mints well inside the band. Rounded down. Raises ValueError where a mint at an edge of
    the band would overflow uint128.

    Warning: where the range is narrower than the band, both can be 0, and a price bound must
    guard the mint instead.
    """
    low, high = (
        _clamped(price, tick_range) for price in sqrt_price_bounds(sqrt_price_x96, slippage_bps)
    )
    least0, _ = _taken_down(high, tick_range, amount0, amount1)
    _, least1 = _taken_down(low, tick_range, amount0, amount1)
    if low == high:
        return least0, least1
    # Where this token is the scarce one it is taken but for the manager's rounding, of liquidity
    # to whole units (and of token0's factor), which differs from price to price in the band.
    edge_low, edge_high = range_bounds(tick_range)
    dust0 = div_up((amount0 + edge_high - low) * Q96, low * edge_high)
    dust1 = div_up(high - edge_low, Q96)
    return max(min(least0, amount0 - dust0), 0), max(min(least1, amount1 - dust1), 0)


def burn_minimums_down(
    sqrt_price_x96: SqrtPriceX96, tick_range: TickRange, liquidity: Liquidity, slippage_bps: int
) -> tuple[int, int]:
    """The least raw (token0, token1) that burning the liquidity pays inside the band.

    A higher price leaves less token0, a lower one less token1. Rounded down as the burn is, and
    equal to the v3-sdk's. The warning of `mint_minimums_down` holds here too.
    """
    low, high = sqrt_price_bounds(sqrt_price_x96, slippage_bps)
    least0, _ = amounts_for_liquidity_down(high, tick_range, liquidity)
    _, least1 = amounts_for_liquidity_down(low, tick_range, liquidity)
    return least0, least1


def _taken_down(
    sqrt_price_x96: SqrtPriceX96, tick_range: TickRange, amount0: int, amount1: int
) -> tuple[int, int]:
    liquidity = liquidity_for_amounts_down(sqrt_price_x96, tick_range, amount0, amount1)
    return amounts_for_liquidity_down(sqrt_price_x96, tick_range, liquidity)


def _clamped(sqrt_price_x96: SqrtPriceX96, tick_range: TickRange) -> SqrtPriceX96:
    low, high = range_bounds(tick_range)
    return min(max(sqrt_price_x96, low), high)
