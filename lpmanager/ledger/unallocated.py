"""What of an account's tokens belongs to no campaign, where campaigns have budgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from lpmanager.ledger import tables as t


@dataclass(frozen=True, slots=True, kw_only=True)
class Unallocated:
    """Raw units that belong to no campaign, with all transfers up to a block."""

    raw: int
    last_block: int


def read_unallocated(
    connection: Connection, chain_id: int, account: str, token: str
) -> Unallocated | None:
    """What is unallocated of a token; None where no campaign of the account has a budget."""
    row = connection.execute(select(t.unallocated).where(*_key(chain_id, account, token))).first()
    return None if row is None else Unallocated(raw=row.raw, last_block=row.last_block)


def write_unallocated(
    connection: Connection, chain_id: int, account: str, token: str, raw: int, last_block: int
) -> None:
    """Set what is unallocated of a token, and up to which block transfers are in it."""
    connection.execute(delete(t.unallocated).where(*_key(chain_id, account, token)))
    connection.execute(
        insert(t.unallocated).values(
            chain_id=chain_id, account=account, token=token, raw=raw, last_block=last_block
        )
    )


def _key(chain_id: int, account: str, token: str) -> tuple[Any, ...]:
    columns = t.unallocated.c
    return columns.chain_id == chain_id, columns.account == account, columns.token == token
