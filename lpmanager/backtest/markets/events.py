"""Reads a pool's recorded events: one CSV row per SWAP, MINT, BURN and COLLECT, in chain order.

The file may be gzipped. Every row is checked; the first wrong one is named.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import IO

from eth_utils.address import to_checksum_address

from lpmanager.backtest.markets.market_file import (
    UTC_TIME,
    opened,
    require_columns,
    utc_seconds,
    wrong_cell,
    wrong_length,
)
from lpmanager.errors import MarketDataError
from lpmanager.model import MAX_TICK, MIN_TICK, Liquidity, SqrtPriceX96, TickRange

#: What a file of events must have.
EVENT_COLUMNS = (
    "block_number",
    "block_timestamp",
    "tx_type",
    "log_index",
    "amount0",
    "amount1",
    "total_liquidity",
    "sqrtPriceX96",
    "current_tick",
    "tick_lower",
    "tick_upper",
    "liquidity",
)
#: What a file of events may have: who called the pool, as the event says.
_SENDER = "sender"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
#: No more digits than a uint256 has.
_INTEGER = re.compile(r"-?[0-9]{1,78}")
#: Some exporters write whole numbers of a column with empty cells as 199045.0.
_WHOLE = re.compile(r"-?[0-9]{1,78}(\.0+)?")
_LOWEST_SQRT_PRICE_X96 = 4295128739
_HIGHEST_SQRT_PRICE_X96 = 1461446703485210103287273052203988822378723970342


class EventKind(StrEnum):
    """What happened, as the file names it."""

    SWAP = "SWAP"
    MINT = "MINT"
    BURN = "BURN"
    COLLECT = "COLLECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketEvent:
    """One event of a pool. `amount*` are raw units as the pool sees them (positive = into the
    pool); price, tick and active liquidity are those after the event.

    `range` is None for a SWAP, and then `liquidity` is zero; otherwise `liquidity` is what the
    event added or took. `sender` called the pool for a SWAP; "" where the file does not say, and of
    other kinds.
    """

    line: int
    block_number: int
    timestamp: int
    log_index: int
    kind: EventKind
    amount0: int
    amount1: int
    active_liquidity: Liquidity
    sqrt_price_x96: SqrtPriceX96
    tick: int
    range: TickRange | None
    liquidity: Liquidity
    sender: str


def read_events(path: Path) -> tuple[MarketEvent, ...]:
    """All events of a file (.csv, or .csv.gz), in order.

    Raises MarketDataError with the line (the header is line 1) and the column that is wrong.
    """
    events = tuple(each_event(path))
    if not events:
        raise no_events(path)
    return events


def each_event(
    path: Path, start: int | None = None, end: int | None = None
) -> Iterator[MarketEvent]:
    """The events of a file with start <= time < end (Unix seconds) one by one, checked as
    `read_events` does; there may be none. What comes behind `end` is not looked at."""
    with opened(path) as file:
        for event in _read(path, file):
            if end is not None and event.timestamp >= end:
                return
            if start is None or event.timestamp >= start:
                yield event


def no_events(path: Path) -> MarketDataError:
    """What to raise about a file without rows."""
    return MarketDataError(f"{path.name}: holds no events; expected at least one row")


def _read(path: Path, file: IO[str]) -> Iterator[MarketEvent]:
    reader = csv.DictReader(file, strict=True)
    header = tuple(reader.fieldnames or ())
    optional = (_SENDER,) if _SENDER in header else ()
    require_columns(path.name, header, EVENT_COLUMNS + optional)
    before: MarketEvent | None = None
    for cells in reader:
        row = _Row(path.name, reader.line_num, cells)
        event = _event(row)
        if before is not None:
            _check_order(row, before, event)
        yield event
        before = event


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, and how to complain about it."""

    file: str
    line: int
    cells: Mapping[str, str | None]

    def wrong(self, column: str, expected: str) -> MarketDataError:
        return wrong_cell(self.file, self.line, column, expected, self.cells.get(column))

    def integer(self, column: str, low: int | None = None, high: int | None = None) -> int:
        """A whole number in [low, high]."""
        return self._number(column, _INTEGER, low, high)

    def whole(self, column: str, low: int, high: int) -> int:
        """A whole number in [low, high] that may carry a decimal point and zeros."""
        return self._number(column, _WHOLE, low, high)

    def time(self, column: str) -> int:
        """A UTC time such as "2024-01-05 00:00:23", in Unix seconds."""
        time = utc_seconds(self.cells[column] or "")
        if time is None:
            raise self.wrong(column, UTC_TIME)
        return time

    def _number(
        self, column: str, pattern: re.Pattern[str], low: int | None, high: int | None
    ) -> int:
        match = pattern.fullmatch(self.cells[column] or "")
        if match is None:
            raise self.wrong(column, "a whole number")
        value = int(match[0].split(".")[0])
        if (low is not None and value < low) or (high is not None and value > high):
            bounds = f"at least {low}" if high is None else f"a number in [{low}, {high}]"
            raise self.wrong(column, bounds)
        return value


