"""The way a bar's price is taken to have gone, and the recorded volume that this leaves over.

A bar goes to its open, to both extremes (the low first where it closed no lower than it opened, the
shorter way), and to its close: prices that it was at, so no liquidity in their way earned less. How
much that way took is weighed at the liquidity of the close, which is what the bar knows. Volume
beyond it is traded forth and back at the close. Where the way took more than a bar's volume, the
bars after it have so much less left over: all in all the pool earns what its volume says, or what
its way says where that is more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.packing import to_floats
from lpmanager.backtest.markets.market import Bars
from lpmanager.model.units import LOG_TICK

_PIPS = 1_000_000
_HALF_A_TICK = LOG_TICK / 2

Floats = NDArray[np.float64]


class BarWays(NamedTuple):
    """Columns, a row for each bar.

    `stops` has four ticks: the open, both extremes in the order they are visited, the close.
    `left0` and `left1` are raw units of volume, fee included, that the way does not explain.
    """

    stops: NDArray[np.int32]
    left0: Floats
    left1: Floats


def bar_ways(bars: Bars, fee_pips: int) -> BarWays:
    """The ways of all bars; the first begins at its own open."""
    stops = _stops(bars)
    # a row for each stop: whole columns are worked on at once
    roots = np.exp(np.ascontiguousarray(stops.T) * _HALF_A_TICK)
    begins = np.concatenate((roots[0, :1], roots[3, :-1]))
    way = np.concatenate((begins[None], roots))
    liquidity = to_floats(bars.liquidity)
    # per unit of liquidity, fee included, so that a thin bar does not weigh as much as a deep one
    kept = 1 - fee_pips / _PIPS
    down = np.maximum(np.diff(1 / way, axis=0), 0).sum(axis=0) / kept
    up = np.maximum(np.diff(way, axis=0), 0).sum(axis=0) / kept
    return BarWays(
        stops,
        _left_over(to_floats(bars.in0), down, liquidity),
        _left_over(to_floats(bars.in1), up, liquidity),
    )


def _stops(bars: Bars) -> NDArray[np.int32]:
    rising = bars.close >= bars.open
    first, second = np.where(rising, bars.low, bars.high), np.where(rising, bars.high, bars.low)
    return np.stack((bars.open, first, second, bars.close), axis=1)


def _left_over(volume: Floats, way: Floats, liquidity: Floats) -> Floats:
    """Volume that neither a bar's own way explains, nor what earlier ways took too much."""
    active = liquidity > 0
    paid = np.divide(volume, liquidity, out=np.zeros_like(volume), where=active)
    excess = np.where(active, way - paid, 0.0)
    total = np.concatenate(([0.0], np.cumsum(excess)))
    owed = total - np.minimum.accumulate(total)
    left: Floats = np.maximum(-(owed[:-1] + excess), 0.0) * liquidity
    return left
