"""Every step of an intent is remembered; so are cycles and halts."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from a_person import resume
from builders import (
    ACCOUNT,
    CHAIN_ID,
    a_hash,
    a_pool,
    a_purpose,
    a_snapshot,
    amounts,
    an_attempt,
    an_inclusion,
)
from empty_store import an_empty_ledger
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from whole_intents import whole_intents

from lpmanager.errors import Halted, JournalDamaged
from lpmanager.execution.calldata import Call
from lpmanager.execution.intent import CLOSED, Attempt, Inclusion, Intent, Purpose, Status
from lpmanager.ledger.accounting import opening
from lpmanager.ledger.chained import append_row
from lpmanager.ledger.database import writing
from lpmanager.ledger.diary import CycleRow, Diary
from lpmanager.ledger.journal import TransactionJournal
from lpmanager.ledger.store import CampaignRow, Ledger
from lpmanager.ledger.writing import Batch
from lpmanager.model import (
    Action,
    Amount,
    Collect,
    Liquidity,
    Mint,
    SqrtPriceX96,
    Swap,
    SwapPurpose,
    TickRange,
    Withdraw,
)

OTHER = ACCOUNT[:-1] + "2"
POOL = a_pool()
MOST = 2**256 - 1


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = an_empty_ledger(tmp_path / "books.db")
    yield ledger
    ledger.engine.dispose()


@pytest.fixture
def journal(ledger: Ledger) -> TransactionJournal:
    return ledger.journal(CHAIN_ID)


def signed(
    journal: TransactionJournal, nonce: int, account: str = ACCOUNT, tx: int | None = None
) -> Intent:
    planned = journal.plan(account, nonce, a_purpose(nonce, what=f"step {nonce}"))
    return journal.signed(planned, an_attempt(nonce if tx is None else tx))


def come_to(journal: TransactionJournal, intent: Intent, status: Status) -> Intent:
    """An intent that is mined and then settled."""
    number = int(intent.attempts[-1].tx_hash, 16)
    mined = journal.note(intent, Status.MINED, an_inclusion(number))
    return journal.note(mined, status)


def open_campaign(ledger: Ledger, name: str) -> None:
    snapshot = a_snapshot()
    row = CampaignRow(
        name=name,
        chain_id=CHAIN_ID,
        account=ACCOUNT,
        pool=snapshot.pool.address,
        budget=None,
        last_block=100,
    )
    share = amounts(0, 0)
    batch = Batch(entries=(opening(snapshot, share),), last_block=100)
    ledger.open_campaign(row, snapshot.pool, share, share, batch)


def book(ledger: Ledger, *tx: int) -> None:
    batch = Batch(entries=(), last_block=100, transactions=tuple(a_hash(number) for number in tx))
    ledger.post("eth-usdc", batch)


def test_an_intent_open_on_one_chain_does_not_stop_another(ledger: Ledger) -> None:
    signed(ledger.journal(CHAIN_ID), 7)
    assert ledger.journal(CHAIN_ID + 1).open_intents(ACCOUNT) == []


def test_open_intents_of_an_account_come_in_the_order_of_their_nonces(
    journal: TransactionJournal,
) -> None:
    second, first = signed(journal, 8), signed(journal, 7)
    signed(journal, 1, OTHER)
    assert journal.open_intents(ACCOUNT) == [first, second]


@pytest.mark.parametrize("status", [Status.FINAL, Status.FAILED, Status.CANCELLED])
def test_a_settled_intent_is_open_until_it_is_booked(
    ledger: Ledger, journal: TransactionJournal, status: Status
) -> None:
    open_campaign(ledger, "eth-usdc")
    settled = come_to(journal, signed(journal, 1), status)
    assert journal.open_intents(ACCOUNT) == [settled]
    book(ledger, 1)
    assert journal.open_intents(ACCOUNT) == []
    assert journal.history(ACCOUNT) == [replace(settled, status=Status.BOOKED).summary()]


@pytest.mark.parametrize("status", [Status.ABANDONED, Status.REPLACED])
def test_an_intent_that_came_to_nothing_is_open_no_longer(
    journal: TransactionJournal, status: Status
) -> None:
    lost = journal.note(signed(journal, 1), status)
    assert journal.open_intents(ACCOUNT) == []
    assert journal.history(ACCOUNT) == [lost.summary()]


def test_booking_one_attempt_closes_its_intent_and_no_other(
    ledger: Ledger, journal: TransactionJournal
) -> None:
    open_campaign(ledger, "eth-usdc")
    bumped = journal.signed(signed(journal, 1), an_attempt(11))
    come_to(journal, bumped, Status.FINAL)
    still = come_to(journal, signed(journal, 2), Status.FINAL)
    book(ledger, 11)
    assert journal.open_intents(ACCOUNT) == [still]


def test_what_is_not_booked_whole_is_not_booked_in_the_journal(
    ledger: Ledger, journal: TransactionJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The books and the journal are one transaction of the database, whichever comes last."""
    open_campaign(ledger, "eth-usdc")
    settled = come_to(journal, signed(journal, 1), Status.FINAL)
    monkeypatch.setattr("lpmanager.ledger.journal.append_row", power_cut)
    with pytest.raises(KeyboardInterrupt):
        ledger.post("eth-usdc", Batch(entries=(), last_block=130, transactions=(a_hash(1),)))
    monkeypatch.undo()
    row = ledger.campaign("eth-usdc")
    assert row is not None
    assert row.last_block == 100
    assert journal.open_intents(ACCOUNT) == [settled]