def _event(row: _Row) -> MarketEvent:
    if None in row.cells or None in row.cells.values():
        raise wrong_length(row.file, row.line)
    kind = _kind(row)
    amount0, amount1 = row.integer("amount0"), row.integer("amount1")
    tick_range, liquidity = None, 0
    if kind is EventKind.SWAP:
        if amount0 * amount1 > 0 or amount0 == amount1 == 0:
            raise row.wrong("amount1", f"the other sign than amount0 {amount0} of a SWAP")
    else:
        tick_range = _range(row)
        liquidity = row.integer("liquidity", 0) if kind is not EventKind.COLLECT else 0
    return MarketEvent(
        line=row.line,
        block_number=row.integer("block_number", 0),
        timestamp=row.time("block_timestamp"),
        log_index=row.integer("log_index", 0),
        kind=kind,
        amount0=amount0,
        amount1=amount1,
        active_liquidity=Liquidity(row.integer("total_liquidity", 0)),
        sqrt_price_x96=SqrtPriceX96(
            row.integer("sqrtPriceX96", _LOWEST_SQRT_PRICE_X96, _HIGHEST_SQRT_PRICE_X96 - 1)
        ),
        tick=row.whole("current_tick", MIN_TICK, MAX_TICK),
        range=tick_range,
        liquidity=Liquidity(liquidity),
        sender=_sender(row) if kind is EventKind.SWAP else "",
    )


def _kind(row: _Row) -> EventKind:
    try:
        return EventKind(row.cells["tx_type"] or "")
    except ValueError as error:
        raise row.wrong("tx_type", "one of " + ", ".join(EventKind)) from error


def _sender(row: _Row) -> str:
    cell = row.cells.get(_SENDER) or ""
    if cell and _ADDRESS.fullmatch(cell) is None:
        raise row.wrong(_SENDER, "an address, or nothing")
    return _checksummed(cell) if cell else ""


@lru_cache(maxsize=4_096)
def _checksummed(address: str) -> str:
    """As the chain's reader names it. Few senders swap often, and each takes a hash."""
    return to_checksum_address(address)


def _range(row: _Row) -> TickRange:
    lower = row.whole("tick_lower", MIN_TICK, MAX_TICK)
    upper = row.whole("tick_upper", MIN_TICK, MAX_TICK)
    if lower >= upper:
        raise row.wrong("tick_upper", f"a tick above tick_lower {lower}")
    return TickRange(lower, upper)


def _check_order(row: _Row, before: MarketEvent, event: MarketEvent) -> None:
    if event.block_number < before.block_number:
        raise row.wrong("block_number", f"at least {before.block_number}, the row before's")
    if event.block_number == before.block_number:
        if event.log_index <= before.log_index:
            raise row.wrong("log_index", f"more than {before.log_index}, the row before's")
        if event.timestamp != before.timestamp:
            raise row.wrong("block_timestamp", "the time of the row before, of the same block")
    elif event.timestamp <= before.timestamp:
        raise row.wrong("block_timestamp", "a time after the row before's, of an earlier block")
