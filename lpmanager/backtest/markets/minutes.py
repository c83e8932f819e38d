"""Reads a pool's market in one-minute bars, as demeter-fetch writes them: one CSV row a minute.

A file is read in chunks, so that little is held beside the columns themselves.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from lpmanager.amm.fast.packing import Rows, to_limbs
from lpmanager.backtest.markets.market import Bars, Ticks, Times
from lpmanager.backtest.markets.market_file import opened, require_columns, wrong_cell, wrong_length
from lpmanager.backtest.markets.minute_bars import Minutes, first_row, joined, sound_bars
from lpmanager.errors import MarketDataError
from lpmanager.model import MAX_TICK, MIN_TICK

#: What a file of minutes must have.
MINUTE_COLUMNS = (
    "timestamp",
    "netAmount0",
    "netAmount1",
    "closeTick",
    "openTick",
    "lowestTick",
    "highestTick",
    "inAmount0",
    "inAmount1",
    "currentLiquidity",
)
_TICKS = ("openTick", "lowestTick", "highestTick", "closeTick")
_AMOUNTS = ("netAmount0", "netAmount1", "inAmount0", "inAmount1")

_ROWS_AT_ONCE = 16_384
_UINT128_MAX = 2**128 - 1

_A_TIME = "a UTC time such as 2024-01-05 00:01:00"
_TIME = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\+00:00)?")
_BEFORE_ZONE = len("2024-01-05 00:01:00")
_INTEGER = re.compile(r"-?[0-9]{1,78}")
#: Ticks of a column that once had empty cells are written 199045.0.
_TICK = re.compile(r"-?[0-9]{1,7}(\.0+)?")
_ONLY_OF_INTEGERS = re.compile(r"[-0-9]*")
_ONLY_OF_TICKS = re.compile(r"[-0-9.]*")

_Row = tuple[int, list[str]]
_Number = TypeVar("_Number", int, float)


def read_minutes(paths: Sequence[Path]) -> tuple[Bars, tuple[str, ...]]:
    """The bars of a file (.csv, or .csv.gz), or of several one after the other; and notes on them.

    A row without ticks and volume carries the price on. What is mended is said in the notes; see
    `sound_bars`. Raises MarketDataError with the line (the header is line 1) and the column of
    a cell that is wrong.
    """
    carried = _Carried()
    parts = [_minutes(chunk) for path in paths for chunk in _chunks(path, carried)]
    if not parts:
        raise MarketDataError(f"{paths[0].name}: holds no minutes; expected at least one row")
    bars, notes = sound_bars(joined(parts))
    if carried.left_out:
        notes = (f"{carried.left_out:,} minutes before the first known price left out.", *notes)
    return bars, notes


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Rows as text by column, with the line of each; and how to complain about a cell."""

    file: str
    lines: tuple[int, ...]
    cells: dict[str, tuple[str, ...]]

    def wrong(self, row: int, column: str, expected: str) -> MarketDataError:
        return wrong_cell(self.file, self.lines[row], column, expected, self.cells[column][row])

    def times(self) -> Times:
        """Unix seconds."""
        texts = self.cells["timestamp"]
        try:
            if all(map(_TIME.fullmatch, texts)):
                plain = [text[:_BEFORE_ZONE] for text in texts]
                return np.array(plain, dtype="datetime64[s]").astype(np.int64)
        except ValueError:
            pass  # a day that does not exist
        row = next(row for row, text in enumerate(texts) if not _is_time(text))
        raise self.wrong(row, "timestamp", _A_TIME)

    def ticks(self, column: str) -> Ticks:
        """Ticks, which may carry a decimal point and zeros."""
        expected = "a tick, a whole number"
        numbers = np.array(self._numbers(column, float, _ONLY_OF_TICKS, _TICK, expected))
        row = first_row(numbers != np.rint(numbers))
        if row is not None:
            raise self.wrong(row, column, expected)
        row = first_row((numbers < MIN_TICK) | (numbers > MAX_TICK))
        if row is not None:
            raise self.wrong(row, column, f"a tick in [{MIN_TICK}, {MAX_TICK}]")
        return numbers.astype(np.int32)

    def integers(self, column: str, low: int, high: int) -> list[int]:
        """Whole numbers in [low, high], to the last digit."""
        expected = "a whole number without a decimal point, to its last digit"
        values = self._numbers(column, int, _ONLY_OF_INTEGERS, _INTEGER, expected)
        if min(values) < low or max(values) > high:
            row = next(row for row, value in enumerate(values) if not low <= value <= high)
            raise self.wrong(row, column, f"a number in [{low}, {high}]")
        return values

    def volume(self, token: str) -> Rows:
        """What was paid in of a token: no less than went in on balance."""
        paid = self.integers(f"inAmount{token}", 0, _UINT128_MAX)
        net = self.integers(f"netAmount{token}", -_UINT128_MAX, _UINT128_MAX)
        for row, (gross, balance) in enumerate(zip(paid, net, strict=True)):
            if gross < balance:
                raise self.wrong(row, f"inAmount{token}", f"at least netAmount{token} {balance}")
        return to_limbs(paid, 2)

    def _numbers(
        self,
        column: str,
        number: Callable[[str], _Number],
        only_of: re.Pattern[str],
        pattern: re.Pattern[str],
        expected: str,
    ) -> list[_Number]:
        """A column's numbers; the whole column is looked at before its cells, which is fast."""
        texts = self.cells[column]
        try:
            if only_of.fullmatch("".join(texts)):
                return list(map(number, texts))
        except ValueError:
            pass  # such as "-"
        row = next(row for row, text in enumerate(texts) if not pattern.fullmatch(text))
        raise self.wrong(row, column, expected)


