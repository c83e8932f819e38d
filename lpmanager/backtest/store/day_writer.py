"""Sorts what is fetched into days, and writes each day as far as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from lpmanager.backtest.markets.columns import joined_events
from lpmanager.backtest.markets.market import Events, cut
from lpmanager.backtest.store.event_rows import rows_from
from lpmanager.backtest.store.kept import Kept
from lpmanager.backtest.store.shelf import Blocks, Day, Mark, Shelf, day_of, midnight, write_day
from lpmanager.chain.event_log import LogKind, Piece, PoolEvent, Standing
from lpmanager.errors import ChainError

_ONE_DAY = timedelta(days=1)


class DayWriter:
    """Adds pieces to the newest day of a shelf, `day` with its `rows`, and begins new ones."""

    def __init__(self, shelf: Shelf, day: Day | None, rows: Events) -> None:
        self._shelf = shelf
        self._day = day
        self._rows = rows

    @classmethod
    def of(cls, shelf: Shelf, kept: Kept) -> DayWriter:
        """Goes on behind what is certain."""
        return cls(shelf, kept.day, kept.rows)

    @property
    def state(self) -> tuple[Day | None, Events]:
        """The newest day and its rows: what `rewind` needs to come back here."""
        return self._day, self._rows

    def add(
        self, piece: Piece, told: Sequence[tuple[PoolEvent, Standing]], last: Mark, *, final: bool
    ) -> None:
        """Write every day that a piece reaches.

        `last` marks the piece's last block, `told` are its events with where the pool stood behind
        each. A piece is `final` as a whole, or not at all. Raises ChainError where time goes back.
        """
        rows = rows_from(told)
        begun = next((event for event, _ in told if event.kind is LogKind.INITIALIZE), None)
        day = self._day or _new_day(day_of(piece.first.timestamp), piece, last)
        if self._day is None:
            day = replace(day, start=piece.first.timestamp)
        if last.time < midnight(day.date):
            raise ChainError(
                f"block {last.number}: expected a time on {day.date} or later, as its ancestors "
                f"have, found {last.time}; use another RPC"
            )
        while True:
            day = _extended(day, begun, last, final=final)
            self._rows = joined_events((self._rows, _of_day(rows, day.date)))
            write_day(self._shelf, day, self._rows)
            self._day = day
            if day.date == day_of(last.time):
                return
            day = replace(_new_day(day.date + _ONE_DAY, piece, last), whole=day.whole)
            self._rows = rows_from([])


def _new_day(day: date, piece: Piece, last: Mark) -> Day:
    return Day(
        date=day,
        start=midnight(day),
        end=midnight(day),
        step_s=None,
        blocks=Blocks(first=piece.first.number, last=last, final=None),
        origin=None,
        whole=False,
    )


def _extended(day: Day, begun: PoolEvent | None, last: Mark, *, final: bool) -> Day:
    """The day with all that a piece tells of it."""
    if day.blocks is None:
        raise ValueError(f"{day.date} does not come from a chain")
    is_last = day.date == day_of(last.time)
    begins = begun if begun is not None and day_of(begun.time) == day.date else None
    return replace(
        day,
        end=last.time + 1 if is_last else midnight(day.date + _ONE_DAY),
        blocks=replace(day.blocks, last=last, final=last if final else day.blocks.final),
        origin=begins.after if begins is not None else day.origin,
        whole=day.whole or begins is not None,
    )


def _of_day(rows: Events, day: date) -> Events:
    within = np.searchsorted(rows.time, (midnight(day), midnight(day + _ONE_DAY)))
    return cut(rows, int(within[0]), int(within[1]))
