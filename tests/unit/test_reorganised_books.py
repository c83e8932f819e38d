"""Books of a chain on which blocks were taken out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from builders import BLOCK_TIME_S, a_block, a_pool, a_position, amounts
from paper_account import PaperAccount, an_account

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.errors import BooksDoNotClose, Halted
from lpmanager.ledger.by_hand import ByHand
from lpmanager.ledger.landmarks import MAY_BE_TAKEN_OUT_S, Landmark
from lpmanager.ledger.store import Ledger
from lpmanager.model import Liquidity, Outcome, Snapshot, TickRange

POOL = a_pool()
RANGE = TickRange(-600, 600)
FEES = 2**100, 2**101
OPENED_AT, MINTED_AT = 100, 101


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger.open("sqlite://")
    yield ledger
    ledger.engine.dispose()


@pytest.fixture
def account() -> PaperAccount:
    return an_account((10**9, 10**9), pool=POOL)


@pytest.fixture
def books(ledger: Ledger, account: PaperAccount) -> Bookkeeper:
    """Of a campaign that has minted a position, whose fees were marked two blocks later."""
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    before = account.snapshot()
    books.bring_up_to(before)
    minted = account.mints(RANGE, amounts(5 * 10**8, 5 * 10**8))
    books.close(before, Outcome(steps=(minted,), stop=None), account.snapshot)
    account.earns(account.last_id, *FEES)
    account.price_moves_to(30)
    books.bring_up_to(account.snapshot())
    return books


def without(snapshot: Snapshot, *heights: int) -> Snapshot:
    """The same, on a chain that has other blocks at those heights."""
    kept = {n: a_block(n).hash for n in range(snapshot.block.number + 1)}
    return replace(snapshot, earlier=kept | {height: "0xother" for height in heights})


def as_read_for(books: Bookkeeper, account: PaperAccount) -> Snapshot:
    """With no more earlier blocks than the books ask about, as the reader makes it."""
    asked = {height: a_block(height).hash for height in books.landmarks().heights}
    return replace(account.snapshot(), earlier=asked)


def landmark(number: int, tx_hash: str | None = None) -> Landmark:
    block = a_block(number)
    return Landmark(number, block.hash, tx_hash, block.timestamp)


def lose_fees(account: PaperAccount) -> None:
    position = account.positions[account.last_id]
    account.adopt(replace(position, fee_growth_inside0_x128=0, fee_growth_inside1_x128=0))


def test_books_stand_on_the_block_of_the_last_mark_and_that_of_the_last_transaction(
    books: Bookkeeper, account: PaperAccount
) -> None:
    marks = books.landmarks()
    assert marks.marked == landmark(account.block)
    assert marks.transaction == landmark(MINTED_AT, f"0x{MINTED_AT:064x}")
    assert marks.opened == landmark(OPENED_AT)
    assert marks.heights == (account.block, MINTED_AT, OPENED_AT)


def test_what_the_owner_spends_during_a_plan_is_a_landmark_of_the_snapshot_it_is_found_in(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = Bookkeeper(
        "main", ledger, account.signer, None, account.outside_transfers, ByHand.ADOPT
    )
    before = as_read_for(books, account)
    books.bring_up_to(before)
    done = account.approves()
    account.owner_spends(10**9)
    books.close(before, Outcome(steps=(done,), stop=None), lambda: as_read_for(books, account))
    assert [adoption.text.split(":")[0] for adoption in books.adoptions()] == ["native coin"]


@pytest.mark.parametrize("left", [0, 5], ids=["of all", "of a part"])
def test_what_had_gone_before_the_books_were_opened_comes_back_where_that_block_is_taken_out(
    ledger: Ledger, left: int
) -> None:
    """The owner's withdrawal went with the block, and no transfer tells that."""
    account = an_account((left, left), pool=POOL)
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    books.bring_up_to(account.snapshot())
    account.block += 3
    account.wallet += amounts(0, 22)
    record = books.bring_up_to(without(account.snapshot(), OPENED_AT))
    assert record.wallet == amounts(left, left + 22)
    (told,) = books.adoptions()
    assert re.match(
        r"the block that the books were opened at was taken out by a reorganisation; "
        rf"expected 0\.0+{left} USDC \+ 0\.0+{left} WETH, "
        rf"found 0\.0+{left} USDC \+ 0\.0+{left + 22} WETH$",
        told.text,
    )
    assert books.result(account.snapshot()).identity_error == 0
    account.block += 1
    account.wallet += amounts(0, 1)
    with pytest.raises(BooksDoNotClose, match="no transfer explains it"):
        books.bring_up_to(without(account.snapshot(), OPENED_AT))


