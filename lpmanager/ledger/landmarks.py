"""The blocks that a campaign's books stand on: does the chain still have them?"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Engine, func, select

from lpmanager.ledger import tables as t
from lpmanager.ledger.accounting import OPENED_AGAIN
from lpmanager.model.units import HOUR_S

#: No reorganisation reaches back further than so many seconds.
MAY_BE_TAKEN_OUT_S = HOUR_S


class Landmark(NamedTuple):
    """A block of that time (Unix seconds) of which something was booked. `tx_hash` is None where
    it was no transaction."""

    number: int
    block_hash: str
    tx_hash: str | None
    timestamp: int


class Landmarks(NamedTuple):
    """The block that positions were last marked at, that of our last transaction, and that which
    the books were opened at last, while it may still be taken out; None where there is none.

    A block stands on all before it: where the chain has that of our last transaction, it has those
    of all of them. But not the one of a mark that is older: a mark is of a block that was not final
    when it was made, and what took that out may have come before the transaction.
    """

    marked: Landmark | None
    transaction: Landmark | None
    opened: Landmark | None

    @property
    def heights(self) -> tuple[int, ...]:
        """Where the chain is to be looked at."""
        return tuple(dict.fromkeys(mark.number for mark in self if mark is not None))


def landmarks(engine: Engine, campaign: str) -> Landmarks:
    """What a campaign's books stand on now."""
    ours, tx_hash = t.entries.c.campaign == campaign, t.entries.c.tx_hash
    return Landmarks(
        marked=_newest(engine, ours, tx_hash.is_(None)),
        transaction=_newest(engine, ours, tx_hash.is_not(None)),
        opened=_opened(engine, ours),
    )


def _opened(engine: Engine, ours: ColumnElement[bool]) -> Landmark | None:
    columns = t.entries.c
    again = func.max(columns.id).filter(columns.kind == OPENED_AGAIN)
    at = select(func.coalesce(again, func.min(columns.id))).where(ours).scalar_subquery()
    newest = select(func.max(columns.timestamp)).where(ours).scalar_subquery()
    query = select(*_landmark_columns(), newest).where(columns.id == at)
    with engine.connect() as connection:
        found = connection.execute(query).first()
    if found is None:
        return None
    *landmark, newest_at = found
    opened = Landmark(*landmark)
    return opened if newest_at - opened.timestamp < MAY_BE_TAKEN_OUT_S else None


def _newest(engine: Engine, *which: ColumnElement[bool]) -> Landmark | None:
    query = select(*_landmark_columns()).where(*which).order_by(t.entries.c.id.desc()).limit(1)
    with engine.connect() as connection:
        found = connection.execute(query).first()
    return None if found is None else Landmark(*found)


def _landmark_columns() -> tuple[Column[Any], ...]:
    columns = t.entries.c
    return columns.block_number, columns.block_hash, columns.tx_hash, columns.timestamp
