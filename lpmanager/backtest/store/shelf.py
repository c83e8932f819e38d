"""Our own store of markets: a Parquet file for each day of a pool.

    <root>/<chain id>/<pool>/pool.json                   the pool's tokens, fee and spacing
    <root>/<chain id>/<pool>/events/2024-01-05.parquet   every event of that day, UTC
    <root>/<chain id>/<pool>/bars/2024-01-05.parquet     its bars

Each file says how far it is complete. A file is replaced as a whole; nobody reads half of one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from eth_utils.address import is_address
from filelock import FileLock, Timeout

from lpmanager.backtest.markets.market import ALL_OF_THE_FEE, Bars, Events, Market, cut, utc
from lpmanager.backtest.store import parquet
from lpmanager.backtest.store.parquet import read_about, read_file, replace_file, write_rows
from lpmanager.chain.event_log import Standing
from lpmanager.errors import MarketDataError, UsageError
from lpmanager.model import MAX_TICK, MIN_TICK, Liquidity, PoolKey, PoolState, TickRange, Token
from lpmanager.model.units import DAY_S

_FORMAT = 1
_TERMS = "pool.json"


class RowKind(StrEnum):
    """What a store's files hold."""

    EVENTS = "events"
    BARS = "bars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The place of one pool's days in a store."""

    root: Path
    chain_id: int
    pool: str
    kind: RowKind

    @property
    def pool_folder(self) -> Path:
        """Where the pool's terms are."""
        return self.root / str(self.chain_id) / self.pool.lower()

    @property
    def folder(self) -> Path:
        """Where the days are."""
        return self.pool_folder / self.kind

    def path(self, day: date) -> Path:
        """The file of a day."""
        return self.folder / f"{day.isoformat()}.parquet"

    def dates(self) -> list[date]:
        """The days there are, in rising order."""
        found = []
        for path in self.folder.glob("*.parquet"):
            try:
                found.append(date.fromisoformat(path.stem))
            except ValueError as error:
                raise MarketDataError(
                    f"{path}: expected a day's name such as 2024-01-05.parquet; move it away"
                ) from error
        return sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A block up to which all was read, and where the pool stood behind it (None: not known)."""

    number: int
    hash: str
    time: int
    standing: Standing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """The blocks whose events a day's file holds, as far as they fall on that day.

    Those up to `final` were final when they were read; None where none was.
    """

    first: int
    last: Mark
    final: Mark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a day's file says of itself.

    It holds all rows with `start` <= time < `end`, Unix seconds. `blocks` is None where it does not
    come from a chain, `step_s` None for events. `origin` is the standing with which the pool was
    initialized that day; `whole` says that it was then, or on an earlier day of the store.
    """

    date: date
    start: int
    end: int
    step_s: int | None
    blocks: Blocks | None
    origin: Standing | None
    whole: bool

    @property
    def final(self) -> bool:
        """Whether nothing in it may still be reorganised away."""
        return self.blocks is None or self.blocks.final == self.blocks.last


def day_of(time: int) -> date:
    """The UTC day of a time in Unix seconds."""
    return datetime.fromtimestamp(time, UTC).date()


def midnight(day: date) -> int:
    """When a UTC day begins, in Unix seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def write_day(shelf: Shelf, day: Day, rows: Events | Bars) -> None:
    """Write a day, in the place of what was there.

    Raises ValueError for rows that are of another day, and MarketDataError where the file cannot be
    written.
    """
    first, behind = midnight(day.date), midnight(day.date) + DAY_S
    if len(rows) and not (first <= rows.time[0] <= rows.time[-1] < behind):
        raise ValueError(f"rows from {rows.time[0]} to {rows.time[-1]} are not all of {day.date}")
    about = asdict(day) | {"format": _FORMAT, "date": day.date.isoformat()}
    write_rows(shelf.path(day.date), rows, about)


def read_day(shelf: Shelf, day: date) -> Day:
    """What a day's file says of itself. Raises MarketDataError where it cannot be read."""
    path = shelf.path(day)
    return _day(path, read_about(path))


