"""Books of a campaign whose tokens are in a vault: they are the vault's, whoever signs for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import (
    ACCOUNT,
    CHAIN_ID,
    VAULT,
    a_block,
    a_pool,
    a_purpose,
    a_vault,
    amounts,
    an_attempt,
)
from paper_account import GAS_OF_A_STEP, PaperAccount, an_account

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.errors import BooksDoNotClose, ConfigError, MaybeSent
from lpmanager.execution.intent import Status
from lpmanager.ledger.store import Ledger
from lpmanager.model import Outcome, Step, SwapPurpose, TickRange
from lpmanager.venues.liquidity_vault import position_id

POOL = a_pool()
RANGE, NEXT = TickRange(-600, 600), TickRange(-300, 900)
SOME = amounts(5 * 10**8, 5 * 10**8)
NEW_OPERATOR = ACCOUNT[:-1] + "2"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/books.db")
    yield ledger
    ledger.engine.dispose()


@pytest.fixture
def account() -> PaperAccount:
    return an_account((10**9, 10**9), pool=POOL, vault=a_vault())


def books_of(ledger: Ledger, account: PaperAccount) -> Bookkeeper:
    return Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)


def books_up_to_now(ledger: Ledger, account: PaperAccount) -> Bookkeeper:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    return books


def books_with_a_range(ledger: Ledger, account: PaperAccount) -> Bookkeeper:
    """Books in which the vault has opened RANGE with SOME of what it holds."""
    books = books_up_to_now(ledger, account)
    carry_out(books, account, account.mints(RANGE, SOME))
    return books


def carry_out(books: Bookkeeper, account: PaperAccount, *steps: Step) -> None:
    """Book what was done since the books were brought up to the block before it."""
    before = replace(account.snapshot(), block=a_block(account.block - len(steps)))
    native = before.wallet.native
    spent = replace(native, raw=native.raw + sum(step.gas_paid.raw for step in steps))
    before = replace(
        before, wallet=replace(before.wallet, native=spent, nonce=account.nonce - len(steps))
    )
    books.close(before, Outcome(steps=steps, stop=None), account.snapshot)


def test_the_books_are_the_vaults_and_the_gas_is_the_signers(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_with_a_range(ledger, account)
    row = ledger.campaign("main")
    assert row is not None
    assert row.account == VAULT
    result = books.result(account.snapshot())
    assert result.gas == GAS_OF_A_STEP * 3 // 10**9
    assert result.identity_error == 0
    for amount in (account.wallet.amount0, account.wallet.amount1):
        assert ledger.wallet_totals(CHAIN_ID, VAULT, amount.token.address) == amount.raw
        assert ledger.wallet_totals(CHAIN_ID, ACCOUNT, amount.token.address) == 0


def test_a_whole_rebalance_in_one_transaction_closes_to_the_unit(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_with_a_range(ledger, account)
    held = position_id(VAULT, RANGE)
    account.earns(held, 2**100, 2**101)
    account.price_moves_to(300)
    books.bring_up_to(account.snapshot())
    whole = account.step(
        account.withdrawing(held),
        account.swapping(SwapPurpose.RERANGE, amounts(10**6, -1_040_000), 310),
        account.minting(NEXT, SOME),
    )
    carry_out(books, account, whole)
    result = books.result(account.snapshot())
    assert result.identity_error == 0
    assert result.fees > 0
    assert result.swap_cost > 0
    assert result.gas == 2 * GAS_OF_A_STEP * 3 // 10**9
    record = books.bring_up_to(account.snapshot())
    assert record.wallet == account.wallet
    assert record.bases.keys() == {position_id(VAULT, NEXT)}
    assert record.usage.moves == 2


def test_a_range_that_is_opened_again_has_another_life_under_the_same_id(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_with_a_range(ledger, account)
    held = position_id(VAULT, RANGE)
    carry_out(books, account, account.withdraws(held))
    carry_out(books, account, account.mints(RANGE, SOME))
    account.earns(held, 2**100, 0)
    record = books.bring_up_to(account.snapshot())
    assert record.bases.keys() == {held}
    lives = [(life.token_id, life.opened_at, life.closed_at) for life in books.lineage()]
    times = [a_block(number).timestamp for number in (101, 102, 103)]
    assert lives == [(held, times[0], times[1]), (held, times[2], None)]
    assert books.open_positions(POOL) == {held}


def test_a_range_that_one_transaction_closes_and_opens_again_is_open(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_with_a_range(ledger, account)
    held = position_id(VAULT, RANGE)
    account.price_moves_to(100)
    books.bring_up_to(account.snapshot())
    again = account.step(account.withdrawing(held), account.minting(RANGE, amounts(10**6, 10**6)))
    carry_out(books, account, again)
    assert books.bring_up_to(account.snapshot()).bases.keys() == {held}
    assert books.result(account.snapshot()).identity_error == 0


def test_another_operator_goes_on_with_the_same_books(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_with_a_range(ledger, account)
    account.signer, account.nonce, account.native = NEW_OPERATOR, 3, 10**17
    books = books_up_to_now(ledger, account)
    carry_out(books, account, account.withdraws(position_id(VAULT, RANGE)))
    assert books.result(account.snapshot()).identity_error == 0


def test_what_the_last_operator_did_is_no_transfer_of_the_owners(
    ledger: Ledger, account: PaperAccount
) -> None:
    """His last step is booked, but no look came after it, when the owner sends tokens and names
    another: the hashes that are ours do not depend on who signs now."""
    books = books_up_to_now(ledger, account)
    step = account.mints(RANGE, SOME)
    books.catch_up(Outcome(steps=(step,), stop=None))
    account.signer = NEW_OPERATOR
    account.receives(amounts(7, 0))
    told: list[frozenset[str]] = []

    def outside_transfers(first: int, last: int, ours: frozenset[str]) -> object:
        told.append(ours)
        return account.outside_transfers(first, last, ours)

    after = Bookkeeper("main", ledger, account.signer, None, outside_transfers)
    record = after.bring_up_to(account.snapshot())
    assert record.wallet == account.wallet
    assert told == [frozenset({step.tx_hash})]


def an_open_intent(ledger: Ledger, signer: str, decided_block: int = 100) -> None:
    journal = ledger.journal(CHAIN_ID)
    planned = journal.plan(signer, 7, a_purpose(7, decided=a_block(decided_block)))
    journal.note(journal.signed(planned, an_attempt(7)), Status.SENT)


def test_while_something_of_the_operators_is_under_way_the_vaults_books_are_not_compared(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_up_to_now(ledger, account)
    an_open_intent(ledger, ACCOUNT)
    with pytest.raises(MaybeSent, match="campaign main is under way"):
        books.bring_up_to(account.snapshot())


def test_what_the_last_operator_has_under_way_is_settled_before_another_takes_over(
    ledger: Ledger, account: PaperAccount
) -> None:
    books_of(ledger, account).bring_up_to(account.snapshot())
    an_open_intent(ledger, ACCOUNT)
    account.signer = NEW_OPERATOR
    message = rf"campaign main is under way \(sent\), signed by {ACCOUNT}; set \[account\] to that"
    with pytest.raises(MaybeSent, match=message):
        books_of(ledger, account).bring_up_to(account.snapshot())
    assert books_of(ledger, account).halted() is None


def test_what_is_under_way_for_another_vault_of_another_operator_hinders_nobody(
    ledger: Ledger, account: PaperAccount
) -> None:
    books_of(ledger, account).bring_up_to(account.snapshot())
    planned = ledger.journal(CHAIN_ID).plan(NEW_OPERATOR, 7, a_purpose(7, campaign="aside"))
    ledger.journal(CHAIN_ID).signed(planned, an_attempt(7))
    ledger.journal(CHAIN_ID + 1).plan(NEW_OPERATOR, 7, a_purpose(7))
    books_of(ledger, account).bring_up_to(account.snapshot())


def test_what_an_earlier_run_did_for_a_vault_is_booked_as_of_the_operators_decision(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_up_to_now(ledger, account)
    step = account.mints(RANGE, SOME)
    an_open_intent(ledger, ACCOUNT, decided_block=99)
    books.catch_up(Outcome(steps=(step,), stop=None))
    (entry,) = ledger.entries("main", ["minted"])
    assert entry.decided_at == a_block(99).timestamp


@pytest.mark.parametrize("moved_in", [True, False])
def test_books_of_an_account_are_not_its_vaults(ledger: Ledger, moved_in: bool) -> None:
    plain, vaulted = an_account(pool=POOL), an_account(pool=POOL, vault=a_vault())
    first, second = (plain, vaulted) if moved_in else (vaulted, plain)
    books_of(ledger, first).bring_up_to(first.snapshot())
    holder = {True: VAULT, False: ACCOUNT}
    message = f"its books are for holder {holder[not moved_in]}, .* says {holder[moved_in]}; begin"
    with pytest.raises(ConfigError, match=message):
        books_of(ledger, second).bring_up_to(second.snapshot())


def test_native_coin_that_the_signer_did_not_spend_on_gas_halts_the_campaign(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    step = account.mints(RANGE, SOME)
    account.native -= 1
    with pytest.raises(BooksDoNotClose, match="native coin"):
        books.close(before, Outcome(steps=(step,), stop=None), account.snapshot)


def test_what_the_owner_took_out_of_a_range_is_told_by_the_range(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_with_a_range(ledger, account)
    account.owner_closes(position_id(VAULT, RANGE))
    gone = r"position \[-600, 600\) is in the books but not in the chain"
    with pytest.raises(BooksDoNotClose, match=gone):
        books.bring_up_to(account.snapshot())
