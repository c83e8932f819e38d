"""Bars out of single events: what one-minute files hold, for any step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.packing import Rows
from lpmanager.backtest.markets.market import SWAP, Bars, Events, Market, Ticks
from lpmanager.errors import MarketDataError

_32 = np.uint64(32)
_LOW_HALF = np.uint64(2**32 - 1)
_63 = np.uint64(63)

_Places = NDArray[np.int64]


def in_bars(market: Market, step_s: int) -> Market:
    """A market of events in bars of `step_s` seconds, from its first event's bar to its last's.

    The open is the tick after a bar's first swap, the close after its last; a bar without swap
    carries the close on. The pool's `start` is kept where no event changes its ticks. Raises
    MarketDataError where there is no swap, ValueError for a market that is in bars already.
    """
    if not isinstance(market.rows, Events):
        raise ValueError(f"{market.name} is in bars already")
    events = market.rows
    if step_s < 1:
        raise ValueError(f"a bar takes at least 1 second, found {step_s}")
    if not (events.kind == SWAP).any():
        raise MarketDataError(f"{market.name}: no SWAP, so there is no price to make bars of")
    return replace(
        market,
        rows=_bars(events, step_s),
        start=None if events.changes else market.start,
        notes=(*market.notes, f"{len(events):,} events made into bars of {step_s:,} seconds."),
    )


def _bars(events: Events, step_s: int) -> Bars:
    numbers = events.time // step_s
    grid = np.arange(numbers[0], numbers[-1] + 1)
    swaps = np.flatnonzero(events.kind == SWAP)
    bar = numbers[swaps] - numbers[0]
    first = np.flatnonzero(np.diff(bar, prepend=-1))
    last = np.append(first[1:], len(swaps)) - 1
    traded, tick = bar[first], events.tick[swaps]
    close = _carried_on(len(grid), traded, tick[last], int(events.tick[0]))
    return Bars(
        time=grid * step_s,
        open=_where_traded(close, traded, tick[first]),
        low=_where_traded(close, traded, np.minimum.reduceat(tick, first)),
        high=_where_traded(close, traded, np.maximum.reduceat(tick, first)),
        close=close,
        in0=_paid_in(len(grid), traded, events.amount0[swaps], first),
        in1=_paid_in(len(grid), traded, events.amount1[swaps], first),
        liquidity=events.liquidity[np.searchsorted(numbers, grid, side="right") - 1],
        step_s=step_s,
    )


def _carried_on(bars: int, traded: _Places, close: Ticks, before: int) -> Ticks:
    """The close of each bar, or of the last one before that traded."""
    known = np.concatenate(([before], close)).astype(np.int32)
    return known[np.searchsorted(traded, np.arange(bars), side="right")]


def _where_traded(close: Ticks, traded: _Places, ticks: Ticks) -> Ticks:
    column = close.copy()
    column[traded] = ticks
    return column


def _paid_in(bars: int, traded: _Places, amounts: Rows, first: _Places) -> Rows:
    """Sums of the positive amounts of each bar, exact; below 2**128."""
    paid = np.where((amounts[:, 1] >> _63 == 0)[:, None], amounts, np.uint64(0))
    halves = np.stack((paid & _LOW_HALF, paid >> _32), axis=2).reshape(len(paid), 4)
    sums = np.add.reduceat(halves, first, axis=0)
    for half in range(3):
        sums[:, half + 1] += sums[:, half] >> _32
        sums[:, half] &= _LOW_HALF
    column = np.zeros((bars, 2), np.uint64)
    column[traded] = sums[:, ::2] | sums[:, 1::2] << _32
    return column
