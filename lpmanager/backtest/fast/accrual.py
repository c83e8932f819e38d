"""What open positions earn over many rows, in compiled code.

Between two neighbouring edges of our ranges, a *cell*, the same positions are active, and a row
that stays inside pays each unit of their liquidity the same. Such rows are only added up; a row
that touches an edge is walked through (`lpmanager.backtest.fast.walk`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.jit import compiled, compiled_once, inlined, spliced
from lpmanager.backtest.fast import columns
from lpmanager.backtest.fast.columns import (
    CHURN0,
    CHURN1,
    CLOSE,
    DOWN,
    HIGH,
    LOSS,
    LOW,
    UP,
    FastRows,
)
from lpmanager.backtest.fast.positions import (
    FEES0,
    FEES1,
    LIQUIDITY,
    LOST,
    LOWER,
    SECONDS,
    UPPER,
    Earned,
    Held,
)
from lpmanager.backtest.fast.prices import sqrt_price
from lpmanager.backtest.fast.walk import walk_row
from lpmanager.backtest.markets.market import Times
from lpmanager.backtest.report.run import Numbers
from lpmanager.model import MAX_TICK, MIN_TICK

#: Later than any row.
NEVER = 2**62


class Until(NamedTuple):
    """When to stop: before row `last`; behind the first row at or after `time`; or behind one at or
    after `outside_from` whose tick is not in [low_tick, high_tick)."""

    last: int
    time: int
    outside_from: int
    low_tick: int
    high_tick: int


class _Cell(NamedTuple):
    """Prices between `low` and `high`, and how much liquidity of ours is active there."""

    low: float
    high: float
    liquidity: float


class _Sum(NamedTuple):
    """Rows up to `row` added up: what a unit of liquidity took in and lost, in raw units."""

    row: int
    taken0: float
    taken1: float
    lost: float


@inlined
def time_before(rows: FastRows, row: int) -> int:
    """When the row before this one was over."""
    return rows.time[row - 1] if row else rows.start_time


@inlined
def tick_before(rows: FastRows, row: int) -> int:
    """The tick after the row before this one."""
    return np.int64(rows.tick[row - 1]) if row else rows.start_tick  # type: ignore[return-value]


@inlined
def price_before(rows: FastRows, row: int) -> float:
    """The sqrt price after the row before this one."""
    return rows.numbers[CLOSE, row - 1] if row else rows.start_price


@inlined
def _is_outside(tick: int, until: Until) -> bool:
    return bool(tick < until.low_tick or tick >= until.high_tick)


@inlined
def _is_over(rows: FastRows, row: int, until: Until) -> bool:
    """Whether to stop behind this row."""
    time = rows.time[row]
    outside = _is_outside(rows.tick[row], until)
    return bool(time >= until.time or (outside and time >= until.outside_from))


@compiled
def _first_at(times: Times, row: int, last: int, time: int) -> int:
    """The first of the rows [row, last) that is over at this time or later; `last` where none is.

    Looks twice as far each time, and then in halves: most are near.
    """
    ahead = 1
    while row + ahead < last and times[row + ahead] < time:
        ahead *= 2
    low, high = row + ahead // 2, min(row + ahead, last)
    while low < high:
        middle = (low + high) // 2
        if times[middle] < time:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def earn(
    rows: FastRows,
    row: int,
    before: float,
    until: Until,
    quote_is_token0: bool,
    held: Held,
    earned: Earned,
) -> int:
    """See `accrue`, which is this kept for later processes."""
    if before != price_before(rows, row) and row < until.last:
        _walk(rows, row, before, quote_is_token0, held, earned)
        row += 1
        if _is_over(rows, row - 1, until):
            return row
    while row < until.last:
        tick, time = tick_before(rows, row), until.time
        cell = _cell(tick, held)
        if _is_outside(tick, until):
            time = min(time, until.outside_from)
        else:
            cell = _inside(cell, until)
        behind = min(_first_at(rows.time, row, until.last, time) + 1, until.last)
        done = _add_up(rows.numbers, rows.reach, row, behind, quote_is_token0, cell)
        _share_out(rows, row, done, held, earned)
        row = done.row
        if row < behind:
            _walk(rows, row, price_before(rows, row), quote_is_token0, held, earned)
            row += 1
        if _is_over(rows, row - 1, until):
            return row
    return row


@spliced
def _walk(
    rows: FastRows, row: int, before: float, quote_is_token0: bool, held: Held, earned: Earned
) -> None:
    """One row that may touch an edge."""
    _share_out(rows, row, _Sum(row + 1, 0.0, 0.0, 0.0), held, earned)
    walk_row(rows, row, before, quote_is_token0, held, earned)


@compiled
def _cell(tick: int, held: Held) -> _Cell:
    """The cell of a tick."""
    below, above, liquidity = -NEVER, NEVER, 0.0
    for place in range(held.edges.shape[1]):
        if held.numbers[LIQUIDITY, place] > 0:
            for side in (LOWER, UPPER):
                edge = held.edges[side, place]
                if edge <= tick:
                    below = max(below, edge)
                else:
                    above = min(above, edge)
            if held.edges[LOWER, place] <= tick < held.edges[UPPER, place]:
                liquidity += held.numbers[LIQUIDITY, place]
    low = sqrt_price(below) if below > -NEVER else -np.inf
    return _Cell(low, sqrt_price(above) if above < NEVER else np.inf, liquidity)


@compiled
def _inside(cell: _Cell, until: Until) -> _Cell:
    """The part of the cell in which no row can lead out of the band of ticks."""
    low = sqrt_price(until.low_tick) if until.low_tick >= MIN_TICK else -np.inf
    high = sqrt_price(until.high_tick) if until.high_tick <= MAX_TICK else np.inf
    return _Cell(max(cell.low, low), min(cell.high, high), cell.liquidity)


@compiled
def _add_up(
    numbers: Numbers,
    reach: NDArray[np.float32],
    row: int,
    behind: int,
    quote_is_token0: bool,
    cell: _Cell,
) -> _Sum:
    """The rows [row, behind), up to one that does not stay strictly inside the cell."""
    taken0 = taken1 = lost = 0.0
    if cell.liquidity <= 0:
        while row < behind and reach[LOW, row] > cell.low and reach[HIGH, row] < cell.high:
            row += 1
        return _Sum(row, taken0, taken1, lost)
    while row < behind and reach[LOW, row] > cell.low and reach[HIGH, row] < cell.high:
        close = numbers[CLOSE, row]
        share = 1 / (numbers[columns.LIQUIDITY, row] + cell.liquidity)
        fall, rise = numbers[CHURN0, row] * share, numbers[CHURN1, row] * share
        # After the fall and the rise the price is (close + far) / slope, and returns to the close.
        slope = 1 + close * fall
        far = rise * slope
        back = far - close * close * fall
        way = abs(back) / (close * (close + far) if back > 0 else slope)
        taken0 += numbers[DOWN, row] + fall + (way if back > 0 else 0.0)
        taken1 += numbers[UP, row] + rise + (0.0 if back > 0 else way)
        lost += numbers[LOSS, row] * (1.0 if quote_is_token0 else close * close)
        row += 1
    return _Sum(row, taken0, taken1, lost)


@compiled
def _share_out(rows: FastRows, row: int, done: _Sum, held: Held, earned: Earned) -> None:
    """Give each position that was active at first what the rows [row, done.row) paid it, and the
    time, which counts by the tick before each row."""
    tick = tick_before(rows, row)
    seconds = time_before(rows, done.row) - time_before(rows, row)
    for place in range(held.edges.shape[1]):
        liquidity = held.numbers[LIQUIDITY, place]
        if liquidity > 0 and held.edges[LOWER, place] <= tick < held.edges[UPPER, place]:
            earned[FEES0, place] += liquidity * done.taken0 * rows.earned0
            earned[FEES1, place] += liquidity * done.taken1 * rows.earned1
            earned[LOST, place] += liquidity * done.lost
            earned[SECONDS, place] += seconds


def _accrue(stamp: str) -> Callable[[FastRows, int, float, Until, bool, Held, Earned], int]:
    """`accrue`, not yet compiled; see `compiled_once` for the stamp."""

    def accrue(
        rows: FastRows,
        row: int,
        before: float,
        until: Until,
        quote_is_token0: bool,
        held: Held,
        earned: Earned,
    ) -> int:
        """Add what positions earn from `row` on to `earned`; the row that was stopped before.

        `before` is the sqrt price at which the row finds the pool: that of the row before, or
        where a swap of ours has left it. Fees are those of the exact pool but for its rounding to
        raw units, and the rows' own 15 digits.
        """
        _ = stamp
        return earn(rows, row, before, until, quote_is_token0, held, earned)

    return accrue


accrue = compiled_once(_accrue, Path(__file__).parent)
