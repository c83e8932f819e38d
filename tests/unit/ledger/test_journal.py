"""Sent transactions, cycles and halts are remembered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from builders import ACCOUNT, CHAIN_ID, a_snapshot, amounts
from sqlalchemy.exc import IntegrityError

from lpmanager.ledger.accounting import opening
from lpmanager.ledger.journal import CycleRow, Diary, TransactionJournal
from lpmanager.ledger.store import CampaignRow, Ledger
from lpmanager.ledger.writing import Batch

OTHER = ACCOUNT[:-1] + "2"


@pytest.fixture
def ledger(tmp_path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/books.db")
    yield ledger
    ledger.engine.dispose()


def sent(journal: TransactionJournal, nonce: int, account: str = ACCOUNT) -> str:
    tx_hash = f"0x{account[-1]}{nonce:063x}"
    journal.journal_open(
        tx_hash=tx_hash,
        account=account,
        nonce=nonce,
        what=f"step {nonce}",
        signed_raw=b"\x02\xff",
        sent_at=1,
    )
    return tx_hash


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


def test_a_transaction_open_on_one_chain_does_not_stop_another(ledger: Ledger) -> None:
    sent(TransactionJournal(ledger.engine, CHAIN_ID), 7)
    assert TransactionJournal(ledger.engine, CHAIN_ID + 1).open_transactions(ACCOUNT) == []


def test_open_transactions_of_an_account_come_in_the_order_of_their_nonces(ledger: Ledger) -> None:
    journal = TransactionJournal(ledger.engine, CHAIN_ID)
    second, first = sent(journal, 8), sent(journal, 7)
    sent(journal, 1, OTHER)
    assert journal.open_transactions(ACCOUNT) == [(first, "step 7"), (second, "step 8")]


@pytest.mark.parametrize("status", ["mined", "failed"])
def test_a_settled_transaction_is_open_no_longer_but_still_ours(
    ledger: Ledger, status: str
) -> None:
    journal = TransactionJournal(ledger.engine, CHAIN_ID)
    tx_hash = sent(journal, 1)
    journal.journal_close(tx_hash, status)
    assert journal.open_transactions(ACCOUNT) == []
    assert ledger.our_transactions(ACCOUNT) == {tx_hash}


def test_a_transaction_is_written_down_once(ledger: Ledger) -> None:
    journal = TransactionJournal(ledger.engine, CHAIN_ID)
    sent(journal, 1)
    with pytest.raises(IntegrityError):
        sent(journal, 1)


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
    diary.resume(6)
    assert diary.halted() is None


def test_one_halted_campaign_does_not_halt_another(ledger: Ledger) -> None:
    Diary(ledger.engine, "eth-usdc").halt("why", 5)
    assert Diary(ledger.engine, "wbtc-usdc").halted() is None


def test_a_halt_can_be_written_before_the_campaign_has_books(ledger: Ledger) -> None:
    diary = Diary(ledger.engine, "not-opened-yet")
    diary.halt("why", 5)
    assert diary.halted() == "why"
