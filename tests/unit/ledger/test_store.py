"""The books on disk keep every unit, all of a batch or nothing, and who owns which tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import (
    ACCOUNT,
    CHAIN_ID,
    a_block,
    a_pool,
    a_snapshot,
    a_step,
    a_token,
    amounts,
    price_at,
)
from empty_store import an_empty_ledger
from sqlalchemy.exc import IntegrityError

from lpmanager.errors import ConfigError
from lpmanager.ledger.accounting import Entry, mark, of_step, opening, transfer
from lpmanager.ledger.report import lineage
from lpmanager.ledger.store import CampaignRow, Ledger
from lpmanager.ledger.writing import Batch, BegunAnew, Closed, Opened, PositionEvent
from lpmanager.model import Amounts, Basis, Liquidity, PoolKey, TickRange

POOL = a_pool()
OTHER_ACCOUNT = ACCOUNT[:-1] + "2"
UINT256_MAX = 2**256 - 1


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = an_empty_ledger(tmp_path / "books.db")
    yield ledger
    ledger.engine.dispose()


def a_row(name: str = "first", *, budgeted: bool = False, account: str = ACCOUNT) -> CampaignRow:
    return CampaignRow(
        name=name,
        chain_id=CHAIN_ID,
        account=account,
        pool=POOL.address,
        budget=(0, 0) if budgeted else None,
        last_block=100,
    )


def a_batch(*entries: Entry, last_block: int = 100) -> Batch:
    return Batch(entries=entries, last_block=last_block)


def a_basis(token_id: int = 1, timestamp: int = 5) -> Basis:
    return Basis(
        token_id=token_id,
        range=TickRange(-600, 600),
        liquidity=Liquidity(2**128 - 1),
        amounts=amounts(UINT256_MAX, 7),
        sqrt_price_x96=price_at(3),
        timestamp=timestamp,
    )


def open_with(
    ledger: Ledger,
    row: CampaignRow,
    share: Amounts,
    held: Amounts | None = None,
    pool: PoolKey = POOL,
) -> None:
    entry = opening(a_snapshot(pool=pool), share)
    ledger.open_campaign(row, pool, share if held is None else held, share, a_batch(entry))


def free(ledger: Ledger, name: str, pool: PoolKey = POOL) -> tuple[int, ...]:
    """What the account has beyond the campaign's own wallet."""
    mine = ledger.balances(name)
    return tuple(
        ledger.wallet_totals(CHAIN_ID, ACCOUNT, token.address)
        - mine.get(("wallet", token.address), 0)
        for token in (pool.token0, pool.token1)
    )


def test_everything_is_there_after_the_store_was_closed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/books.db"
    first = Ledger.open(url)
    open_with(first, a_row(), amounts(10, 20))
    first.post("first", replace(a_batch(last_block=120), positions=(Opened(a_basis()),)))
    first.engine.dispose()
    again = Ledger.open(url)
    assert again.campaign("first") == replace(a_row(), last_block=120)
    assert again.balances("first")["wallet", POOL.token1.address] == 20
    assert again.bases("first", POOL) == {1: a_basis()}
    assert [e.kind for e in again.entries("first", ["deposit"])] == ["deposit"]
    again.engine.dispose()


def test_a_ledger_keeps_the_journal_that_has_verified_its_rows(ledger: Ledger) -> None:
    assert ledger.journal(CHAIN_ID) is ledger.journal(CHAIN_ID)
    assert ledger.journal(CHAIN_ID) is not ledger.journal(CHAIN_ID + 1)


def test_the_largest_amounts_of_a_chain_keep_every_unit(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(UINT256_MAX, UINT256_MAX - 1))
    assert ledger.balances("first")["wallet", POOL.token0.address] == UINT256_MAX
    (entry,) = ledger.entries("first", ["deposit"])
    assert entry.amounts("deposits", POOL) == amounts(-UINT256_MAX, 1 - UINT256_MAX)
    assert entry.sqrt_price_x96 == price_at(0)


