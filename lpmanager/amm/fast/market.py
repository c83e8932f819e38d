"""A pool as the compiled loop works on it: taken from a Pool, and given back."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.packing import Rows, from_limbs, to_limbs
from lpmanager.amm.fast.prices import KeptPrices, none_kept
from lpmanager.amm.full_math import Q256
from lpmanager.amm.pool import Pool
from lpmanager.amm.tick_info import Accumulators, TickInfo, crossed
from lpmanager.model import Liquidity, SqrtPriceX96
from lpmanager.model.tick import ceil_to_spacing

#: Rows of `Market.sums`; fee growth and the owner's fees have one for each token.
PRICE, LIQUIDITY, GROWTH, PROTOCOL_FEES = 0, 1, 2, 4
#: Places in `Market.place`.
TICK, BELOW, MOVED = 0, 1, 2

Ticks = NDArray[np.int64]


class Market(NamedTuple):
    """A pool in arrays.

    `place` holds the tick, the index of the last initialized tick at or below it (-1 for none), and
    whether any swap has moved the tick. Of each initialized tick, in rising order: itself, its net
    liquidity, its price once that was needed, the fee growth of each token outside it as if that
    had been 0 before the first crossing, and how often it was crossed. `kept` are prices of any
    ticks.
    """

    fee_pips: int
    tick_spacing: int
    fee_protocol: int
    known_lower: int
    known_upper: int
    below_known: int
    above_known: int
    sums: Rows
    place: Ticks
    ticks: Ticks
    nets: Rows
    prices: Rows
    flips: Rows
    crossings: Ticks
    kept: KeptPrices


def market_of(pool: Pool) -> Market:
    """The pool as it is now."""
    order = pool._ticks.order
    infos, count = pool.ticks, len(order)
    sums = (
        pool.sqrt_price_x96,
        pool.liquidity,
        pool.fee_growth_global0_x128,
        pool.fee_growth_global1_x128,
        pool.protocol_fees0,
        pool.protocol_fees1,
    )
    known, spacing = pool.known, pool.tick_spacing
    return Market(
        pool.fee_pips,
        spacing,
        pool.fee_protocol,
        known.lower,
        known.upper,
        ceil_to_spacing(known.lower, spacing) - spacing,
        ceil_to_spacing(known.upper, spacing),
        to_limbs(sums, 4),
        np.array([pool.tick, bisect_right(order, pool.tick) - 1, False], dtype=np.int64),
        np.array(order, dtype=np.int64),
        to_limbs([infos[tick].liquidity_net for tick in order], 2, signed=True),
        np.zeros((count, 3), np.uint64),
        np.zeros((2 * count, 4), np.uint64),
        np.zeros(count, np.int64),
        none_kept(),
    )


def give_back(market: Market, pool: Pool) -> None:
    """Leave the pool that `market_of` was given as the loop has left the market.

    All swaps were in the pool's present block, so one observation stands for all of them, and
    every crossing has seen the same sums of the oracle.
    """
    crossed_places = np.flatnonzero(market.crossings).tolist()
    if crossed_places:
        now = pool._accumulators()
        flips = from_limbs(market.flips)
        for at in crossed_places:
            tick = int(market.ticks[at])
            after = now._replace(
                fee_growth_global0_x128=flips[2 * at], fee_growth_global1_x128=flips[2 * at + 1]
            )
            info = _after(pool.ticks[tick], int(market.crossings[at]), after)
            pool._ticks.set(tick, info)
    if market.place[MOVED]:
        pool._oracle.write(pool._present())
    price, liquidity, growth0, growth1, fees0, fees1 = from_limbs(market.sums)
    pool.sqrt_price_x96, pool.liquidity = SqrtPriceX96(price), Liquidity(liquidity)
    pool.fee_growth_global0_x128, pool.fee_growth_global1_x128 = growth0, growth1
    pool.protocol_fees0, pool.protocol_fees1 = fees0, fees1
    pool.tick = int(market.place[TICK])


def _after(info: TickInfo, crossings: int, flips: Accumulators) -> TickInfo:
    """A tick after that many crossings; `flips` hold the growth outside it had that been 0."""
    if crossings % 2:
        return crossed(info, flips)
    # The oracle's sums were turned round an even number of times.
    return info._replace(
        fee_growth_outside0_x128=(flips.fee_growth_global0_x128 + info.fee_growth_outside0_x128)
        % Q256,
        fee_growth_outside1_x128=(flips.fee_growth_global1_x128 + info.fee_growth_outside1_x128)
        % Q256,
    )
