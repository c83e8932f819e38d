"""Which chain a store's books are of: two chains of one id differ in their first block."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, insert, select

from lpmanager.chain.node import require_same_genesis
from lpmanager.ledger import tables as t
from lpmanager.ledger.database import writing


def known_genesis(engine: Engine, chain_id: int) -> str | None:
    """The hash of a chain's first block as it was noted; None before the chain was used."""
    with engine.connect() as connection:
        return _known(connection, chain_id)


def note_genesis(engine: Engine, chain_id: int, found: str) -> None:
    """Note the hash of a chain's first block, once. Raises WrongChain where another is noted."""
    with writing(engine) as connection:
        known = _known(connection, chain_id)
        require_same_genesis(known, found)
        if known is None:
            connection.execute(insert(t.chains).values(chain_id=chain_id, genesis=found))


def _known(connection: Connection, chain_id: int) -> str | None:
    query = select(t.chains.c.genesis).where(t.chains.c.chain_id == chain_id)
    return connection.execute(query).scalar()