def test_what_was_mined_twice_is_booked_once(ledger: Ledger, journal: TransactionJournal) -> None:
    """As where a reorganisation moved it."""
    open_campaign(ledger, "eth-usdc")
    moved = journal.note(signed(journal, 1), Status.MINED, an_inclusion(1, block=101))
    come_to(journal, moved, Status.FINAL)
    book(ledger, 1)
    with ledger.engine.connect() as connection:
        events = connection.execute(text("SELECT event FROM journal ORDER BY id")).scalars().all()
    assert events == ["planned", "signed", "mined", "mined", "final", "booked"]


def test_what_is_signed_as_a_halt_is_written_is_not_written_and_so_not_sent(
    ledger: Ledger, journal: TransactionJournal
) -> None:
    planned = journal.plan(ACCOUNT, 1, a_purpose(campaign="eth-usdc"))
    Diary(ledger.engine, "eth-usdc").halt("a person says so", 5)
    with pytest.raises(Halted, match="eth-usdc is halted: a person says so"):
        journal.signed(planned, an_attempt(1))
    assert journal.open_intents(ACCOUNT) == [planned]


def power_cut(*_values: object, **_more: object) -> None:
    raise KeyboardInterrupt


def test_two_journals_of_one_store_go_on_from_each_other(ledger: Ledger) -> None:
    one, other = ledger.journal(CHAIN_ID), ledger.journal(CHAIN_ID + 1)
    intents = []
    for nonce in range(3):
        intents.append(signed(one, nonce))
        signed(other, nonce)
        assert one.open_intents(ACCOUNT) == intents
    assert len(other.open_intents(ACCOUNT)) == 3


ONE_OF_EACH: tuple[Action, ...] = (
    Withdraw(
        token_id=MOST,
        liquidity=Liquidity(2**128 - 1),
        minimum=amounts(1, 2),
        expected=amounts(MOST, 4),
    ),
    Collect(token_id=MOST, expected=amounts(MOST, 0)),
    Swap(
        purpose=SwapPurpose.HEDGE,
        amount_in=Amount(POOL.token1, MOST),
        expected_out=Amount(POOL.token0, 2),
        minimum_out=Amount(POOL.token0, 1),
        sqrt_price_limit_x96=SqrtPriceX96(2**160 - 1),
    ),
    Mint(range=TickRange(-887_270, 887_270), desired=amounts(MOST, 7), minimum=amounts(0, 1)),
)


@pytest.mark.parametrize(
    "actions",
    [(), *((action,) for action in ONE_OF_EACH), ONE_OF_EACH],
    ids=["an allowance", *(action.kind for action in ONE_OF_EACH), "all at once"],
)
def test_what_is_to_be_done_comes_back_to_the_unit(
    journal: TransactionJournal, ledger: Ledger, actions: tuple[Action, ...]
) -> None:
    purpose = a_purpose(actions=actions)
    journal.plan(ACCOUNT, 1, purpose)
    (found,) = ledger.journal(CHAIN_ID).open_intents(ACCOUNT)
    assert found.purpose == purpose


@pytest.mark.parametrize("actions", [(), ONE_OF_EACH[:1]], ids=["an allowance", "an action"])
def test_a_row_of_the_version_that_knew_one_action_a_transaction_is_still_read(
    journal: TransactionJournal, ledger: Ledger, actions: tuple[Action, ...]
) -> None:
    purpose = a_purpose(actions=actions)
    journal.plan(ACCOUNT, 1, purpose)
    with ledger.engine.connect() as connection:
        body = json.loads(connection.execute(text("SELECT body FROM journal")).scalar_one())
    body["action"] = next(iter(body.pop("actions")), None)
    with writing(ledger.engine) as connection:
        append_row(
            connection,
            intent="of long ago",
            chain_id=CHAIN_ID,
            account=OTHER,
            event=str(Status.PLANNED),
            tx_hash=None,
            body=json.dumps(body),
        )
    (found,) = ledger.journal(CHAIN_ID).open_intents(OTHER)
    assert found.purpose == purpose


# ---- whatever is written ----

numbers = st.integers(0, 2**255)
purposes: st.SearchStrategy[Purpose] = st.builds(
    a_purpose,
    st.integers(0, 2**64),
    what=st.text(max_size=20),
    campaign=st.text(min_size=1, max_size=8),
    deadline=st.integers(0, 2**62),
)
attempts = st.builds(
    an_attempt,
    numbers,
    max_fee=numbers,
    tip=numbers,
    cancels=st.booleans(),
    signed_at=st.integers(0, 2**62),
)
inclusions = st.builds(an_inclusion, numbers, block=st.integers(0, 2**32), succeeded=st.booleans())
Step = tuple[int, Attempt | Inclusion | Status]
plain = st.sampled_from(sorted(set(Status) - {Status.MINED, Status.PLANNED, Status.SIGNED}))
steps = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(attempts, inclusions, plain)),
    max_size=15,
)


