"""Minutes as they were written, made into bars: checked, and mended where that can be said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.packing import Rows
from lpmanager.backtest.markets.market import Bars, Ticks, Times, utc
from lpmanager.backtest.markets.market_file import wrong_cell
from lpmanager.errors import MarketDataError

_MINUTE_S = 60
_NO_TICK = np.iinfo(np.int32).max

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """Columns as in `Bars`, as a file has them; `lines` are those of its rows."""

    file: str
    lines: NDArray[np.int32]
    time: Times
    open: Ticks
    low: Ticks
    high: Ticks
    close: Ticks
    in0: Rows
    in1: Rows
    liquidity: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Minutes of several files in a row; `starts` are the rows with which the files begin."""

    names: tuple[str, ...]
    starts: tuple[int, ...]
    minutes: Minutes

    def wrong(self, row: int, column: str, expected: str, found: object) -> MarketDataError:
        """What to raise about a cell."""
        file = self.names[int(np.searchsorted(self.starts, row, side="right")) - 1]
        return wrong_cell(file, int(self.minutes.lines[row]), column, expected, str(found))


def joined(parts: Sequence[Minutes]) -> Files:
    """All parts as one; parts of a file follow each other."""
    starts = np.cumsum([0, *(len(part.time) for part in parts[:-1])])

    def column(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    return Files(
        names=tuple(part.file for part in parts),
        starts=tuple(starts.tolist()),
        minutes=Minutes(
            file=parts[0].file,
            lines=column("lines"),
            time=column("time"),
            open=column("open"),
            low=column("low"),
            high=column("high"),
            close=column("close"),
            in0=column("in0"),
            in1=column("in1"),
            liquidity=column("liquidity"),
        ),
    )


def sound_bars(files: Files) -> tuple[Bars, tuple[str, ...]]:
    """The bars, and notes on what was mended and what is missing.

    Older files of demeter-fetch repeat the close of the minute before where the last event of
    a minute is no swap. Where that lies outside low and high, the nearer of these two is the close,
    and minutes without volume carry this one on. Raises MarketDataError, naming line and column,
    where times do not rise by whole minutes, or ticks contradict each other otherwise.
    """
    raw = files.minutes
    _require_order(files)
    _require_inside(files)
    before = np.concatenate(([_NO_TICK], raw.close[:-1]))
    outside = _outside(files, before)
    still = _still(raw, before)
    close = _carried(np.clip(raw.close, raw.low, raw.high), still)
    bars = Bars(
        time=raw.time,
        open=np.where(still, close, raw.open),
        low=np.where(still, close, raw.low),
        high=np.where(still, close, raw.high),
        close=close,
        in0=raw.in0,
        in1=raw.in1,
        liquidity=raw.liquidity,
        step_s=_MINUTE_S,
    )
    return bars, (*_mended(int(outside.sum())), *_gaps(raw.time))


def first_row(flags: Flags) -> int | None:
    """The first row that is flagged."""
    return int(flags.argmax()) if flags.any() else None


def _require_order(files: Files) -> None:
    time = files.minutes.time
    row = first_row(time % _MINUTE_S != 0)
    if row is not None:
        raise files.wrong(row, "timestamp", "a whole minute", utc(int(time[row])))
    row = first_row(np.diff(time) <= 0)
    if row is not None:
        before, found = utc(int(time[row])), utc(int(time[row + 1]))
        raise files.wrong(row + 1, "timestamp", f"a minute after {before}, the row before's", found)


def _require_inside(files: Files) -> None:
    """Low is not above high, and the open is between the two."""
    raw = files.minutes
    row = first_row(raw.low > raw.high)
    if row is not None:
        raise files.wrong(
            row, "lowestTick", f"at most the highestTick {raw.high[row]}", raw.low[row]
        )
    row = first_row((raw.open < raw.low) | (raw.open > raw.high))
    if row is not None:
        raise files.wrong(row, "openTick", _between(raw, row), raw.open[row])


def _outside(files: Files, before: Ticks) -> Flags:
    """Minutes that close outside low and high, all of them where the minute before did."""
    raw = files.minutes
    outside = (raw.close < raw.low) | (raw.close > raw.high)
    row = first_row(outside & (raw.close != before))
    if row is not None:
        raise files.wrong(row, "closeTick", _between(raw, row), raw.close[row])
    return np.asarray(outside)


def _between(raw: Minutes, row: int) -> str:
    return f"a tick in [{raw.low[row]}, {raw.high[row]}], the row's lowestTick to highestTick"


def _still(raw: Minutes, before: Ticks) -> Flags:
    """Minutes in which nothing happened: no volume, and all ticks those of the close before."""
    quiet = ~(raw.in0.any(axis=1) | raw.in1.any(axis=1))
    for ticks in (raw.open, raw.low, raw.high, raw.close):
        quiet &= ticks == before
    return np.asarray(quiet)


def _carried(close: Ticks, still: Flags) -> Ticks:
    """The closes, those of still minutes replaced by the last one that is none."""
    source = np.maximum.accumulate(np.where(still, 0, np.arange(len(close))))
    return close[source]


def _mended(rows: int) -> Iterator[str]:
    if rows:
        yield (
            f"{rows:,} minutes repeat the close of the minute before although it lies outside "
            "their own low and high, as older demeter-fetch writes it where the last event is no "
            "swap: the nearer of the two is taken for the close. Their active liquidity repeats "
            "the minute before's too, and closes repeated inside low and high go unnoticed."
        )


def _gaps(time: Times) -> Iterator[str]:
    """Says how many minutes are missing, and where most of them are."""
    missing = np.diff(time) // _MINUTE_S - 1
    gaps = int(np.count_nonzero(missing))
    if gaps:
        longest = int(missing.argmax())
        yield (
            f"Minutes missing: {int(missing.sum()):,} in {gaps:,} place(s), at most "
            f"{int(missing[longest]):,} in a row, after {utc(int(time[longest]))}; the price is "
            "carried over them."
        )
