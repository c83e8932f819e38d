"""Reads a recorded market from a file, whichever of the two formats it has."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lpmanager.backtest.markets.columns import columns_of
from lpmanager.backtest.markets.events import EVENT_COLUMNS, each_event, no_events
from lpmanager.backtest.markets.market import KINDS, Events, Market
from lpmanager.backtest.markets.market_file import header_of
from lpmanager.backtest.markets.minutes import MINUTE_COLUMNS, read_minutes
from lpmanager.backtest.markets.plausibility import check_price
from lpmanager.errors import MarketDataError
from lpmanager.model import PoolKey


def read_market(path: Path, pool: PoolKey, chain_id: int) -> Market:
    """The market in a file of events or of minutes (.csv or .csv.gz), said to be of `pool`.

    A folder stands for all its files, in the order of their names. What was found and assumed is in
    the market's notes. Raises MarketDataError, naming file, line and column, where a cell is wrong,
    and where the price is not plausible for the pair as declared.
    """
    paths = _files(path)
    if _holds_events(paths[0]):
        return _of_events(path.name, paths, pool, chain_id)
    return _of_minutes(path.name, paths, pool, chain_id)


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


def _of_events(name: str, paths: tuple[Path, ...], pool: PoolKey, chain_id: int) -> Market:
    if len(paths) > 1:
        raise MarketDataError(f"{name}: a folder may hold minutes; give one file of events")
    rows = columns_of(paths[0].name, pool, each_event(paths[0]))
    if rows is None:
        raise no_events(paths[0])
    notes = (
        _counted(rows),
        "The pool's ticks before the first event are not in the file: active liquidity after each "
        "event is taken as recorded.",
    )
    return Market(
        name=name,
        chain_id=chain_id,
        pool=pool,
        rows=rows,
        start=None,
        notes=(*notes, *_judged(pool, int(rows.tick[0]))),
    )


def _of_minutes(name: str, paths: tuple[Path, ...], pool: PoolKey, chain_id: int) -> Market:
    bars, notes = read_minutes(paths)
    known = (
        f"{len(bars):,} minutes.",
        "The pool's ticks are not in the file: active liquidity at a close is taken as recorded.",
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
    counts = Counter(rows.kind.tolist())
    kinds = ", ".join(f"{counts[code]:,} {kind}" for code, kind in enumerate(KINDS) if counts[code])
    return f"{len(rows):,} events: {kinds}."


def _judged(pool: PoolKey, tick: int) -> tuple[str, ...]:
    note = check_price(pool, tick)
    return () if note is None else (note,)