def write(
    journal: TransactionJournal, intent: Intent, step: Attempt | Inclusion | Status
) -> Intent:
    match step:
        case Attempt():
            return journal.signed(intent, step)
        case Inclusion():
            return journal.note(intent, Status.MINED, step)
        case _:
            return journal.note(intent, step)


@pytest.fixture(scope="module")
def empty() -> Iterator[Ledger]:
    ledger = Ledger.open("sqlite://")
    yield ledger
    ledger.engine.dispose()


def require_told(journal: TransactionJournal, expected: list[Intent]) -> None:
    """What is open is told whole, and in few words all that there ever was."""
    assert journal.open_intents(ACCOUNT) == [i for i in expected if i.status not in CLOSED]
    assert journal.history(ACCOUNT) == [i.summary() for i in expected]


@settings(max_examples=60)
@given(
    planned=st.lists(purposes, min_size=3, max_size=3),
    steps=steps,
    looks=st.sets(st.integers(0, 14)),
)
def test_the_journal_tells_what_was_written_however_often_it_is_read(
    empty: Ledger, planned: list[Purpose], steps: list[Step], looks: set[int]
) -> None:
    ledger = empty.rehearsal()
    journal = ledger.journal(CHAIN_ID)
    expected = [journal.plan(ACCOUNT, nonce, purpose) for nonce, purpose in enumerate(planned)]
    for index, (which, step) in enumerate(steps):
        if expected[which].status in CLOSED:
            continue
        expected[which] = write(journal, expected[which], step)
        if index in looks:
            require_told(journal, expected)
    require_told(journal, expected)
    require_told(ledger.journal(CHAIN_ID), expected)
    assert whole_intents(ledger.engine, ACCOUNT, CHAIN_ID) == expected
    ledger.engine.dispose()


def test_of_a_closed_intent_little_is_kept_in_memory(
    ledger: Ledger, journal: TransactionJournal
) -> None:
    """A manager that runs for years closes thousands; here of 20 kB each."""
    many, data = 50, bytes(10_000)
    call = Call(what="mint", to=ACCOUNT, data=data)
    for nonce in range(many):
        planned = journal.plan(ACCOUNT, nonce, replace(a_purpose(nonce), call=call))
        signed = journal.signed(planned, replace(an_attempt(nonce), raw=data))
        journal.note(signed, Status.REPLACED)
    tracemalloc.start()
    fresh = ledger.journal(CHAIN_ID + 1), TransactionJournal(ledger.engine, CHAIN_ID)
    assert [len(each.history(ACCOUNT)) for each in fresh] == [0, many]
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < many * 2_000


def test_an_intent_that_is_closed_is_not_gone_on_with(journal: TransactionJournal) -> None:
    closed = journal.note(journal.plan(ACCOUNT, 1, a_purpose()), Status.ABANDONED)
    journal.signed(closed, an_attempt(1))
    with pytest.raises(JournalDamaged, match=r"row 3 .* \(signed\) .* closed \(abandoned\)"):
        journal.open_intents(ACCOUNT)


def test_everything_is_there_after_the_store_was_closed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/books.db"
    first = Ledger.open(url)
    written = come_to(first.journal(CHAIN_ID), signed(first.journal(CHAIN_ID), 7), Status.FINAL)
    first.engine.dispose()
    again = Ledger.open(url)
    assert again.journal(CHAIN_ID).open_intents(ACCOUNT) == [written]
    again.engine.dispose()


# ---- cycles and halts ----


def test_cycles_come_back_as_they_were_written(ledger: Ledger) -> None:
    open_campaign(ledger, "eth-usdc")
    diary = Diary(ledger.engine, "eth-usdc")
    rows = [
        CycleRow(
            block_number=number,
            timestamp=number * 12,
            sqrt_price_x96=2**159 + number,
            decision={"decision": "hold", "gates": [{"measured": str(2**200)}], "raw": 2**200},
            acted=number == 2,
            stopped="asked to stop" if number == 2 else None,
        )
        for number in (1, 2)
    ]
    for row in rows:
        diary.write(row)
    assert diary.cycles() == rows


def test_a_halted_campaign_says_why_until_it_is_resumed(ledger: Ledger) -> None:
    diary = Diary(ledger.engine, "eth-usdc")
    assert diary.halted() is None
    diary.halt("one wei is missing", 5)
    assert diary.halted() == "one wei is missing"
    resume(diary, 6)
    assert diary.halted() is None


def test_one_halted_campaign_does_not_halt_another(ledger: Ledger) -> None:
    Diary(ledger.engine, "eth-usdc").halt("why", 5)
    assert Diary(ledger.engine, "wbtc-usdc").halted() is None


def test_a_halt_can_be_written_before_the_campaign_has_books(ledger: Ledger) -> None:
    diary = Diary(ledger.engine, "not-opened-yet")
    diary.halt("why", 5)
    assert diary.halted() == "why"