def _minutes(chunk: _Chunk) -> Minutes:
    return Minutes(
        file=chunk.file,
        lines=np.array(chunk.lines, np.int32),
        time=chunk.times(),
        open=chunk.ticks("openTick"),
        low=chunk.ticks("lowestTick"),
        high=chunk.ticks("highestTick"),
        close=chunk.ticks("closeTick"),
        in0=chunk.volume("0"),
        in1=chunk.volume("1"),
        liquidity=to_limbs(chunk.integers("currentLiquidity", 0, _UINT128_MAX), 2),
    )


def _chunks(path: Path, carried: _Carried) -> Iterator[_Chunk]:
    with opened(path) as file:
        reader = csv.reader(file, strict=True)
        header = tuple(next(reader, ()))
        require_columns(path.name, header, MINUTE_COLUMNS)
        line = reader.line_num + 1
        while read := list(islice(reader, _ROWS_AT_ONCE)):
            if reader.line_num + 1 - line != len(read):
                raise MarketDataError(
                    f"{path.name}: at line {line} or below: a cell holds a line break; expected "
                    "one line for each row"
                )
            rows = _whole_rows(path.name, len(header), line, read)
            known = carried.filled(path.name, header, rows)
            if known:
                lines, cells = zip(*known, strict=True)
                columns = dict(zip(header, zip(*cells, strict=True), strict=True))
                yield _Chunk(path.name, lines, {name: columns[name] for name in MINUTE_COLUMNS})
            line = reader.line_num + 1


def _whole_rows(file: str, width: int, line: int, read: list[list[str]]) -> list[_Row]:
    """The rows with their lines, without blank ones."""
    rows = list(enumerate(read, line))
    if set(map(len, read)) != {width}:
        rows = [row for row in rows if row[1]]
        odd = next((row[0] for row in rows if len(row[1]) != width), None)
        if odd is not None:
            raise wrong_length(file, odd)
    return rows


class _Carried:
    """The price that rows without ticks carry on; it starts unknown."""

    def __init__(self) -> None:
        self.left_out = 0
        self._known: tuple[str, str] | None = None

    def filled(self, file: str, header: tuple[str, ...], rows: list[_Row]) -> list[_Row]:
        """The rows, those without ticks filled; without those before the first price."""
        close, liquidity = header.index("closeTick"), header.index("currentLiquidity")
        known: list[_Row] = []
        for line, cells in rows:
            if not cells[close]:
                _require_quiet(file, line, header, cells)
                if self._known is None:
                    self.left_out += 1
                    continue
                _fill(header, cells, *self._known)
            self._known = cells[close], cells[liquidity]
            known.append((line, cells))
        return known


def _require_quiet(file: str, line: int, header: tuple[str, ...], cells: Sequence[str]) -> None:
    """A row without a close has no other tick, no liquidity and no volume."""
    for name, text in zip(header, cells, strict=True):
        empty = ("", "0") if name in _AMOUNTS else ("",)
        if name in MINUTE_COLUMNS and name != "timestamp" and text not in empty:
            raise wrong_cell(file, line, "closeTick", f"a tick, beside a {name} of {text}", None)


def _fill(header: tuple[str, ...], cells: list[str], close: str, liquidity: str) -> None:
    """Write the minute of a price that did not move into a row without ticks."""
    still = dict.fromkeys(_TICKS, close) | dict.fromkeys(_AMOUNTS, "0")
    still["currentLiquidity"] = liquidity
    for place, name in enumerate(header):
        cells[place] = still.get(name, cells[place])


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        np.datetime64(text[:_BEFORE_ZONE], "s")
    except ValueError:
        return False
    return True
