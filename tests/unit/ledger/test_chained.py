"""A journal that is not as it was written is found out, with the number of the row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from builders import ACCOUNT, CHAIN_ID, a_purpose, an_attempt, an_inclusion
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from lpmanager.errors import JournalDamaged, StoreError
from lpmanager.execution.intent import Status
from lpmanager.ledger.journal import TransactionJournal
from lpmanager.ledger.store import Ledger

ROWS = 8
TEXTS = ("intent", "account", "event", "tx_hash", "body", "digest")


def fill(ledger: Ledger) -> None:
    """Two intents, in eight rows."""
    journal = ledger.journal(CHAIN_ID)
    for nonce in (7, 8):
        intent = journal.plan(ACCOUNT, nonce, a_purpose(nonce))
        intent = journal.signed(intent, an_attempt(nonce))
        intent = journal.note(intent, Status.MINED, an_inclusion(nonce))
        journal.note(intent, Status.FINAL)


@pytest.fixture(scope="module")
def whole() -> Iterator[Ledger]:
    ledger = Ledger.open("sqlite://")
    fill(ledger)
    yield ledger
    ledger.engine.dispose()


@pytest.fixture
def ledger(whole: Ledger) -> Iterator[Ledger]:
    """A copy that a test may damage."""
    ledger = whole.rehearsal()
    yield ledger
    ledger.engine.dispose()


def run(ledger: Ledger, sql: str, **values: Any) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(text(sql), values)


def read(ledger: Ledger) -> TransactionJournal:
    """As a new process reads it."""
    journal = TransactionJournal(ledger.engine, CHAIN_ID)
    journal.history(ACCOUNT)
    return journal


def damaged_row(ledger: Ledger) -> int:
    """The number that the journal is refused with."""
    with pytest.raises(JournalDamaged) as refused:
        read(ledger)
    assert "lpm doctor --repair" in str(refused.value)
    return int(str(refused.value).split()[1])


def test_a_whole_journal_is_read(ledger: Ledger) -> None:
    assert [intent.nonce for intent in read(ledger).history(ACCOUNT)] == [7, 8]


@settings(max_examples=150)
@given(
    row=st.integers(1, ROWS),
    column=st.sampled_from(TEXTS),
    place=st.integers(0, 10**4),
    bit=st.integers(0, 7),
)
def test_one_bit_of_any_text_shows(
    whole: Ledger, row: int, column: str, place: int, bit: int
) -> None:
    """Also where it makes a byte that is no text any more."""
    ledger = whole.rehearsal()
    with ledger.engine.begin() as connection:
        where = {"row": row}
        query = text(f"SELECT CAST({column} AS BLOB) FROM journal WHERE id = :row")
        found = connection.execute(query, where).scalar()
        content = bytearray(found or b"\x00")
        content[place % len(content)] ^= 1 << bit
        update = text(f"UPDATE journal SET {column} = CAST(:now AS TEXT) WHERE id = :row")
        connection.execute(update, {"now": bytes(content), **where})
    assert damaged_row(ledger) == row
    ledger.engine.dispose()


@settings(max_examples=60)
@given(row=st.integers(1, ROWS), bit=st.integers(0, 62), column=st.sampled_from(["id", "chain_id"]))
def test_one_bit_of_any_number_shows(whole: Ledger, row: int, bit: int, column: str) -> None:
    ledger = whole.rehearsal()
    flipped = (row if column == "id" else CHAIN_ID) ^ 1 << bit
    try:
        run(ledger, f"UPDATE journal SET {column} = {flipped} WHERE id = {row}")
    except IntegrityError:
        assert column == "id"
        assert 1 <= flipped <= ROWS
    else:
        assert damaged_row(ledger) == row
    ledger.engine.dispose()


@pytest.mark.parametrize("value", ["''", "x'00ff'", "1", "1.5"])
@pytest.mark.parametrize("column", ["intent", "chain_id", "tx_hash", "body"])
def test_a_value_of_another_kind_shows(ledger: Ledger, column: str, value: str) -> None:
    run(ledger, f"UPDATE journal SET {column} = {value} WHERE id = 2")
    assert damaged_row(ledger) == 2


@pytest.mark.parametrize("row", range(1, ROWS + 1))
def test_a_row_that_is_gone_shows(ledger: Ledger, row: int) -> None:
    run(ledger, f"DELETE FROM journal WHERE id = {row}")
    assert damaged_row(ledger) == row


def test_rows_that_are_all_gone_show(ledger: Ledger) -> None:
    run(ledger, "DELETE FROM journal")
    assert damaged_row(ledger) == 1


def test_two_rows_that_changed_places_show(ledger: Ledger) -> None:
    for now, then in ((3, 99), (4, 3), (99, 4)):
        run(ledger, f"UPDATE journal SET id = {then} WHERE id = {now}")
    assert damaged_row(ledger) == 3


@pytest.mark.parametrize("row", range(1, ROWS + 1))
def test_a_row_of_another_journal_shows_though_it_is_whole_in_itself(
    whole: Ledger, ledger: Ledger, row: int
) -> None:
    other = Ledger.open("sqlite://")
    fill(other)
    columns = ("intent", "body", "digest")
    with other.engine.connect() as connection:
        query = text(f"SELECT {', '.join(columns)} FROM journal WHERE id = {row}")
        theirs = dict(connection.execute(query).one()._mapping)
    other.engine.dispose()
    run(
        ledger,
        f"UPDATE journal SET {', '.join(f'{c} = :{c}' for c in columns)} WHERE id = {row}",
        **theirs,
    )
    assert damaged_row(ledger) == (row if row > 1 else 2)


END: dict[str, tuple[str, int]] = {
    "is gone": ("DELETE FROM journal_tip", 1),
    "was put back": ("UPDATE journal_tip SET rows = 5", 6),
    "was put forward": ("UPDATE journal_tip SET rows = 10", 9),
    "has another digest": ("UPDATE journal_tip SET digest = substr(digest, 2) || 'x'", 8),
    "is no text any more": ("UPDATE journal_tip SET digest = CAST(x'ff' AS TEXT)", 1),
}


@pytest.mark.parametrize("change", END)
def test_an_end_of_the_journal_that_was_changed_shows(ledger: Ledger, change: str) -> None:
    sql, row = END[change]
    run(ledger, sql)
    assert damaged_row(ledger) == row


def test_a_row_added_behind_the_end_shows(ledger: Ledger) -> None:
    columns = "intent, chain_id, account, event, tx_hash, body, digest"
    run(ledger, f"INSERT INTO journal SELECT 9, {columns} FROM journal WHERE id = 8")
    assert damaged_row(ledger) == 9


def test_a_row_cannot_be_written_twice(ledger: Ledger) -> None:
    columns = "intent, chain_id, account, event, tx_hash, body, digest"
    with pytest.raises(IntegrityError):
        run(ledger, f"INSERT INTO journal SELECT 8, {columns} FROM journal WHERE id = 8")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM journal_tip",
        "DELETE FROM journal WHERE id = 8",
        "UPDATE journal SET digest = 'x' WHERE id = 8",
        "UPDATE journal SET body = CAST(x'ff' AS TEXT) WHERE id = 8",
        "UPDATE journal_tip SET digest = CAST(x'ff' AS TEXT)",
    ],
)
def test_nothing_is_written_behind_an_end_that_is_not_as_it_was_left(
    ledger: Ledger, sql: str
) -> None:
    journal = read(ledger)
    run(ledger, sql)
    with pytest.raises(JournalDamaged):
        journal.plan(ACCOUNT, 9, a_purpose())
    with ledger.engine.connect() as connection:
        last = connection.execute(text("SELECT max(id) FROM journal")).scalar()
    assert last is not None
    assert last <= ROWS


def test_a_journal_that_is_damaged_while_it_is_used_is_found_out_at_the_next_look(
    ledger: Ledger,
) -> None:
    """What was read before is not read again; what came since is."""
    journal = read(ledger)
    writer = TransactionJournal(ledger.engine, CHAIN_ID)
    writer.plan(ACCOUNT, 9, a_purpose())
    run(ledger, "UPDATE journal SET body = replace(body, 'main', 'mine') WHERE id = 9")
    with pytest.raises(JournalDamaged, match="row 9 "):
        journal.history(ACCOUNT)


def test_bytes_that_rot_in_the_file_are_found_out(tmp_path: Path) -> None:
    """Wherever in the rows: by the journal, where SQLite does not see it."""
    path = tmp_path / "books.db"
    ledger = Ledger.open(f"sqlite:///{path}")
    fill(ledger)
    ledger.engine.dispose()
    content = path.read_bytes()
    digests = [content.find(digest) for digest in kept_digests(path)]
    places = range(min(digests), max(digests), 97)
    assert len(places) > 20
    passed = []
    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        if not is_refused(path):
            passed.append(place)
    assert passed == []


def kept_digests(path: Path) -> list[bytes]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0].encode() for row in connection.execute("SELECT digest FROM journal")]


def is_refused(path: Path) -> bool:
    try:
        ledger = Ledger.open(f"sqlite:///{path}")
    except StoreError:
        return True
    try:
        read(ledger)
    except JournalDamaged:
        return True
    finally:
        ledger.engine.dispose()
    return False