def _day(path: Path, told: dict[str, Any]) -> Day:
    if told.get("format") != _FORMAT:
        raise MarketDataError(
            f"{path}: expected format {_FORMAT}, found {told.get('format')}; it was written by "
            "another version of this program: fetch the market into a new store"
        )
    try:
        return Day(
            date=date.fromisoformat(told["date"]),
            start=told["start"],
            end=told["end"],
            step_s=told["step_s"],
            blocks=told["blocks"] and _blocks(told["blocks"]),
            origin=told["origin"] and Standing(**told["origin"]),
            whole=told["whole"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MarketDataError(
            f"{path}: what it says of itself cannot be read ({error!r}); it is damaged: delete it, "
            "and fetch that day again"
        ) from error


def events_of(shelf: Shelf, day: date) -> Events:
    """The events of a day. Raises MarketDataError where its file is damaged."""
    return parquet.events_of([read_file(shelf.path(day))])


def deltas_of(shelf: Shelf, day: date) -> Iterator[tuple[TickRange, int]]:
    """What a day's mints added to which range, and its burns took, in order. Raises MarketDataError
    where its file is damaged."""
    return parquet.read_deltas(shelf.path(day))


def write_terms(shelf: Shelf, pool: PoolKey) -> None:
    """Note the pool beside its days. Raises MarketDataError where another one is noted."""
    path = shelf.pool_folder / _TERMS
    if path.exists():
        noted = read_terms(shelf)
        if noted != pool:
            raise MarketDataError(f"{path}: is of {noted}, expected {pool}; use another store")
        return
    text = json.dumps({"format": _FORMAT, **asdict(pool)}, indent=2) + "\n"
    replace_file(path, lambda part: part.write_text(text, encoding="utf-8"))


def read_terms(shelf: Shelf) -> PoolKey:
    """The pool whose days these are. Raises MarketDataError where it is not noted."""
    path = shelf.pool_folder / _TERMS
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return PoolKey(
            address=told["address"],
            token0=Token(**told["token0"]),
            token1=Token(**told["token1"]),
            fee_pips=told["fee_pips"],
            tick_spacing=told["tick_spacing"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MarketDataError(
            f"{path}: expected the pool's tokens and fee, found {error!r}; fill the store with "
            "`lpm fetch`"
        ) from error


def find_shelf(path: Path) -> Shelf:
    """The only pool's days in a store, or in the folder of a chain, a pool or a kind of rows in it.

    Raises MarketDataError, naming the choices, where there are more, or none.
    """
    path = path.resolve()
    for root, parts in ((path, ()), *_parents(path)):
        found = [
            shelf
            for shelf in _shelves(root)
            if (str(shelf.chain_id), shelf.pool.lower(), str(shelf.kind))[: len(parts)] == parts
        ]
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(str(shelf.folder) for shelf in found)
            raise MarketDataError(f"{path}: holds several markets; name one of {choices}")
    raise MarketDataError(
        f"{path}: holds no market; fill it with `lpm fetch --store`, or name another folder"
    )


def _parents(path: Path) -> list[tuple[Path, tuple[str, ...]]]:
    """The roots that a path could be in, each with the path's parts below it."""
    return [(path.parents[n - 1], path.parts[-n:]) for n in (1, 2, 3) if len(path.parts) > n]


def _shelves(root: Path) -> list[Shelf]:
    return [
        Shelf(root=root, chain_id=int(chain.name), pool=pool.name, kind=kind)
        for chain in sorted(root.glob("[0-9]*"))
        if chain.name.isdecimal() and chain.is_dir()
        for pool in sorted(chain.iterdir())
        if is_address(pool.name)
        for kind in RowKind
        if next((pool / kind).glob("*.parquet"), None) is not None
    ]


def read(shelf: Shelf, start: int | None = None, end: int | None = None) -> Market:
    """The market of a pool with start <= time < end, Unix seconds; all there is where they are
    None.

    A pool that is known from its beginning has its state before the first row. Raises
    MarketDataError where the store does not reach so far, a day is missing or a file is damaged.
    """
    dates = shelf.dates()
    if not dates:
        raise MarketDataError(f"{shelf.folder}: holds no days; fill it with `lpm fetch --store`")
    last = read_day(shelf, dates[-1])
    first = read_day(shelf, dates[0])
    start = first.start if start is None else start
    end = last.end if end is None else end
    if not first.start <= start < end <= last.end:
        raise MarketDataError(
            f"{shelf.folder}: expected rows from {utc(start)} to {utc(end)}, found only those from "
            f"{utc(first.start)} to {utc(last.end)}; fetch more, or choose a window within"
        )
    if not last.whole:  # days before the window would tell nothing of it
        dates = [day for day in dates if midnight(day) + DAY_S > start and midnight(day) < end]
    _require_each_day(shelf, dates)
    files = [read_file(shelf.path(day)) for day in dates]
    days = [_day(file.path, file.about) for file in files]
    origin = next((day.origin for day in days if day.origin is not None), None)
    pool = read_terms(shelf)
    step_s = last.step_s
    rows = parquet.events_of(files) if step_s is None else parquet.bars_of(files, step_s)
    if not len(rows):
        raise MarketDataError(f"{shelf.folder}: the pool had no events up to {utc(end)}")
    if (np.diff(rows.time) < 0).any():
        raise MarketDataError(
            f"{shelf.folder}: rows are not in order of time; the store is damaged: fetch it anew"
        )
    market = Market(
        name=f"{pool} on chain {shelf.chain_id}",
        chain_id=shelf.chain_id,
        pool=pool,
        rows=rows,
        start=None if origin is None else initialized_state(origin),
        notes=_notes(days),
    )
    return market.between(start, end)


def write_market(root: Path, market: Market) -> Shelf:
    """Put a market of another source into a store; its days take the place of those there.

    Raises MarketDataError for a pool whose ticks are known, of which the store keeps only those
    that it has from the beginning on.
    """
    if market.start is not None:
        raise MarketDataError(
            f"{market.name}: the store keeps no tick map but that of a fetched pool; keep the file"
        )
    bars = isinstance(market.rows, Bars)
    shelf = Shelf(
        root=root,
        chain_id=market.chain_id,
        pool=market.pool.address,
        kind=RowKind.BARS if bars else RowKind.EVENTS,
    )
    write_terms(shelf, market.pool)
    begins = market.first
    while begins < market.end:
        day = day_of(begins)
        ends = min(midnight(day) + DAY_S, market.end)
        said = Day(
            date=day,
            start=begins,
            end=ends,
            step_s=market.rows.step_s if isinstance(market.rows, Bars) else None,
            blocks=None,
            origin=None,
            whole=False,
        )
        within = np.searchsorted(market.rows.time, (begins, ends))
        write_day(shelf, said, cut(market.rows, int(within[0]), int(within[1])))
        begins = ends
    return shelf


@contextmanager
def only_writer(shelf: Shelf) -> Iterator[None]:
    """Hold a pool's days while they are written. UsageError where another program does."""
    lock = FileLock(shelf.pool_folder / ".lock", timeout=0)
    try:
        shelf.pool_folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise UsageError(
            f"another lpm writes to {shelf.pool_folder}; wait until it ends, or stop it"
        ) from error
    except OSError as error:
        raise UsageError(
            f"{shelf.pool_folder}: cannot be written ({error.strerror}); name another store, or "
            "let this user write there"
        ) from error
    try:
        yield
    finally:
        lock.release()


def initialized_state(origin: Standing) -> PoolState:
    """A pool just initialized, all of whose ticks are known: there are none."""
    return PoolState(
        sqrt_price_x96=origin.sqrt_price_x96,
        tick=origin.tick,
        liquidity=Liquidity(0),
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        fee_protocol=0,
        ticks=(),
        known=TickRange(MIN_TICK, MAX_TICK),
    )


def _blocks(told: dict[str, Any]) -> Blocks:
    return Blocks(
        first=told["first"],
        last=_mark(told["last"]),
        final=told["final"] and _mark(told["final"]),
    )


def _mark(told: dict[str, Any]) -> Mark:
    standing = told["standing"] and Standing(**told["standing"])
    return Mark(number=told["number"], hash=told["hash"], time=told["time"], standing=standing)


def _require_each_day(shelf: Shelf, dates: list[date]) -> None:
    for day, later in pairwise(dates):
        if later != day + timedelta(days=1):
            raise MarketDataError(
                f"{shelf.folder}: {day + timedelta(days=1)} is missing; fetch the market anew into "
                "another store, or choose a window that does not need that day"
            )


def _notes(days: list[Day]) -> tuple[str, ...]:
    """What the report is to say of where the rows come from."""
    notes = []
    first, last = days[0].blocks, days[-1].blocks
    if first is not None and last is not None:
        notes.append(f"Every event of blocks {first.first:,} to {last.last.number:,}.")
    if first is not None and not days[-1].whole:
        notes.append(
            "The pool's ticks before the first event are not known: active liquidity after each "
            "event is taken as recorded."
        )
    if first is not None:
        notes.append(ALL_OF_THE_FEE)
    unfinal = next((day for day in days if not day.final), None)
    if unfinal is not None:
        notes.append(
            f"Some blocks of {unfinal.date} were not final yet when they were read: "
            "a later `lpm fetch` reads them again."
        )
    return tuple(notes)
