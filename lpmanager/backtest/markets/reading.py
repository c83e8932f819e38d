"""Reads a recorded market from a file, whichever of the two formats it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lpmanager.backtest.markets.columns import columns_of
from lpmanager.backtest.markets.events import EVENT_COLUMNS, each_event, no_events
from lpmanager.backtest.markets.market import ALL_OF_THE_FEE, KINDS, Events, Market, utc
from lpmanager.backtest.markets.market_file import header_of
from lpmanager.backtest.markets.minutes import MINUTE_COLUMNS, read_minutes
from lpmanager.backtest.markets.plausibility import check_price
from lpmanager.errors import MarketDataError
from lpmanager.model import PoolKey


def read_market(
    path: Path, pool: PoolKey, chain_id: int, start: int | None = None, end: int | None = None
) -> Market:
    """The market in a file of events or of minutes (.csv or .csv.gz), said to be of `pool`; of it
    the rows with start <= time < end, Unix seconds, all where they are None.

    A folder stands for all its files, in the order of their names. What was found and assumed is in
    the market's notes. Events are read some at a time, and those outside the window are not kept.
    Raises MarketDataError, naming file, line and column, where a cell is wrong, where the price is
    not plausible for the pair as declared, and where no row or no memory is left.
    """
    paths = _files(path)
    if _holds_events(paths[0]):
        return _of_events(path.name, paths, pool, chain_id, start, end)
    market = _of_minutes(path.name, paths, pool, chain_id)
    if start is None and end is None:
        return market
    return market.between(
        market.first if start is None else start, market.end if end is None else end
    )


def _files(path: Path) -> tuple[Path, ...]:
    if not path.is_dir():
        return (path,)
    found = tuple(
        sorted(file for file in path.iterdir() if file.name.endswith((".csv", ".csv.gz")))
    )
    if not found:
        raise MarketDataError(f"{path.name}: the folder holds no .csv and no .csv.gz")
    return found


def _holds_events(path: Path) -> bool:
    """Which of the two formats a file has, by its header."""
    header = set(header_of(path))
    events, minutes = len(header & set(EVENT_COLUMNS)), len(header & set(MINUTE_COLUMNS))
    if events == minutes:
        raise MarketDataError(
            f"{path.name}: line 1: expected the columns of events ({', '.join(EVENT_COLUMNS)}) or "
            f"of minutes ({', '.join(MINUTE_COLUMNS)}), found {', '.join(sorted(header)) or 'none'}"
        )
    return events > minutes


def _of_events(
    name: str,
    paths: tuple[Path, ...],
    pool: PoolKey,
    chain_id: int,
    start: int | None,
    end: int | None,
) -> Market:
    if len(paths) > 1:
        raise MarketDataError(f"{name}: a folder may hold minutes; give one file of events")
    rows = columns_of(paths[0].name, pool, each_event(paths[0], start, end))
    if rows is None:
        raise (
            no_events(paths[0]) if start is None and end is None else _none_within(name, start, end)
        )
    notes = (
        _counted(rows),
        "The pool's ticks before the first event are not in the file: active liquidity after each "
        f"event is taken as recorded. {ALL_OF_THE_FEE}",
    )
    return Market(
        name=name,
        chain_id=chain_id,
        pool=pool,
        rows=rows,
        start=None,
        notes=(*notes, *_judged(pool, int(rows.tick[0]))),
    )


def _none_within(name: str, start: int | None, end: int | None) -> MarketDataError:
    since = "its beginning" if start is None else utc(start)
    until = "its end" if end is None else utc(end)
    return MarketDataError(
        f"{name}: no rows from {since} up to {until}; choose a window that meets the market"
    )


def _of_minutes(name: str, paths: tuple[Path, ...], pool: PoolKey, chain_id: int) -> Market:
    bars, notes = read_minutes(paths)
    known = (
        f"{len(bars):,} minutes.",
        "The pool's ticks are not in the file: active liquidity at a close is taken as recorded. "
        f"{ALL_OF_THE_FEE}",
    )
    return Market(
        name=name,
        chain_id=chain_id,
        pool=pool,
        rows=bars,
        start=None,
        notes=(*known, *notes, *_judged(pool, int(bars.open[0]))),
    )


def _counted(rows: Events) -> str:
    counts = np.bincount(rows.kind, minlength=len(KINDS)).tolist()
    kinds = ", ".join(
        f"{count:,} {kind}" for kind, count in zip(KINDS, counts, strict=True) if count
    )
    return f"{len(rows):,} events: {kinds}."


def _judged(pool: PoolKey, tick: int) -> tuple[str, ...]:
    note = check_price(pool, tick)
    return () if note is None else (note,)