@pytest.mark.parametrize("came", [0, 22], ids=["nothing", "a transfer"])
def test_a_look_that_closes_ends_what_a_reorganisation_of_the_opening_explains(
    ledger: Ledger, account: PaperAccount, came: int
) -> None:
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    books.bring_up_to(account.snapshot())
    account.receives(amounts(0, came))
    books.bring_up_to(without(account.snapshot(), OPENED_AT))
    account.block += 1
    account.wallet -= amounts(5 * 10**8, 5 * 10**8)
    with pytest.raises(BooksDoNotClose, match="no transfer explains it"):
        books.bring_up_to(without(account.snapshot(), OPENED_AT))


def test_books_that_were_opened_again_are_once_more_where_that_block_is_taken_out_too(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    books.bring_up_to(account.snapshot())
    account.block += 3
    account.wallet += amounts(0, 22)
    books.bring_up_to(without(account.snapshot(), OPENED_AT))
    again_at = account.block
    assert books.landmarks().opened == landmark(again_at)
    account.block += 1
    account.wallet += amounts(7, 0)
    record = books.bring_up_to(without(account.snapshot(), OPENED_AT, again_at))
    assert record.wallet == account.wallet
    account.receives(amounts(0, 5))
    books.bring_up_to(without(account.snapshot(), OPENED_AT, again_at))
    account.wallet -= account.came.pop()[1]
    account.block += 1
    record = books.bring_up_to(without(account.snapshot(), OPENED_AT, again_at))
    assert record.wallet == account.wallet


def test_a_node_that_has_no_block_at_that_height_does_not_open_the_books_again(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    books.bring_up_to(account.snapshot())
    account.block += 1
    account.wallet += amounts(0, 22)
    with pytest.raises(BooksDoNotClose, match="no transfer explains it"):
        books.bring_up_to(replace(account.snapshot(), earlier={OPENED_AT: None}))


def with_position(account: PaperAccount, token_id: int = 5) -> None:
    account.adopt(a_position("[-600, 1200)", token_id=token_id, liquidity=10**10))


CHANGED: dict[str, Callable[[PaperAccount], object]] = {
    "goes": lambda it: it.positions.pop(5),
    "comes": lambda it: with_position(it, 6),
    "grows": lambda it: it.adopt(replace(it.positions[5], liquidity=Liquidity(2 * 10**10))),
}


@pytest.mark.parametrize("change", CHANGED)
def test_what_positions_were_opened_with_may_go_with_that_block_and_come_back(
    ledger: Ledger, account: PaperAccount, change: str
) -> None:
    """The owner had opened, closed or filled them before, and no transaction since tells that."""
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    with_position(account)
    books.bring_up_to(account.snapshot())
    account.block += 3
    CHANGED[change](account)
    account.wallet += amounts(0, 22)
    record = books.bring_up_to(without(account.snapshot(), OPENED_AT))
    assert record.bases.keys() == account.positions.keys()
    assert record.wallet == account.wallet
    told = [adoption.text for adoption in books.adoptions()]
    assert len(told) == 2
    assert all(text.startswith("the block that the books were opened at") for text in told)
    assert books.result(account.snapshot()).identity_error == 0
    account.block += 1
    account.positions.popitem() if account.positions else with_position(account)
    with pytest.raises(BooksDoNotClose, match="it was changed by hand"):
        books.bring_up_to(without(account.snapshot(), OPENED_AT))


def test_a_position_that_we_have_minted_since_does_not_go_with_the_block_of_the_opening(
    books: Bookkeeper, account: PaperAccount
) -> None:
    """Its transaction stands."""
    account.block += 1
    account.positions.clear()
    with pytest.raises(BooksDoNotClose, match="is in the books but not in the chain"):
        books.bring_up_to(without(account.snapshot(), OPENED_AT))


def test_a_position_of_another_campaign_is_not_taken_in_though_the_opening_is_gone(
    ledger: Ledger, account: PaperAccount
) -> None:
    share = amounts(10**6, 10**6)
    one, two = (
        Bookkeeper(name, ledger, account.signer, share, account.outside_transfers)
        for name in ("one", "two")
    )
    one.bring_up_to(account.snapshot())
    with_position(account)
    two.bring_up_to(account.snapshot())
    account.block += 1
    with pytest.raises(BooksDoNotClose, match="it is in the books of campaign two"):
        one.bring_up_to(without(account.snapshot(), OPENED_AT))


def test_an_hour_later_the_block_that_the_books_were_opened_at_is_asked_about_no_more(
    books: Bookkeeper, account: PaperAccount
) -> None:
    account.block += MAY_BE_TAKEN_OUT_S // BLOCK_TIME_S
    account.price_moves_to(60)
    books.bring_up_to(as_read_for(books, account))
    assert books.landmarks().opened is None
    assert OPENED_AT not in books.landmarks().heights


def test_what_comes_to_books_that_were_opened_with_nothing_must_be_told_by_a_transfer(
    ledger: Ledger,
) -> None:
    account = an_account((0, 0), pool=POOL)
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    books.bring_up_to(account.snapshot())
    account.block += 1
    account.wallet += amounts(0, 22)
    with pytest.raises(BooksDoNotClose, match="no transfer explains it"):
        books.bring_up_to(as_read_for(books, account))


def test_an_hour_later_another_block_there_explains_nothing(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    books.bring_up_to(account.snapshot())
    account.block += MAY_BE_TAKEN_OUT_S // BLOCK_TIME_S
    account.wallet += amounts(0, 22)
    with pytest.raises(BooksDoNotClose, match="no transfer explains it"):
        books.bring_up_to(without(account.snapshot(), OPENED_AT))


def test_books_that_were_not_opened_stand_on_nothing(ledger: Ledger, account: PaperAccount) -> None:
    assert (
        Bookkeeper("new", ledger, account.signer, None, account.outside_transfers)
        .landmarks()
        .heights
        == ()
    )


def test_a_booked_transaction_that_is_taken_out_halts_the_campaign(
    books: Bookkeeper, account: PaperAccount
) -> None:
    gone = without(account.snapshot(), account.block, MINTED_AT)
    with pytest.raises(BooksDoNotClose, match=r"was booked in block 101, .* found 0xother"):
        books.bring_up_to(gone)
    with pytest.raises(Halted, match=r"raise transactions\.confirmations"):
        books.require_running()


def test_the_way_out_of_a_transaction_that_is_taken_out_is_another_store(
    books: Bookkeeper, account: PaperAccount
) -> None:
    gone = without(account.snapshot(), MINTED_AT)
    with pytest.raises(BooksDoNotClose, match="and begin new books in another store"):
        books.bring_up_to(gone)
    another = Ledger.open("sqlite://")
    anew = Bookkeeper("main", another, account.signer, None, account.outside_transfers)
    assert anew.bring_up_to(gone).bases.keys() == account.positions.keys()
    anew.require_running()
    another.engine.dispose()


def test_a_node_that_has_lost_an_old_block_does_not_tell_that_it_was_taken_out(
    books: Bookkeeper, account: PaperAccount
) -> None:
    account.block += 1
    record = books.bring_up_to(replace(account.snapshot(), earlier=a_node_without(MINTED_AT)))
    assert record.wallet == account.wallet
    books.require_running()


def a_node_without(height: int) -> dict[int, str | None]:
    """The hashes of blocks, of which it has lost that one."""
    return {n: None if n == height else a_block(n).hash for n in range(1_000)}


def test_fees_that_went_with_their_block_are_marked_down_and_halt_nothing(
    books: Bookkeeper, account: PaperAccount
) -> None:
    earned = books.result(account.snapshot()).fees
    last_mark = account.block
    lose_fees(account)
    account.block += 1
    books.bring_up_to(without(account.snapshot(), last_mark))
    result = books.result(account.snapshot())
    assert earned > 0
    assert result.fees == 0
    assert result.nav_end - result.nav_start - result.net_deposits == (
        result.hodl + result.impermanent_loss - result.gas - result.rounding
    )


def test_fees_that_went_with_their_block_halt_nothing_after_a_transaction_that_stands(
    books: Bookkeeper, account: PaperAccount
) -> None:
    """The reorganisation came between the mark and the transaction, which is final."""
    before, last_mark = account.snapshot(), account.block
    lose_fees(account)
    done = account.approves()
    assert account.block > last_mark

    def read_after() -> Snapshot:
        seen = as_read_for(books, account)
        return replace(seen, earlier={**seen.earlier, last_mark: "0xother"})

    books.close(before, Outcome(steps=(done,), stop=None), read_after)
    assert books.result(account.snapshot()).fees == 0


def test_fees_that_go_while_their_block_stands_halt_the_campaign(
    books: Bookkeeper, account: PaperAccount
) -> None:
    lose_fees(account)
    account.block += 1
    with pytest.raises(BooksDoNotClose, match="went without a transaction of ours"):
        books.bring_up_to(account.snapshot())


def test_a_position_that_differs_halts_the_campaign_whatever_was_taken_out(
    books: Bookkeeper, account: PaperAccount
) -> None:
    position = account.positions[account.last_id]
    account.adopt(replace(position, liquidity=Liquidity(position.liquidity - 1)))
    with pytest.raises(BooksDoNotClose, match="expected liquidity"):
        books.bring_up_to(without(account.snapshot(), account.block))
