"""Sent transactions, cycles and halts: the store's tables that are not double-entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, insert, select, update

from lpmanager.ledger import tables as t


class TransactionJournal:
    """Every signed transaction of an account, durable before it is sent."""

    def __init__(self, engine: Engine, chain_id: int) -> None:
        self._engine = engine
        self._chain_id = chain_id

    def journal_open(
        self, *, tx_hash: str, account: str, nonce: int, what: str, signed_raw: bytes, sent_at: int
    ) -> None:
        """Write a transaction down as open; durable when this returns."""
        with self._engine.begin() as connection:
            connection.execute(
                insert(t.journal).values(
                    tx_hash=tx_hash,
                    chain_id=self._chain_id,
                    account=account,
                    nonce=nonce,
                    what=what,
                    signed_raw=signed_raw,
                    sent_at=sent_at,
                    status="open",
                )
            )

    def journal_close(self, tx_hash: str, status: str) -> None:
        """A transaction's fate is known: "mined" or "failed"."""
        with self._engine.begin() as connection:
            connection.execute(
                update(t.journal).where(t.journal.c.tx_hash == tx_hash).values(status=status)
            )

    def open_transactions(self, account: str) -> list[tuple[str, str]]:
        """Hash and purpose of what was sent and is not settled, oldest first."""
        query = (
            select(t.journal.c.tx_hash, t.journal.c.what)
            .where(
                t.journal.c.chain_id == self._chain_id,
                t.journal.c.account == account,
                t.journal.c.status == "open",
            )
            .order_by(t.journal.c.nonce)
        )
        with self._engine.connect() as connection:
            return [(row.tx_hash, row.what) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRow:
    """One cycle as it was written down; `decision` is the JSON of its Plan or Hold."""

    block_number: int
    timestamp: int
    sqrt_price_x96: int
    decision: dict[str, Any]
    acted: bool
    stopped: str | None


class Diary:
    """What one campaign decided, and whether it is halted."""

    def __init__(self, engine: Engine, campaign: str) -> None:
        self._engine = engine
        self._campaign = campaign

    def write(self, row: CycleRow) -> None:
        """Add a cycle."""
        with self._engine.begin() as connection:
            connection.execute(
                insert(t.cycles).values(
                    campaign=self._campaign,
                    block_number=row.block_number,
                    timestamp=row.timestamp,
                    sqrt_price_x96=row.sqrt_price_x96,
                    decision=row.decision,
                    acted=int(row.acted),
                    stopped=row.stopped,
                )
            )

    def cycles(self) -> list[CycleRow]:
        """Every cycle, oldest first."""
        query = (
            select(t.cycles).where(t.cycles.c.campaign == self._campaign).order_by(t.cycles.c.id)
        )
        with self._engine.connect() as connection:
            return [
                CycleRow(
                    block_number=row.block_number,
                    timestamp=row.timestamp,
                    sqrt_price_x96=row.sqrt_price_x96,
                    decision=row.decision,
                    acted=bool(row.acted),
                    stopped=row.stopped,
                )
                for row in connection.execute(query)
            ]

    def halt(self, reason: str, timestamp: int) -> None:
        """Nothing more is done for the campaign until `resume`."""
        with self._engine.begin() as connection:
            connection.execute(
                insert(t.halts).values(campaign=self._campaign, reason=reason, timestamp=timestamp)
            )

    def halted(self) -> str | None:
        """Why the campaign is halted, or None."""
        query = select(t.halts.c.reason).where(*self._standing()).order_by(t.halts.c.id)
        with self._engine.connect() as connection:
            return connection.execute(query).scalars().first()

    def resume(self, timestamp: int) -> None:
        """Lift every halt of the campaign."""
        with self._engine.begin() as connection:
            connection.execute(
                update(t.halts).where(*self._standing()).values(resumed_at=timestamp)
            )

    def _standing(self) -> tuple[Any, ...]:
        return t.halts.c.campaign == self._campaign, t.halts.c.resumed_at.is_(None)
