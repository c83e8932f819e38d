"""What a store holds of a pool for certain: where fetching goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lpmanager.backtest.markets.market import BURN, Events, cut
from lpmanager.backtest.store.event_rows import rows_from
from lpmanager.backtest.store.fold import Fold
from lpmanager.backtest.store.shelf import (
    Day,
    Mark,
    Shelf,
    deltas_of,
    events_of,
    read_day,
    write_day,
)
from lpmanager.backtest.store.tick_book import TickBook
from lpmanager.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All events of the blocks from `first` to `mark`, which were final when they were read.

    `day` is the newest such day, cut down to what is certain of it, `rows` are its events, and
    `fold` is where the pool stood at `mark`. `mark` and `day` are None where nothing is certain.
    """

    first: int
    mark: Mark | None
    day: Day | None
    rows: Events
    fold: Fold


def nothing_kept(first: int, spacing: int) -> Kept:
    """Nothing is certain, and block `first` is the first to be read."""
    return Kept(first=first, mark=None, day=None, rows=rows_from([]), fold=Fold(spacing))


def kept_in(shelf: Shelf, spacing: int) -> Kept | None:
    """What a shelf holds for certain; None where it holds nothing at all.

    Raises UsageError for a shelf that was not filled from a chain, MarketDataError for a damaged
    one.
    """
    days = [read_day(shelf, date) for date in shelf.dates()]
    if not days:
        return None
    if days[0].blocks is None or days[-1].blocks is None:
        raise UsageError(
            f"{shelf.folder}: holds a market that does not come from a chain; fetch into another "
            "store"
        )
    first = days[0].blocks.first
    while days:
        newest = days[-1].blocks
        if newest is not None and newest.final is not None:
            return _up_to(newest.final, shelf, spacing, first, days)
        days.pop()
    return nothing_kept(first, spacing)


def rewind(shelf: Shelf, day: Day | None, rows: Events) -> None:
    """Take out of a shelf all that is behind the day and its rows, the newest first."""
    for date in reversed(shelf.dates()):
        if day is None or date > day.date:
            shelf.path(date).unlink()
    if day is not None and read_day(shelf, day.date) != day:
        write_day(shelf, day, rows)


def _up_to(mark: Mark, shelf: Shelf, spacing: int, first: int, days: list[Day]) -> Kept:
    """What is certain where the mark, in the last of the days, is the newest final block."""
    day = days[-1]
    whole = day.whole and mark.standing is not None
    rows = events_of(shelf, day.date)
    certain = cut(rows, 0, int(np.searchsorted(rows.block, mark.number, "right")))
    return Kept(
        first=first,
        mark=mark,
        day=day if day.final else _cut_down(day, mark, whole=whole),
        rows=certain,
        fold=Fold(spacing, mark.standing, _ticks(shelf, days[:-1], certain) if whole else None),
    )


def _cut_down(day: Day, mark: Mark, *, whole: bool) -> Day:
    return replace(
        day,
        end=mark.time + 1,
        blocks=day.blocks and replace(day.blocks, last=mark),
        origin=day.origin if whole else None,
        whole=whole,
    )


def _ticks(shelf: Shelf, days: list[Day], rows: Events) -> TickBook:
    """All ticks behind the days, and rows of the next."""
    ticks = TickBook()
    for day in days:
        for tick_range, delta in deltas_of(shelf, day.date):
            ticks.change(tick_range, delta)
    for row, change in rows.changes.items():
        burnt = rows.kind[row] == BURN
        ticks.change(change.range, -change.liquidity if burnt else change.liquidity)
    return ticks
