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
    """The block that positions were last marked at, and that of our last transaction; None where
    there is none.

    A block stands on all before it: where the chain has that of our last transaction, it has those
    of all of them. But not the one of a mark that is older: a mark is of a block that was not final
    when it was made, and what took that out may have come before the transaction.
    """

    marked: Landmark | None
    transaction: Landmark | None

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
