"""Entries: what each event posts, and where."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from builders import a_block, a_pool, a_position, a_snapshot, a_step, amounts, price_at, wei

from lpmanager.ledger.accounting import (
    Entry,
    Posting,
    balance,
    mark,
    of_step,
    opening,
    transfer,
)
from lpmanager.model import (
    Amount,
    Collected,
    Liquidity,
    Minted,
    Swapped,
    SwapPurpose,
    TickRange,
    Withdrawn,
)

POOL = a_pool()
NOTHING = amounts(0, 0)


def books(entries: Iterable[Entry]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for entry in entries:
        for posting in entry.postings:
            key = posting.account, posting.amount.token.address
            sums[key] = sums.get(key, 0) + posting.amount.raw
    return sums


def held(entries: Iterable[Entry], account: str) -> tuple[int, int]:
    return balance(books(entries), account, NOTHING).raw


def test_an_entry_out_of_balance_cannot_be_made() -> None:
    postings = (
        Posting("wallet", Amount(POOL.token0, 100)),
        Posting("deposits", Amount(POOL.token0, -99)),
    )
    with pytest.raises(ValueError, match="1 USDC out of balance"):
        Entry(kind="deposit", block=a_block(), tx_hash=None, sqrt_price_x96=None, postings=postings)


def test_an_entry_must_balance_in_each_token_apart() -> None:
    postings = (
        Posting("wallet", Amount(POOL.token0, 100)),
        Posting("deposits", Amount(POOL.token1, -100)),
    )
    with pytest.raises(ValueError, match="out of balance"):
        Entry(kind="deposit", block=a_block(), tx_hash=None, sqrt_price_x96=None, postings=postings)


def test_opening_deposits_the_wallet_the_principal_and_the_fees_of_adopted_positions() -> None:
    position = a_position("[0, 60)", token_id=7, liquidity=10**12, fees=(5, 6))
    entry = opening(a_snapshot(tick=-100, positions=(position,)), amounts(1_000, 2_000))
    # below its range a position is token0 alone: 10**12 * (1 - 1.0001**-30), rounded down
    assert held([entry], "position:7") == (2_995_354_955, 0)
    assert held([entry], "uncollected:7") == (5, 6)
    assert held([entry], "wallet") == (1_000, 2_000)
    assert held([entry], "deposits") == (-2_995_354_955 - 1_005, -2_006)
    assert entry.sqrt_price_x96 == price_at(-100)


def test_a_withdrawal_by_the_owner_is_a_negative_deposit_dated_with_the_price() -> None:
    entry = transfer(a_snapshot(tick=50), amounts(-10, 3))
    assert held([entry], "wallet") == (-10, 3)
    assert held([entry], "deposits") == (10, -3)
    assert entry.sqrt_price_x96 == price_at(50)


def test_a_mark_books_what_the_pool_swapped_and_what_was_earned() -> None:
    before = a_position("[-60, 60)", fees=(0, 0))
    after = a_position("[-60, 60)", fees=(11, 12))
    first = opening(a_snapshot(tick=0, positions=(before,)), NOTHING)
    was = held([first], "position:1")
    second = mark(a_snapshot(tick=60, positions=(after,)), books([first]), [after])
    now = held([first, second], "position:1")
    assert now[0] == 0
    assert now[1] > was[1]
    exchanged = held([second], "pool_exchange")
    assert exchanged == (was[0] - now[0], was[1] - now[1])
    assert held([second], "fees") == (-11, -12)
    assert held([first, second], "uncollected:1") == (11, 12)


def test_a_mark_where_nothing_changed_posts_nothing() -> None:
    snapshot = a_snapshot(positions=(a_position(fees=(1, 2)),))
    entry = opening(snapshot, amounts(1, 1))
    assert mark(snapshot, books([entry]), snapshot.positions).postings == ()


def test_a_mint_leaves_what_the_pool_rounds_up_in_rounding() -> None:
    fact = Minted(
        token_id=9,
        range=TickRange(-60, 60),
        liquidity=Liquidity(10**6),
        paid=amounts(2_996, 2_996),
        principal=amounts(2_995, 2_995),
        sqrt_price_x96=price_at(0),
    )
    gas, minted = of_step(a_step(fact), {})
    assert gas.postings == ()
    assert held([minted], "wallet") == (-2_996, -2_996)
    assert held([minted], "position:9") == (2_995, 2_995)
    assert held([minted], "rounding") == (1, 1)
    assert minted.sqrt_price_x96 == price_at(0)


def test_a_withdrawal_empties_the_position_and_books_the_way_since_the_last_mark() -> None:
    first = opening(a_snapshot(positions=(a_position(token_id=3, fees=(4, 0)),)), NOTHING)
    was = held([first], "position:3")
    paid = amounts(was[0] + 70, was[1] - 50)
    fact = Withdrawn(token_id=3, principal=paid, fees=amounts(9, 1))
    entries = [first, *of_step(a_step(fact), books([first]))]
    assert held(entries, "position:3") == (0, 0)
    assert held(entries, "uncollected:3") == (0, 0)
    assert held(entries, "pool_exchange") == (-70, 50)
    assert held(entries, "fees") == (-5, -1)
    assert held(entries, "wallet") == (paid + amounts(9, 1)).raw


def test_fees_paid_a_unit_short_are_taken_back_from_the_fees() -> None:
    first = opening(a_snapshot(positions=(a_position(token_id=3, fees=(4, 8)),)), NOTHING)
    fact = Collected(token_id=3, fees=amounts(3, 8))
    entries = [first, *of_step(a_step(fact), books([first]))]
    assert held(entries, "fees") == (1, 0)
    assert held(entries, "uncollected:3") == (0, 0)
    assert held(entries, "wallet") == (3, 8)


def test_a_collection_leaves_the_principal_alone() -> None:
    first = opening(a_snapshot(positions=(a_position(token_id=3, fees=(4, 8)),)), NOTHING)
    fact = Collected(token_id=3, fees=amounts(4, 8))
    entries = [first, *of_step(a_step(fact), books([first]))]
    assert held(entries, "position:3") == held([first], "position:3")


@pytest.mark.parametrize("purpose", SwapPurpose)
def test_a_swap_is_booked_against_its_purpose(purpose: SwapPurpose) -> None:
    fact = Swapped(purpose=purpose, delta=amounts(-100, 99), sqrt_price_before_x96=price_at(5))
    _, swapped = of_step(a_step(fact), {})
    assert held([swapped], "wallet") == (-100, 99)
    assert held([swapped], f"swap:{purpose}") == (100, -99)
    assert swapped.sqrt_price_x96 == price_at(5)


def a_mint(token_id: int, principal: tuple[int, int]) -> Minted:
    return Minted(
        token_id=token_id,
        range=TickRange(-60, 60),
        liquidity=Liquidity(10**6),
        paid=amounts(*(raw + 1 for raw in principal)),
        principal=amounts(*principal),
        sqrt_price_x96=price_at(0),
    )


def test_all_that_one_transaction_did_is_booked_in_its_order_and_its_gas_once() -> None:
    first = opening(a_snapshot(positions=(a_position(token_id=3, fees=(4, 8)),)), amounts(500, 500))
    swap = Swapped(
        purpose=SwapPurpose.RERANGE, delta=amounts(-100, 99), sqrt_price_before_x96=price_at(5)
    )
    burned = Withdrawn(token_id=3, principal=amounts(70, 50), fees=amounts(4, 8))
    step = a_step(burned, swap, a_mint(9, (200, 300)), gas=21_000)
    entries = of_step(step, books([first]))
    assert [entry.kind for entry in entries] == ["gas", "withdrawn", "swapped", "minted"]
    assert {entry.tx_hash for entry in entries} == {step.tx_hash}
    assert held([first, *entries], "wallet") == (500 + 74 - 100 - 201, 500 + 58 + 99 - 301)


def test_a_position_that_one_transaction_closes_and_opens_again_is_booked_as_two_lives() -> None:
    """A range of a vault has one id for good: what the burn leaves is where the mint begins."""
    first = opening(a_snapshot(positions=(a_position(token_id=3, fees=(4, 8)),)), NOTHING)
    burned = Withdrawn(token_id=3, principal=amounts(70, 50), fees=amounts(4, 8))
    again = Withdrawn(token_id=3, principal=amounts(19, 31), fees=NOTHING)
    step = a_step(burned, a_mint(3, (20, 30)), again, a_mint(3, (7, 9)))
    entries = [first, *of_step(step, books([first]))]
    was = held([first], "position:3")
    assert held(entries, "position:3") == (7, 9)
    assert held(entries, "uncollected:3") == (0, 0)
    assert held(entries, "pool_exchange") == (was[0] - 70 + 1, was[1] - 50 - 1)
    assert held(entries, "wallet") == (74 - 21 + 19 - 8, 58 - 31 + 31 - 10)


def test_fees_that_one_transaction_collects_twice_are_booked_twice() -> None:
    first = opening(a_snapshot(positions=(a_position(token_id=3, fees=(4, 8)),)), NOTHING)
    step = a_step(
        Collected(token_id=3, fees=amounts(4, 8)), Collected(token_id=3, fees=amounts(1, 0))
    )
    entries = [first, *of_step(step, books([first]))]
    assert held(entries, "uncollected:3") == (0, 0)
    assert held(entries, "fees") == (-1, 0)  # the first four and eight were there already


def test_a_transaction_that_moved_no_tokens_still_costs_its_gas() -> None:
    (gas,) = of_step(a_step(gas=21_000), {})
    assert [(p.account, p.amount) for p in gas.postings] == [
        ("gas", wei(21_000)),
        ("gas_wallet", wei(-21_000)),
    ]
    assert gas.tx_hash == a_step().tx_hash
