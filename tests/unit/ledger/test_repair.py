"""A damaged journal gives up what cannot be believed, and keeps what is still to be settled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from builders import (
    ACCOUNT,
    CHAIN_ID,
    a_pool,
    a_purpose,
    a_snapshot,
    amounts,
    an_attempt,
    an_inclusion,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from whole_intents import whole_intents

from lpmanager.doctor.repair import Repair, _write_aside
from lpmanager.errors import JournalDamaged
from lpmanager.execution.intent import Attempt, Intent, Status
from lpmanager.execution.signer import signer_from_clear_key
from lpmanager.ledger.accounting import opening
from lpmanager.ledger.repair import Damage, LooseEnd, begin_anew, find_damage, loose_ends
from lpmanager.ledger.store import CampaignRow, Ledger
from lpmanager.ledger.writing import Batch

#: Public knowledge: the first account of every development chain.
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
#: Its address.
SIGNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
TEXTS = ("intent", "account", "event", "tx_hash", "body", "digest")
ROWS = 9


def a_signed(nonce: int) -> Attempt:
    """An attempt with bytes that a chain would take."""
    signed = signer_from_clear_key(KEY, devnet=True).sign(
        {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": nonce,
            "to": ACCOUNT,
            "value": 0,
            "data": b"",
            "gas": 21000,
            "maxFeePerGas": 3000,
            "maxPriorityFeePerGas": 1000,
        }
    )
    return Attempt(
        tx_hash=signed.tx_hash, raw=signed.raw, max_fee=3000, tip=1000, cancels=False, signed_at=0
    )


def begin(ledger: Ledger, nonce: int, *attempts: Attempt) -> Intent:
    journal = ledger.journal(CHAIN_ID)
    intent = journal.plan(SIGNER, nonce, a_purpose(nonce))
    for attempt in attempts:
        intent = journal.signed(intent, attempt)
    return intent


def fill(ledger: Ledger) -> None:
    """Rows 1-5: nonce 7, booked. Rows 6-8: nonce 8, mined. Row 9: nonce 9, never signed."""
    journal = ledger.journal(CHAIN_ID)
    booked = begin(ledger, 7, an_attempt(7))
    booked = journal.note(booked, Status.MINED, an_inclusion(7))
    booked = journal.note(booked, Status.FINAL)
    book(ledger, an_attempt(7))
    journal.note(begin(ledger, 8, a_signed(8)), Status.MINED, an_inclusion(8))
    begin(ledger, 9)


def book(ledger: Ledger, attempt: Attempt) -> None:
    """Open a campaign, and book the gas of a transaction of ours."""
    snapshot = a_snapshot(wallet=(5, 5))
    row = CampaignRow(
        name="main",
        chain_id=CHAIN_ID,
        account=ACCOUNT,
        pool=a_pool().address,
        budget=None,
        last_block=100,
    )
    entry = opening(snapshot, snapshot.wallet.balances)
    none = amounts(0, 0)
    ledger.open_campaign(row, a_pool(), none, none, Batch(entries=(entry,), last_block=100))
    paid = replace(entry, kind="gas", tx_hash=attempt.tx_hash)
    batch = Batch(entries=(paid,), last_block=101, transactions=(attempt.tx_hash,))
    ledger.post("main", batch)


@pytest.fixture(scope="module")
def whole() -> Iterator[Ledger]:
    ledger = Ledger.open("sqlite://")
    fill(ledger)
    yield ledger
    ledger.engine.dispose()


@pytest.fixture
def ledger(whole: Ledger) -> Iterator[Ledger]:
    """A copy that a test may damage."""
    copy = whole.rehearsal()
    yield copy
    copy.engine.dispose()


def run(ledger: Ledger, sql: str, **values: Any) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(text(sql), values)


def look(ledger: Ledger) -> Damage | None:
    with ledger.engine.connect() as connection:
        return find_damage(connection)


def damage(ledger: Ledger) -> Damage:
    found = look(ledger)
    assert found is not None
    return found


def kept_nonces(ledger: Ledger) -> list[int]:
    """The nonces of the intents in the journal that is begun anew."""
    found = damage(ledger)
    with ledger.engine.begin() as connection:
        begin_anew(connection, found)
    assert look(ledger) is None
    return [i.nonce for i in whole_intents(ledger.engine, SIGNER, CHAIN_ID)]


def test_a_whole_journal_has_no_damage(ledger: Ledger) -> None:
    assert look(ledger) is None


def test_an_empty_journal_has_no_damage_unless_it_was_noted_to_end_otherwise() -> None:
    ledger = Ledger.open("sqlite://")
    assert look(ledger) is None
    run(ledger, "INSERT INTO journal_tip VALUES (0, 'x')")
    assert set(damage(ledger).bad) == {0}
    ledger.engine.dispose()


def rot(ledger: Ledger, row: int, column: str, place: int, bit: int, kind: str) -> None:
    """Flip a bit of a value, which is of that kind then."""
    with ledger.engine.begin() as connection:
        where = {"row": row}
        query = text(f"SELECT CAST({column} AS BLOB) FROM journal WHERE id = :row")
        content = bytearray(connection.execute(query, where).scalar() or b"\x00")
        content[place % len(content)] ^= 1 << bit
        update = text(f"UPDATE journal SET {column} = CAST(:now AS {kind}) WHERE id = :row")
        connection.execute(update, {"now": bytes(content), **where})


@settings(max_examples=100)
@given(
    row=st.integers(1, ROWS),
    column=st.sampled_from(TEXTS),
    place=st.integers(0, 10**4),
    bit=st.integers(0, 7),
)
def test_a_row_of_which_a_bit_has_rotted_is_named_and_not_kept(
    whole: Ledger, row: int, column: str, place: int, bit: int
) -> None:
    """Also where it makes a byte that is no text any more."""
    ledger = whole.rehearsal()
    rot(ledger, row, column, place, bit, "TEXT")
    found = damage(ledger)
    assert row in found.bad
    assert set(found.bad) <= {row, row + 1}
    assert row not in {kept["id"] for kept in found.kept}
    ledger.engine.dispose()


@settings(max_examples=150)
@given(
    row=st.integers(1, ROWS),
    column=st.sampled_from((*TEXTS, "chain_id")),
    place=st.integers(0, 10**4),
    bit=st.integers(0, 7),
    kind=st.sampled_from(["TEXT", "BLOB", "REAL", "INTEGER"]),
)
def test_whatever_has_rotted_in_a_row_its_row_is_given_up_and_moved_aside(
    whole: Ledger,
    tmp_path_factory: pytest.TempPathFactory,
    row: int,
    column: str,
    place: int,
    bit: int,
    kind: str,
) -> None:
    """Also where its kind has: a row says of each value whether it is text, bytes or a number."""
    ledger = whole.rehearsal()
    rot(ledger, row, column, place, bit, kind)
    found = damage(ledger)
    kept = {its["id"] for its in found.kept}
    assert row not in kept
    nonces = {end.nonce for end in loose_ends(found, SIGNER, CHAIN_ID)}
    assert nonces <= {7, 8}
    assert (8 in nonces) != ({6, 7} <= kept)
    aside = tmp_path_factory.mktemp("aside") / "journal.jsonl"
    _write_aside(Repair(damage=found, obstacles=(), aside=aside))
    assert [json.loads(line)["id"] for line in aside.read_text().splitlines()] == [*range(1, 10)]
    ledger.engine.dispose()


def test_what_is_mined_and_not_booked_is_kept_and_the_rest_given_up(ledger: Ledger) -> None:
    run(ledger, "UPDATE journal SET body = '{}' WHERE id = 2")
    found = damage(ledger)
    assert found.bad == {2: "is not as it was written, or follows one that is not"}
    assert [row["id"] for row in found.kept] == [6, 7, 8]
    assert kept_nonces(ledger) == [8]


def test_what_is_kept_is_as_it_was(ledger: Ledger) -> None:
    before = {i.nonce: i for i in whole_intents(ledger.engine, SIGNER, CHAIN_ID)}
    run(ledger, "UPDATE journal SET body = '{}' WHERE id = 2")
    assert kept_nonces(ledger) == [8]
    journal = Ledger(ledger.engine).journal(CHAIN_ID)
    assert journal.history(SIGNER) == [before[8].summary()]
    assert journal.open_intents(SIGNER) == [before[8]]


def test_a_row_that_goes_on_with_what_was_closed_is_damage_as_the_journal_says(
    ledger: Ledger,
) -> None:
    """It is as it was written, by whatever wrote it."""
    booked = whole_intents(ledger.engine, SIGNER, CHAIN_ID)[0]
    ledger.journal(CHAIN_ID).note(booked, Status.MINED, an_inclusion(7))
    with pytest.raises(JournalDamaged, match=r"row 10 .* goes on .* lpm doctor --repair"):
        ledger.journal(CHAIN_ID).open_intents(SIGNER)
    assert damage(ledger).bad == {10: "goes on with an intent that was closed"}
    assert [end.nonce for end in ends(ledger)] == [7]
    assert kept_nonces(ledger) == [8]


def test_what_the_books_hold_is_not_kept_though_its_last_row_is_gone(ledger: Ledger) -> None:
    """It would be booked a second time."""
    run(ledger, "DELETE FROM journal WHERE id = 5")
    found = damage(ledger)
    assert found.bad == {
        5: "is gone",
        6: "is not as it was written, or follows one that is not",
    }
    assert found.kept == ()
    assert kept_nonces(ledger) == []


def ends(ledger: Ledger, account: str = SIGNER, chain_id: int = CHAIN_ID) -> list[LooseEnd]:
    return loose_ends(damage(ledger), account, chain_id)


SIGNED_8 = LooseEnd(nonce=8, tx_hash=a_signed(8).tx_hash)


@pytest.mark.parametrize("row", [6, 7, 8])
def test_a_transaction_with_a_bad_row_is_given_up_but_remembered_while_it_may_be_mined(
    ledger: Ledger, row: int
) -> None:
    run(ledger, "UPDATE journal SET account = 'x' WHERE id = :row", row=row)
    assert damage(ledger).kept == ()
    assert ends(ledger) == [SIGNED_8]
    assert ends(ledger, ACCOUNT) == []
    assert ends(ledger, chain_id=1) == []
    assert kept_nonces(ledger) == []


def test_what_an_account_has_signed_is_no_other_accounts_though_its_row_is_bad(
    ledger: Ledger,
) -> None:
    run(ledger, "UPDATE journal SET intent = 'x' WHERE id = 7")
    assert ends(ledger) == [SIGNED_8]
    assert ends(ledger, ACCOUNT) == []


def test_what_is_kept_is_no_loose_end(ledger: Ledger) -> None:
    run(ledger, "UPDATE journal SET body = '{}' WHERE id = 9")
    assert [row["id"] for row in damage(ledger).kept] == [6, 7, 8]
    assert ends(ledger) == []


@settings(max_examples=100)
@example(bit=0)  # of a transaction of another type
@given(bit=st.integers(0, 8 * len(a_signed(8).raw) - 1))
def test_a_signature_of_which_a_bit_has_rotted_is_one_of_the_nonce_that_was_planned(
    whole: Ledger, bit: int
) -> None:
    """What it recovers to is another account, or none."""
    ledger = whole.rehearsal()
    raw = bytearray(a_signed(8).raw)
    raw[bit // 8] ^= 1 << bit % 8
    sql = "UPDATE journal SET body = replace(body, :raw, :rotten) WHERE id = 7"
    run(ledger, sql, raw=a_signed(8).raw.hex(), rotten=raw.hex())
    assert ends(ledger) == [SIGNED_8]
    ledger.engine.dispose()


@pytest.mark.parametrize("body", ["", "[]", '{"raw": 5}', '{"raw": "zz"}', '{"raw": "02c0"}'])
def test_a_signature_that_cannot_be_read_is_one_of_the_nonce_that_was_planned(
    ledger: Ledger, body: str
) -> None:
    run(ledger, "UPDATE journal SET body = :body WHERE id = 7", body=body)
    assert ends(ledger) == [SIGNED_8]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM journal WHERE id = 7",
        "UPDATE journal SET event = 'sig~ed', body = '' WHERE id = 7",
        "UPDATE journal SET event = x'00', body = '' WHERE id = 7",
    ],
)
def test_a_row_that_may_have_been_a_signature_is_one_of_the_nonce_that_was_planned(
    ledger: Ledger, sql: str
) -> None:
    run(ledger, sql)
    assert LooseEnd(nonce=8, tx_hash=None) in ends(ledger)


def test_a_signature_that_went_with_the_end_of_the_journal_is_one_of_the_nonce_planned_last(
    ledger: Ledger,
) -> None:
    intent = ledger.journal(CHAIN_ID).open_intents(SIGNER)[-1]
    assert intent.nonce == 9
    ledger.journal(CHAIN_ID).signed(intent, a_signed(9))
    run(ledger, "DELETE FROM journal WHERE id = 10")
    assert ends(ledger) == [LooseEnd(nonce=9, tx_hash=None)]


@pytest.mark.parametrize("sql", ["DELETE FROM journal WHERE id >= 6", "DELETE FROM journal"])
def test_what_went_whole_may_have_any_nonce_of_any_account(ledger: Ledger, sql: str) -> None:
    run(ledger, sql)
    unknown = LooseEnd(nonce=None, tx_hash=None)
    assert ends(ledger) == ends(ledger, ACCOUNT) == ends(ledger, chain_id=1) == [unknown]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM journal WHERE id IN (6, 7)",
        "UPDATE journal SET body = '', account = 'x', intent = id WHERE id IN (6, 7)",
    ],
)
def test_what_nothing_tells_the_nonce_of_came_before_what_was_planned_later(
    ledger: Ledger, sql: str
) -> None:
    run(ledger, sql)
    assert {end.nonce for end in ends(ledger)} == {8}


def test_of_what_the_chain_has_decided_nothing_is_loose(ledger: Ledger) -> None:
    """Its signature cannot be read, and it needs none any more."""
    run(ledger, "UPDATE journal SET body = '{}' WHERE id IN (1, 2)")
    assert ends(ledger) == []


@pytest.mark.parametrize(
    ("sql", "bad"),
    [
        ("DELETE FROM journal WHERE id = 9", {9}),
        ("DELETE FROM journal WHERE id >= 8", {8, 9}),
        ("DELETE FROM journal", set(range(1, 10))),
        ("UPDATE journal_tip SET digest = 'x'", {9}),
        ("DELETE FROM journal_tip", {9}),
    ],
)
def test_an_end_that_is_cut_off_or_not_noted_shows(ledger: Ledger, sql: str, bad: set[int]) -> None:
    run(ledger, sql)
    assert set(damage(ledger).bad) == bad


def test_a_mended_journal_is_written_on(ledger: Ledger) -> None:
    run(ledger, "DELETE FROM journal WHERE id = 1")
    assert kept_nonces(ledger) == [8]
    begin(ledger, 10, a_signed(10))
    assert [i.nonce for i in ledger.journal(CHAIN_ID).history(SIGNER)] == [8, 10]
    assert look(ledger) is None
