"""Where ranges are placed on the tick grid, and what fits into them."""

from __future__ import annotations

from lpmanager.amm import amounts_for_liquidity_up, liquidity_for_amounts_down
from lpmanager.errors import LpmError
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Amounts,
    Liquidity,
    PoolKey,
    Price,
    SqrtPriceX96,
    TickRange,
)
from lpmanager.model.tick import (
    ceil_to_spacing,
    floor_to_spacing,
    max_usable_tick,
    min_usable_tick,
)


class NoRoom(LpmError):
    """The price is so near to an end of the ticks that the range has no place there, as that of a
    drained pool is. `tick` is the price's, [`lowest`, `highest`) what it would have to be in."""

    def __init__(self, what: str, tick: int, lowest: int, highest: int) -> None:
        super().__init__(f"{what} has no place at tick {tick}: the price is at an end of the ticks")
        self.tick, self.lowest, self.highest = tick, lowest, highest


def centred(tick: int, half_width: int, spacing: int) -> TickRange:
    """A range around `tick`, at least `half_width` ticks to each side, kept on the grid."""
    return around(tick, half_width, half_width, spacing)


def around(tick: int, below: int, above: int, spacing: int) -> TickRange:
    """A range at least so many ticks below and above `tick`, kept on the grid.

    Raises NoRoom where the grid ends before `tick`, so that no range could hold it.
    """
    lowest, highest = min_usable_tick(spacing), max_usable_tick(spacing)
    if not lowest <= tick < highest:
        raise NoRoom("a range around the price", tick, lowest, highest)
    return TickRange(
        max(floor_to_spacing(tick - below, spacing), lowest),
        min(ceil_to_spacing(tick + above, spacing), highest),
    )


def above(tick: int, width: int, spacing: int) -> TickRange:
    """A range of `width` ticks that holds only token0: it sells token0 on the way up.

    Between it and the price's own step of the grid one step stays free, so that it can still be
    minted after the price has wiggled on until the transaction is mined. Cut at the last usable
    tick, as `below` is at the first; NoRoom where nothing is left of it.
    """
    highest = max_usable_tick(spacing)
    lower = floor_to_spacing(tick, spacing) + 2 * spacing
    if lower >= highest:
        raise NoRoom("an order above the price", tick, MIN_TICK, highest - 2 * spacing)
    return TickRange(lower, min(lower + ceil_to_spacing(width, spacing), highest))


def below(tick: int, width: int, spacing: int) -> TickRange:
    """A range of `width` ticks that holds only token1, as far away: it buys token0 on the way
    down."""
    lowest = min_usable_tick(spacing)
    upper = floor_to_spacing(tick, spacing) - spacing
    if upper <= lowest:
        raise NoRoom("an order below the price", tick, lowest + 2 * spacing, MAX_TICK)
    return TickRange(max(upper - ceil_to_spacing(width, spacing), lowest), upper)


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
