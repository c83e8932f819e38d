"""A damaged journal: which rows can still be believed, and a new one that begins with those that
are needed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import rlp
from eth_account import Account
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from sqlalchemy import Connection, delete, select

from lpmanager.errors import JournalDamaged
from lpmanager.execution.intent import CLOSED, Status
from lpmanager.ledger import tables as t
from lpmanager.ledger.chained import NO_ROWS, Tip, append_row, row_digest, verified_rows

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A journal that is not as it was written.

    `bad` says of rows, by number, what is wrong with them. `kept` are the rows, in order, of
    transactions that are not settled and of which every row is sound.
    """

    rows: tuple[Record, ...]
    bad: Mapping[int, str]
    kept: tuple[Record, ...]

    @property
    def given_up(self) -> tuple[Record, ...]:
        """The rows that a new journal does without."""
        numbers = {row["id"] for row in self.kept}
        return tuple(row for row in self.rows if row["id"] not in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseAttempt:
    """A signed transaction of which the new journal will know nothing."""

    account: str
    chain_id: int
    nonce: int
    tx_hash: str


def find_damage(connection: Connection) -> Damage | None:
    """What is wrong with the journal; None where it is whole."""
    try:
        for _row in verified_rows(connection):
            pass
    except JournalDamaged:
        rows = _rows(connection)
        bad = dict(_bad(rows, _tip(connection)))
        return Damage(rows=rows, bad=bad, kept=_kept(rows, bad, _booked(connection)))
    return None


def begin_anew(connection: Connection, damage: Damage) -> None:
    """Replace the journal by what is kept of it, in the caller's database transaction."""
    connection.execute(delete(t.journal))
    connection.execute(delete(t.journal_tip))
    for row in damage.kept:
        values = {name: value for name, value in row.items() if name not in ("id", "digest")}
        append_row(connection, **values)


def loose_attempts(damage: Damage) -> list[LooseAttempt]:
    """What was signed by rows that are given up, as far as it can be read."""
    found = []
    for row in damage.given_up:
        try:
            raw = bytes.fromhex(json.loads(row["body"])["raw"])
            chain_id, nonce, *_rest = rlp.decode(raw[1:])
            attempt = LooseAttempt(
                account=Account.recover_transaction(raw),
                chain_id=int.from_bytes(chain_id),
                nonce=int.from_bytes(nonce),
                tx_hash=str(row["tx_hash"]),
            )
        except (ValueError, KeyError, TypeError, rlp.DecodingError, BadSignature, ValidationError):
            continue  # no signature, or none that anybody could send
        found.append(attempt)
    return found


def _bad(rows: tuple[Record, ...], tip: Tip) -> Iterator[tuple[int, str]]:
    """A row proves itself by the digest of the row before it, as that one has it written."""
    expected, before = 1, NO_ROWS.digest
    for row in rows:
        number = row["id"]
        for gone in range(expected, number):
            yield gone, "is gone"
        content = {name: value for name, value in row.items() if name != "digest"}
        if row["digest"] != row_digest(before, content):
            yield number, "is not as it was written, or follows one that is not"
        expected, before = number + 1, row["digest"]
    for gone in range(expected, tip.rows + 1):
        yield gone, "is gone"
    if rows and tip.rows < expected and tip != Tip(expected - 1, before):
        yield expected - 1, "is not where the journal was noted to end"


def _kept(
    rows: tuple[Record, ...], bad: Mapping[int, str], booked: frozenset[str]
) -> tuple[Record, ...]:
    """What is booked or closed needs no journal any more; what has a bad row cannot be believed."""
    intents: dict[str, list[Record]] = {}
    for row in rows:
        intents.setdefault(row["intent"], []).append(row)
    needed = {name for name, its in intents.items() if _is_needed(its, bad, booked)}
    return tuple(row for row in rows if row["intent"] in needed)


def _is_needed(rows: list[Record], bad: Mapping[int, str], booked: frozenset[str]) -> bool:
    signed = {row["tx_hash"] for row in rows if row["event"] == Status.SIGNED}
    begun = rows[0]["event"] == Status.PLANNED and bool(signed)
    whole = not any(row["id"] in bad for row in rows)
    return whole and begun and not signed & booked and rows[-1]["event"] not in CLOSED


def _booked(connection: Connection) -> frozenset[str]:
    """Hashes of the transactions that the books hold: their `booked` row may be the one that is
    gone, and they must not be booked twice."""
    query = select(t.entries.c.tx_hash).where(t.entries.c.tx_hash.is_not(None))
    return frozenset(connection.execute(query).scalars())


def _rows(connection: Connection) -> tuple[Record, ...]:
    with _any_bytes_as_text(connection):
        found = connection.execute(select(t.journal).order_by(t.journal.c.id)).all()
    return tuple(dict(row._mapping) for row in found)


def _tip(connection: Connection) -> Tip:
    with _any_bytes_as_text(connection):
        kept = connection.execute(select(t.journal_tip)).first()
    return NO_ROWS if kept is None else Tip(kept.rows, kept.digest)


@contextmanager
def _any_bytes_as_text(connection: Connection) -> Iterator[None]:
    """Let SQLite hand over text of which bytes have rotted, instead of failing on it."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    before = driver.text_factory
    driver.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    try:
        yield
    finally:
        driver.text_factory = before
