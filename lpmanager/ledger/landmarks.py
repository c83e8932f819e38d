"""The blocks that a campaign's books stand on: does the chain still have them?"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Engine, select

from lpmanager.ledger import tables as t


class Landmark(NamedTuple):
    """A block of which something was booked. `tx_hash` is None where it was no transaction."""

    number: int
    block_hash: str
    tx_hash: str | None


class Landmarks(NamedTuple):
    """The block that was booked last, and that of our last transaction; None where there is none.

    A block stands on all before it, so where the chain has one of these, it has those as well.
    """

    newest: Landmark | None
    transaction: Landmark | None

    @property
    def heights(self) -> tuple[int, ...]:
        """Where the chain is to be looked at."""
        return tuple(dict.fromkeys(mark.number for mark in self if mark is not None))


def landmarks(engine: Engine, campaign: str) -> Landmarks:
    """What a campaign's books stand on now."""
    return Landmarks(
        newest=_newest(engine, t.entries.c.campaign == campaign),
        transaction=_newest(
            engine, t.entries.c.campaign == campaign, t.entries.c.tx_hash.is_not(None)
        ),
    )


def _newest(engine: Engine, *which: ColumnElement[bool]) -> Landmark | None:
    columns = t.entries.c
    query = (
        select(columns.block_number, columns.block_hash, columns.tx_hash)
        .where(*which)
        .order_by(columns.id.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        found = connection.execute(query).first()
    return None if found is None else Landmark(*found)
