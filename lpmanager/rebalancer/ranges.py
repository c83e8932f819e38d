"""Where ranges are placed on the tick grid, and what fits into them."""

from __future__ import annotations

from lpmanager.amm import amounts_for_liquidity_up, liquidity_for_amounts_down
from lpmanager.model import Amounts, Liquidity, PoolKey, Price, SqrtPriceX96, TickRange
from lpmanager.model.tick import (
    ceil_to_spacing,
    floor_to_spacing,
    max_usable_tick,
    min_usable_tick,
)


def centred(tick: int, half_width: int, spacing: int) -> TickRange:
    """A range around `tick`, at least `half_width` ticks to each side, kept on the grid."""
    return around(tick, half_width, half_width, spacing)


def around(tick: int, below: int, above: int, spacing: int) -> TickRange:
    """A range at least so many ticks below and above `tick`, kept on the grid."""
    return TickRange(
        max(floor_to_spacing(tick - below, spacing), min_usable_tick(spacing)),
        min(ceil_to_spacing(tick + above, spacing), max_usable_tick(spacing)),
    )


def above(tick: int, width: int, spacing: int) -> TickRange:
    """A range of `width` ticks that holds only token0: it sells token0 on the way up.

    Between it and the price's own step of the grid one step stays free, so that it can still be
    minted after the price has wiggled on until the transaction is mined. Cut at the last usable
    tick, as `below` is.
    """
    lower = floor_to_spacing(tick, spacing) + 2 * spacing
    return TickRange(lower, min(lower + ceil_to_spacing(width, spacing), max_usable_tick(spacing)))


def below(tick: int, width: int, spacing: int) -> TickRange:
    """A range of `width` ticks that holds only token1, as far away: it buys token0 on the way
    down."""
    upper = floor_to_spacing(tick, spacing) - spacing
    return TickRange(max(upper - ceil_to_spacing(width, spacing), min_usable_tick(spacing)), upper)


def fill_down(
    pool: PoolKey, sqrt_price_x96: SqrtPriceX96, tick_range: TickRange, offered: Amounts
) -> tuple[Liquidity, Amounts]:
    """The liquidity that `offered` buys in the range, rounded down, and what it takes of it."""
    liquidity = liquidity_for_amounts_down(sqrt_price_x96, tick_range, *offered.raw)
    used = amounts_for_liquidity_up(sqrt_price_x96, tick_range, liquidity)
    return liquidity, pool.amounts(*used)


def order_beside(
    pool: PoolKey, tick: int, width: int, left_over: Amounts, price: Price
) -> TickRange:
    """The one-sided range that puts the more valuable of the left-over tokens to work."""
    value0, value1 = price.value_of(left_over.amount0), price.value_of(left_over.amount1)
    side = above if value0 >= value1 else below
    return side(tick, width, pool.tick_spacing)