def test_a_batch_that_cannot_be_written_whole_is_not_written_at_all(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    ledger.post("first", replace(a_batch(), positions=(Opened(a_basis()),)))
    again = replace(
        a_batch(transfer(a_snapshot(), amounts(5, 5)), last_block=130),
        positions=(Opened(a_basis()),),
    )
    with pytest.raises(IntegrityError):
        ledger.post("first", again)
    assert ledger.balances("first")["wallet", POOL.token0.address] == 10
    assert len(ledger.entries("first", ["deposit"])) == 1
    assert ledger.campaign("first") == a_row()


def test_a_campaign_without_books_has_no_row(ledger: Ledger) -> None:
    assert ledger.campaign("never") is None


def test_a_closed_position_is_no_basis_any_more(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    ledger.post("first", replace(a_batch(), positions=(Opened(a_basis(1)), Opened(a_basis(2)))))
    ledger.post("first", replace(a_batch(), positions=(Closed(1, 9),)))
    assert ledger.bases("first", POOL).keys() == {2}


def lives(ledger: Ledger, *events: PositionEvent) -> list[tuple[int, int | None]]:
    """From when to when position 1 was open, after all this."""
    ledger.post("first", replace(a_batch(), positions=events))
    return [(life.opened_at, life.closed_at) for life in lineage(ledger.engine, "first")]


def test_a_position_may_be_opened_again_after_it_was_closed(ledger: Ledger) -> None:
    """As a range of a vault is, whose id stays the same; in one transaction too."""
    open_with(ledger, a_row(), amounts(10, 20))
    first, second = a_basis(timestamp=5), a_basis(timestamp=9)
    assert lives(ledger, Opened(first), Closed(1, 9), Opened(second)) == [(5, 9), (9, None)]
    assert ledger.bases("first", POOL) == {1: second}
    assert lives(ledger, Closed(1, 12)) == [(5, 9), (9, 12)]
    assert ledger.bases("first", POOL) == {}


def test_lives_come_in_the_order_they_began_and_those_of_one_time_from_the_lowest(
    ledger: Ledger,
) -> None:
    """A vault opens all its ranges in one transaction."""
    open_with(ledger, a_row(), amounts(10, 20))
    for token_id, lower, time in ((3, 60, 5), (4, -60, 9), (5, -90, 9)):
        basis = replace(a_basis(token_id, time), range=TickRange(lower, 600))
        ledger.post("first", replace(a_batch(), positions=(Opened(basis),)))
    assert [life.token_id for life in lineage(ledger.engine, "first")] == [3, 5, 4]


def test_a_position_is_open_once(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    lives(ledger, Opened(a_basis(timestamp=5)))
    with pytest.raises(IntegrityError):
        lives(ledger, Opened(a_basis(timestamp=9)))
    assert lives(ledger) == [(5, None)]


def test_only_the_life_that_a_position_has_begins_anew(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    lives(ledger, Opened(a_basis(timestamp=5)), Closed(1, 9), Opened(a_basis(timestamp=11)))
    assert lives(ledger, BegunAnew(a_basis(timestamp=13))) == [(5, 9), (13, None)]


def test_a_position_whose_life_with_a_campaign_is_over_is_not_held_by_it(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    lives(ledger, Opened(a_basis(timestamp=5)), Closed(1, 9))
    assert ledger.holder("second", 1, POOL) is None
    lives(ledger, Opened(a_basis(timestamp=11)))
    assert ledger.holder("second", 1, POOL) == "first"


def test_ours_are_the_transactions_in_the_books_of_all_the_campaigns_of_a_holder(
    ledger: Ledger,
) -> None:
    """Whoever signed them: a vault may get another operator, and its owner's are his."""
    for name, account in (("first", ACCOUNT), ("second", ACCOUNT), ("other", OTHER_ACCOUNT)):
        open_with(ledger, a_row(name, budgeted=True, account=account), amounts(0, 0))
    for number, name in enumerate(("first", "first", "second", "other"), start=1):
        ledger.post(name, a_batch(*of_step(a_step(gas=1, tx=number), {})))
    sent = [a_step(tx=number).tx_hash for number in (1, 2, 3)]
    assert ledger.booked_transactions(CHAIN_ID, ACCOUNT) == frozenset(sent)
    assert ledger.booked_transactions(CHAIN_ID + 1, ACCOUNT) == frozenset()


def test_an_nft_id_may_be_larger_than_any_integer_of_a_database(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    ledger.post("first", replace(a_batch(), positions=(Opened(a_basis(2**250)),)))
    assert ledger.bases("first", POOL).keys() == {2**250}
    ledger.post("first", replace(a_batch(), positions=(Closed(2**250, 9),)))
    assert ledger.bases("first", POOL) == {}


def test_entries_are_found_by_kind_and_time_in_the_order_written(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    for block, raw in ((110, 1), (105, 2), (120, 3)):
        ledger.post("first", a_batch(transfer(a_snapshot(block=block), amounts(raw, 0))))
    since = a_block(105).timestamp
    found = ledger.entries("first", ["deposit"], since)
    assert [-e.amounts("deposits", POOL).amount0.raw for e in found] == [1, 2, 3]
    assert ledger.entries("first", ["minted"], since) == []


def test_a_mark_without_postings_leaves_no_trace(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    ledger.post("first", a_batch(mark(a_snapshot(), {}, ()), last_block=140))
    assert ledger.entries("first", ["mark"]) == []
    assert ledger.campaign("first") == replace(a_row(), last_block=140)


def test_books_that_are_opened_with_nothing_have_that_entry_without_postings(
    ledger: Ledger,
) -> None:
    open_with(ledger, a_row(), amounts(0, 0))
    (entry,) = ledger.entries("first", ["deposit"])
    assert entry.amounts("wallet", POOL).is_zero
    assert entry.block_number == a_snapshot().block.number


def test_a_rehearsal_changes_nothing_in_the_store(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    rehearsal = ledger.rehearsal()
    rehearsal.post("first", a_batch(transfer(a_snapshot(), amounts(5, 5)), last_block=150))
    assert rehearsal.balances("first")["wallet", POOL.token0.address] == 15
    assert ledger.balances("first")["wallet", POOL.token0.address] == 10
    rehearsal.engine.dispose()


def test_a_campaign_without_a_budget_cannot_share_a_token(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    other_pool = a_pool(POOL.token1, a_token("WBTC", 8, 3), 0xF1)
    with pytest.raises(ConfigError, match=r"campaigns\.second: shares WETH .*campaigns\.first"):
        open_with(ledger, a_row("second"), amounts(0, 0, other_pool), pool=other_pool)
    assert ledger.campaign("second") is None


def test_a_budget_beside_a_campaign_that_owns_the_whole_wallet_is_refused(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    with pytest.raises(ConfigError, match="budget"):
        open_with(ledger, a_row("second", budgeted=True), amounts(1, 1), held=amounts(10, 20))


def test_campaigns_of_other_accounts_do_not_meet(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    open_with(ledger, a_row("second", account=OTHER_ACCOUNT), amounts(3, 4))
    assert ledger.wallet_totals(CHAIN_ID, ACCOUNT, POOL.token0.address) == 10
    assert ledger.wallet_totals(CHAIN_ID, OTHER_ACCOUNT, POOL.token0.address) == 3


def test_a_campaign_of_other_tokens_may_use_the_same_account(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    apart = a_pool(a_token("WBTC", 8, 3), a_token("DAI", 18, 4), 0xF1)
    open_with(ledger, a_row("second"), amounts(3, 4, apart), pool=apart)
    assert ledger.wallet_totals(CHAIN_ID, ACCOUNT, apart.token1.address) == 4


def test_a_budget_leaves_the_rest_to_the_account(ledger: Ledger) -> None:
    open_with(ledger, a_row(budgeted=True), amounts(30, 5), held=amounts(100, 5))
    assert ledger.wallet_totals(CHAIN_ID, ACCOUNT, POOL.token0.address) == 100
    assert free(ledger, "first") == (70, 0)


def test_a_second_budget_comes_out_of_the_rest(ledger: Ledger) -> None:
    open_with(ledger, a_row(budgeted=True), amounts(30, 5), held=amounts(100, 50))
    open_with(ledger, a_row("second", budgeted=True), amounts(70, 5), held=amounts(100, 50))
    assert ledger.wallet_totals(CHAIN_ID, ACCOUNT, POOL.token0.address) == 100
    with pytest.raises(ConfigError, match=r"campaigns\.third\.budget: .*0 raw units of USDC"):
        open_with(ledger, a_row("third", budgeted=True), amounts(1, 0), held=amounts(100, 50))


def test_a_budget_beyond_the_wallet_is_refused_and_takes_nothing(ledger: Ledger) -> None:
    with pytest.raises(ConfigError, match=r"campaigns\.first\.budget"):
        open_with(ledger, a_row(budgeted=True), amounts(30, 6), held=amounts(100, 5))
    assert ledger.campaign("first") is None
    open_with(ledger, a_row(budgeted=True), amounts(100, 5), held=amounts(100, 5))


def test_tokens_that_come_beside_budgets_belong_to_the_rest(ledger: Ledger) -> None:
    open_with(ledger, a_row(budgeted=True), amounts(30, 5), held=amounts(100, 5))
    came = {POOL.token0.address: -20, POOL.token1.address: 7}
    ledger.add_unallocated(CHAIN_ID, ACCOUNT, came, last_block=120)
    assert free(ledger, "first") == (50, 7)


def test_an_account_that_comes_to_zero_is_not_read_any_more(ledger: Ledger) -> None:
    open_with(ledger, a_row(), amounts(10, 20))
    ledger.post("first", a_batch(transfer(a_snapshot(), amounts(-10, 0))))
    assert ledger.balances("first") == {
        ("wallet", POOL.token1.address): 20,
        ("deposits", POOL.token1.address): -20,
    }
