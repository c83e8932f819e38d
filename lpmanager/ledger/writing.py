"""Writing a batch of bookkeeping: all of it in one transaction of the database, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from lpmanager.ledger import tables as t
from lpmanager.ledger.accounting import OPENED_AGAIN, Entry, added
from lpmanager.ledger.journal import append_booked
from lpmanager.model import Basis


@dataclass(frozen=True, slots=True)
class Opened:
    """A position came that is not open."""

    basis: Basis


@dataclass(frozen=True, slots=True)
class BegunAnew:
    """A position is as the basis says from now on, open before or not."""

    basis: Basis


@dataclass(frozen=True, slots=True)
class Closed:
    """A position that was open went, at a time in Unix seconds."""

    token_id: int
    timestamp: int


PositionEvent = Opened | BegunAnew | Closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one step of bookkeeping writes, all of it or nothing.

    `positions` is what became of them, in order: one that went may have come back.
    `decided_at` is the time of the block that the plan behind them was made at; `transactions` are
    the hashes of ours that are booked with this.
    """

    entries: tuple[Entry, ...]
    last_block: int
    positions: tuple[PositionEvent, ...] = ()
    decided_at: int | None = None
    transactions: tuple[str, ...] = ()


def write_batch(connection: Connection, campaign: str, batch: Batch) -> None:
    """Write a batch of a campaign on a connection whose transaction is the caller's."""
    for entry in batch.entries:
        # books may be opened with nothing, and then it counts at which block
        if entry.postings or entry.by_hand is not None or entry.kind in ("deposit", OPENED_AGAIN):
            _write_entry(connection, campaign, entry, batch.decided_at)
    _add_to_balances(connection, campaign, batch.entries)
    for event in batch.positions:
        _write_event(connection, campaign, event)
    connection.execute(
        update(t.campaigns)
        .where(t.campaigns.c.name == campaign)
        .values(last_block=batch.last_block)
    )
    append_booked(connection, batch.transactions)


def _write_entry(
    connection: Connection, campaign: str, entry: Entry, decided_at: int | None
) -> None:
    (entry_id,) = connection.execute(
        insert(t.entries)
        .values(
            campaign=campaign,
            kind=entry.kind,
            block_number=entry.block.number,
            block_hash=entry.block.hash,
            timestamp=entry.block.timestamp,
            tx_hash=entry.tx_hash,
            sqrt_price_x96=entry.sqrt_price_x96,
            decided_at=decided_at,
            by_hand=entry.by_hand,
        )
        .returning(t.entries.c.id)
    ).one()
    if not entry.postings:
        return
    connection.execute(
        insert(t.postings),
        [
            {
                "entry": entry_id,
                "account": posting.account,
                "token": posting.amount.token.address,
                "raw": posting.amount.raw,
            }
            for posting in entry.postings
        ],
    )


def _add_to_balances(connection: Connection, campaign: str, entries: Iterable[Entry]) -> None:
    """An account that comes to zero leaves no row, or every position that ever was would stay."""
    before = kept_balances(connection, campaign)
    after = added(before, entries)
    columns = t.balances.c
    for (account, token), raw in after.items():
        if raw == before.get((account, token), 0):
            continue
        connection.execute(
            delete(t.balances).where(
                columns.campaign == campaign, columns.account == account, columns.token == token
            )
        )
        if raw:
            connection.execute(
                insert(t.balances).values(campaign=campaign, account=account, token=token, raw=raw)
            )


def _write_event(connection: Connection, campaign: str, event: PositionEvent) -> None:
    match event:
        case Opened(basis):
            _write_position(connection, campaign, basis)
        case BegunAnew(basis):
            connection.execute(delete(t.positions).where(*_open(campaign, basis.token_id)))
            _write_position(connection, campaign, basis)
        case Closed(token_id, timestamp):
            connection.execute(
                update(t.positions).where(*_open(campaign, token_id)).values(closed_at=timestamp)
            )


def _open(campaign: str, token_id: int) -> tuple[ColumnElement[bool], ...]:
    """The life that a position has now."""
    columns = t.positions.c
    return columns.campaign == campaign, columns.token_id == token_id, columns.closed_at.is_(None)


def _write_position(connection: Connection, campaign: str, basis: Basis) -> None:
    raw0, raw1 = basis.amounts.raw
    connection.execute(
        insert(t.positions).values(
            campaign=campaign,
            token_id=basis.token_id,
            lower=basis.range.lower,
            upper=basis.range.upper,
            liquidity=basis.liquidity,
            raw0=raw0,
            raw1=raw1,
            sqrt_price_x96=basis.sqrt_price_x96,
            opened_at=basis.timestamp,
        )
    )


def kept_balances(connection: Connection, campaign: str) -> dict[tuple[str, str], int]:
    """The sum of all postings of every account that is not at zero, by account and token."""
    columns = t.balances.c
    query = select(columns.account, columns.token, columns.raw).where(columns.campaign == campaign)
    return {(account, token): raw for account, token, raw in connection.execute(query)}
