"""A damaged journal: which rows can still be believed, and a new one that begins with those that
are needed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import rlp
from eth_account import Account
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException
from sqlalchemy import Connection, delete, select

from lpmanager.execution.intent import CLOSED, SETTLED, Status
from lpmanager.ledger import tables as t
from lpmanager.ledger.chained import NO_ROWS, Tip, append_row, row_digest

Record = Mapping[str, Any]

#: An account, by its address, on a chain, by its id.
Who = tuple[str, int]


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

    @property
    def gone(self) -> tuple[int, ...]:
        """The numbers of rows that are there no more."""
        return tuple(self.bad.keys() - {row["id"] for row in self.rows})


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseEnd:
    """Something signed of which the new journal will know nothing.

    Its nonce is that one at most; None where no row tells it. `tx_hash` is None where none tells
    which transaction it is.
    """

    nonce: int | None
    tx_hash: str | None


def find_damage(connection: Connection) -> Damage | None:
    """What is wrong with the journal; None where it is whole."""
    rows = _rows(connection)
    bad = {**dict(_going_on(rows)), **dict(_bad(rows, _tip(connection)))}
    return Damage(rows=rows, bad=bad, kept=_kept(rows, bad, _booked(connection))) if bad else None


def begin_anew(connection: Connection, damage: Damage) -> None:
    """Replace the journal by what is kept of it, in the caller's database transaction."""
    connection.execute(delete(t.journal))
    connection.execute(delete(t.journal_tip))
    for row in damage.kept:
        values = {name: value for name, value in row.items() if name not in ("id", "digest")}
        append_row(connection, **values)


def loose_ends(damage: Damage, account: str, chain_id: int) -> list[LooseEnd]:
    """What an account may have signed on a chain by rows that are given up.

    A signature of the account's proves its nonce, whatever else has rotted in its row. Where no row
    is left that tells whose something is, it may be any account's.
    """
    who = account, chain_id
    found = (_loose_end(damage, rows, who) for rows in _by_intent(damage.given_up).values())
    ends = [end for end in found if end is not None]
    if len(damage.gone) > 1:  # the row of a plan, and that of its signature
        nonce = _before_later_plans(damage, max(damage.gone), who)
        ends.append(LooseEnd(nonce=nonce, tx_hash=None))
    return ends


def _loose_end(damage: Damage, rows: list[Record], who: Who) -> LooseEnd | None:
    """What of one intent may be loose, if it is that account's."""
    sound = [row for row in rows if row["id"] not in damage.bad]
    if sound == rows and rows[-1]["event"] in CLOSED:
        return None
    tx_hash = next((str(row["tx_hash"]) for row in rows if row["event"] == Status.SIGNED), None)
    signed = [found for row in rows if (found := _signed(row)) is not None]
    proven = [nonce for signer, _, nonce in signed if signer == who]
    if proven:
        return LooseEnd(nonce=proven[0], tx_hash=tx_hash)
    told = [_whose(row) for row in sound]
    told += [signer for signer, written, _ in signed if signer == written]
    is_anothers = bool(told) and told[0] != who
    if is_anothers or rows[-1]["event"] in SETTLED | CLOSED or not _may_be_signed(damage, rows):
        return None
    planned = [_planned_nonce(row) for row in sound if row["event"] == Status.PLANNED]
    nonce = planned[0] if planned else _before_later_plans(damage, rows[0]["id"], who)
    return LooseEnd(nonce=nonce, tx_hash=tx_hash)


def _may_be_signed(damage: Damage, rows: list[Record]) -> bool:
    """Whether a row of an intent is of a signature, or may have been."""
    planned_at = max((row["id"] for row in rows if row["event"] == Status.PLANNED), default=0)
    return any(n > planned_at for n in damage.gone) or any(_may_be_signature(row) for row in rows)


def _may_be_signature(row: Record) -> bool:
    """What rotted may be no event any more; a plan has no hash."""
    rotten = row["event"] not in {*Status}
    return row["event"] == Status.SIGNED or (rotten and row["tx_hash"] is not None)


def _before_later_plans(damage: Damage, number: int, who: Who) -> int | None:
    """The last nonce before all that an account planned after that row; None where that is nothing.
    What it had planned until then has such a nonce at most."""
    later = (row for row in damage.rows if row["id"] > number and row["id"] not in damage.bad)
    nonces = [
        _planned_nonce(row) - 1
        for row in later
        if row["event"] == Status.PLANNED and _whose(row) == who
    ]
    return min(nonces, default=None)


def _whose(row: Record) -> Who:
    """The account and chain that a row says it is of."""
    return row["account"], row["chain_id"]


def _planned_nonce(row: Record) -> int:
    """Of a row that is sound."""
    nonce: int = json.loads(row["body"])["nonce"]
    return nonce


def _signed(row: Record) -> tuple[Who, Who, int] | None:
    """Who signed the transaction in a row, by its signature and as the row says, and its nonce.
    Bytes that have rotted are another's, whom nobody knows."""
    try:
        raw = bytes.fromhex(json.loads(row["body"])["raw"])
        chain_id, nonce, *_rest = rlp.decode(raw[1:])
        signer = Account.recover_transaction(raw), int.from_bytes(chain_id)
        return signer, _whose(row), int.from_bytes(nonce)
    except (ValueError, KeyError, TypeError, RLPException, BadSignature, ValidationError):
        return None  # no signature, or none that anybody could send


def _by_intent(rows: Iterable[Record]) -> dict[str, list[Record]]:
    intents: dict[str, list[Record]] = {}
    for row in rows:
        intents.setdefault(row["intent"], []).append(row)
    return intents


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
    if tip.rows < expected and tip != Tip(expected - 1, before):
        yield expected - 1, "is not where the journal was noted to end"


def _going_on(rows: tuple[Record, ...]) -> Iterator[tuple[int, str]]:
    """Rows that no journal has, though they prove each other."""
    closed = set()
    for row in rows:
        if row["event"] in CLOSED:
            closed.add(row["intent"])
        elif row["intent"] in closed:
            yield row["id"], "goes on with an intent that was closed"


def _kept(
    rows: tuple[Record, ...], bad: Mapping[int, str], booked: frozenset[str]
) -> tuple[Record, ...]:
    """What is booked or closed needs no journal any more; what has a bad row cannot be believed."""
    needed = {name for name, its in _by_intent(rows).items() if _is_needed(its, bad, booked)}
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
