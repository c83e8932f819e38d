"""Whatever happens to a campaign, its books close and its result adds up, exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from builders import a_pool, a_position, a_vault, amounts
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_account import PaperAccount, an_account
from sqlalchemy import select

from lpmanager.amm import liquidity_for_amounts_down, principal_down, uncollected_fees
from lpmanager.bookkeeping import Bookkeeper
from lpmanager.errors import BooksDoNotClose
from lpmanager.ledger import tables as t
from lpmanager.ledger.by_hand import ByHand
from lpmanager.ledger.store import Ledger
from lpmanager.model import (
    Amounts,
    Collected,
    Fact,
    Minted,
    Outcome,
    Step,
    SwapPurpose,
    TickRange,
    VaultState,
    Withdrawn,
)
from lpmanager.venues.liquidity_vault import position_id

POOL = a_pool()
NOTHING = amounts(0, 0)

ticks = st.integers(-20_000, 20_000)
shares = st.integers(1, 100)
growths = st.integers(0, 2**110)
ADOPTED = TickRange(-600, 1200)
#: Often one that comes again and again: a vault opens it under the id it had.
ranges = st.one_of(
    st.sampled_from([ADOPTED, TickRange(0, 600)]),
    st.builds(
        lambda lower, width: TickRange(lower * 10, (lower + width) * 10),
        st.integers(-2_000, 2_000),
        st.integers(1, 500),
    ),
)


@dataclass
class Played:
    """An account, its books, and what its facts add up to without them."""

    account: PaperAccount
    books: Bookkeeper
    ledger: Ledger
    principal_in: Amounts = field(default_factory=lambda: NOTHING)
    fees_before: Amounts = field(default_factory=lambda: NOTHING)
    fees_paid: Amounts = field(default_factory=lambda: NOTHING)
    rounding: Amounts = field(default_factory=lambda: NOTHING)
    steps: int = 0

    def note(self, step: Step) -> None:
        self.steps += 1
        for fact in step.facts:
            match fact:
                case Minted():
                    self.principal_in += fact.principal
                    self.rounding += fact.paid - fact.principal
                case Withdrawn():
                    self.principal_in -= fact.principal
                    self.fees_paid += fact.fees
                case Collected():
                    self.fees_paid += fact.fees


Event = Callable[[PaperAccount], None]


@dataclass(frozen=True)
class Move:
    """What the program does, or None where there is nothing to do it with. In one transaction a
    vault does what has a lower place first."""

    place: int
    do: Callable[[PaperAccount], Fact | None]


def some_position(account: PaperAccount, choice: int) -> int | None:
    ids = sorted(account.positions)
    return ids[choice % len(ids)] if ids else None


def price_moves(tick: int) -> Event:
    return lambda account: account.price_moves_to(tick)


def fees_grow(choice: int, growth0: int, growth1: int) -> Event:
    def happen(account: PaperAccount) -> None:
        chosen = some_position(account, choice)
        if chosen is not None:
            account.earns(chosen, growth0, growth1)

    return happen


def owner_moves(share0: int, share1: int) -> Event:
    """The owner sends, or takes at most all there is."""

    def happen(account: PaperAccount) -> None:
        raw0, raw1 = account.wallet.raw
        account.receives(amounts(raw0 * share0 // 100, raw1 * share1 // 100))

    return happen


def owner_opens(tick_range: TickRange, share: int) -> Event:
    def happen(account: PaperAccount) -> None:
        account.owner_opens(tick_range, of_wallet(account, share))

    return happen


def owner_adds(choice: int, share: int) -> Event:
    def happen(account: PaperAccount) -> None:
        chosen = some_position(account, choice)
        if chosen is not None:
            price, tick_range = account.sqrt_price_x96, account.positions[chosen].range
            offered = of_wallet(account, share).raw
            account.owner_adds(chosen, liquidity_for_amounts_down(price, tick_range, *offered))

    return happen


def owner_takes_out(choice: int, share: int) -> Event:
    def happen(account: PaperAccount) -> None:
        chosen = some_position(account, choice)
        if chosen is not None:
            account.owner_takes_out(chosen, account.positions[chosen].liquidity * share // 100)

    return happen


def owner_does(act: str, choice: int) -> Event:
    def happen(account: PaperAccount) -> None:
        chosen = some_position(account, choice)
        if chosen is not None:
            getattr(account, act)(chosen)

    return happen


def of_wallet(account: PaperAccount, share: int) -> Amounts:
    raw0, raw1 = account.wallet.raw
    return amounts(raw0 * share // 100, raw1 * share // 100)


def a_mint(tick_range: TickRange, share: int) -> Move:
    def do(account: PaperAccount) -> Fact | None:
        if account.vault is not None and tick_range in {
            p.range for p in account.positions.values()
        }:
            return None  # a vault opens no range that it holds
        return account.minting(tick_range, of_wallet(account, share))

    return Move(3, do)


def a_withdrawal(choice: int, short: int) -> Move:
    def do(account: PaperAccount) -> Fact | None:
        chosen = some_position(account, choice)
        return None if chosen is None else account.withdrawing(chosen, short)

    return Move(1, do)


def a_collection(choice: int, short: int) -> Move:
    def do(account: PaperAccount) -> Fact | None:
        chosen = some_position(account, choice)
        return None if chosen is None else account.collecting(chosen, short)

    return Move(0, do)


def a_swap(purpose: SwapPurpose, sells0: bool, share: int, got: int, tick_after: int) -> Move:
    """At whatever rate: the books do not ask whether a swap was a good one."""

    def do(account: PaperAccount) -> Fact:
        raw0, raw1 = account.wallet.raw
        paid = (raw0 if sells0 else raw1) * share // 100
        delta = amounts(-paid, got) if sells0 else amounts(got, -paid)
        return account.swapping(purpose, delta, tick_after)

    return Move(2, do)


def carried_out(account: PaperAccount, moves: list[Move]) -> tuple[Step, ...]:
    """One transaction after the other from a wallet, all in one from a vault."""
    if account.vault is not None:
        done = [move.do(account) for move in sorted(moves, key=lambda move: move.place)]
        return (account.step(*(fact for fact in done if fact is not None)),)
    steps = []
    for move in moves:
        fact = move.do(account)
        steps.append(account.approves() if fact is None else account.step(fact))
    return tuple(steps)


events = st.one_of(
    st.builds(price_moves, ticks),
    st.builds(fees_grow, st.integers(0, 9), growths, growths),
    st.builds(owner_moves, st.integers(-100, 100), st.integers(-100, 100)),
)
moves = st.one_of(
    st.builds(a_mint, ranges, shares),
    st.builds(a_withdrawal, st.integers(0, 9), st.integers(0, 1)),
    st.builds(a_collection, st.integers(0, 9), st.integers(0, 1)),
    st.builds(
        a_swap, st.sampled_from(SwapPurpose), st.booleans(), shares, st.integers(0, 10**12), ticks
    ),
)
by_hand = st.one_of(
    st.builds(owner_opens, ranges, shares),
    st.builds(owner_adds, st.integers(0, 9), shares),
    st.builds(owner_takes_out, st.integers(0, 9), shares),
    st.builds(
        owner_does,
        st.sampled_from(["owner_closes", "owner_collects", "owner_gives_away"]),
        st.integers(0, 9),
    ),
)
cycles = st.lists(st.tuples(st.lists(events, max_size=3), st.lists(moves, max_size=3)), max_size=6)
cycles_by_hand = st.lists(
    st.tuples(st.lists(st.one_of(events, by_hand), max_size=4), st.lists(moves, max_size=2)),
    max_size=6,
)
wallets = st.tuples(st.integers(0, 10**15), st.integers(0, 10**15))
custodies = st.sampled_from([None, a_vault()])


def play(
    wallet: tuple[int, int],
    quote_is_token0: bool,
    cycles: list[tuple[list[Event], list[Move]]],
    rule: ByHand = ByHand.HALT,
    vault: VaultState | None = None,
) -> Played:
    quote = POOL.token0 if quote_is_token0 else POOL.token1
    account = an_account(wallet, pool=POOL, quote=quote, vault=vault)
    token_id = 7 if vault is None else position_id(vault.address, ADOPTED)
    adopted = a_position(str(ADOPTED), token_id=token_id, liquidity=10**13, fees=(11, 13))
    account.adopt(adopted)
    ledger = Ledger.open("sqlite://")
    played = Played(
        account=account,
        books=Bookkeeper("main", ledger, account.signer, None, account.outside_transfers, rule),
        ledger=ledger,
        principal_in=amounts(*principal_down(adopted, account.sqrt_price_x96)),
        fees_before=amounts(*uncollected_fees(adopted)),
    )
    played.books.bring_up_to(account.snapshot())
    for happens, does in cycles:
        for event in happens:
            event(account)
        before = account.snapshot()
        played.books.bring_up_to(before)
        steps = carried_out(account, does)
        for step in steps:
            played.note(step)
        played.books.close(before, Outcome(steps=steps, stop=None), account.snapshot)
    return played


@settings(max_examples=60)
@given(wallet=wallets, quote_is_token0=st.booleans(), cycles=cycles, vault=custodies)
def test_the_result_adds_up_exactly_whatever_happens(
    wallet: tuple[int, int],
    quote_is_token0: bool,
    cycles: list[tuple[list[Event], list[Move]]],
    vault: VaultState | None,
) -> None:
    played = play(wallet, quote_is_token0, cycles, vault=vault)
    account, snapshot = played.account, played.account.snapshot()
    result = played.books.result(snapshot)
    principal = sum(
        (amounts(*principal_down(p, account.sqrt_price_x96)) for p in snapshot.positions), NOTHING
    )
    waiting = sum((amounts(*uncollected_fees(p)) for p in snapshot.positions), NOTHING)
    price = snapshot.price
    assert result.identity_error == 0
    assert result.fees == price.value(played.fees_paid + waiting - played.fees_before)
    assert result.rounding == price.value(played.rounding)
    assert result.nav_end == price.value(account.wallet + principal + waiting) - result.gas
    assert result.in_quote()["identity_error"] == "0"
    assert played.books.open_positions(POOL) == account.positions.keys()
    played.ledger.engine.dispose()


@settings(max_examples=50)
@given(wallet=wallets, quote_is_token0=st.booleans(), cycles=cycles_by_hand)
def test_books_that_take_in_what_the_owner_does_close_whatever_he_does(
    wallet: tuple[int, int],
    quote_is_token0: bool,
    cycles: list[tuple[list[Event], list[Move]]],
) -> None:
    played = play(wallet, quote_is_token0, cycles, ByHand.ADOPT)
    account, snapshot = played.account, played.account.snapshot()
    record = played.books.bring_up_to(snapshot)
    held = account.wallet
    for position in snapshot.positions:
        held += amounts(*principal_down(position, account.sqrt_price_x96))
        held += amounts(*uncollected_fees(position))
    result = played.books.result(snapshot)
    assert result.identity_error == 0
    assert result.nav_end + result.gas == snapshot.price.value(held)
    assert record.wallet == account.wallet
    assert {i: b.liquidity for i, b in record.bases.items()} == {
        i: p.liquidity for i, p in account.positions.items()
    }
    played.ledger.engine.dispose()


@settings(max_examples=40)
@given(wallet=wallets, cycles=cycles, vault=custodies)
def test_the_kept_balances_are_the_sums_of_their_postings_and_sum_to_nothing(
    wallet: tuple[int, int],
    cycles: list[tuple[list[Event], list[Move]]],
    vault: VaultState | None,
) -> None:
    played = play(wallet, True, cycles, vault=vault)
    sums: dict[tuple[str, str], int] = {}
    with played.ledger.engine.connect() as connection:
        for account, token, raw in connection.execute(
            select(t.postings.c.account, t.postings.c.token, t.postings.c.raw)
        ):
            sums[account, token] = sums.get((account, token), 0) + raw
    kept = played.ledger.balances("main")
    assert {key: raw for key, raw in sums.items() if raw} == kept
    for token in {token for _, token in kept}:
        assert sum(raw for (_, of), raw in kept.items() if of == token) == 0
    played.ledger.engine.dispose()


@settings(max_examples=30)
@given(
    wallet=wallets,
    cycles=cycles,
    lost=st.sampled_from([(1, 0), (0, 1), (-1, 0), (0, -1)]),
    rule=st.sampled_from(ByHand),
)
def test_a_unit_that_goes_or_comes_without_a_trace_never_passes(
    wallet: tuple[int, int],
    cycles: list[tuple[list[Event], list[Move]]],
    lost: tuple[int, int],
    rule: ByHand,
) -> None:
    played = play(wallet, True, cycles, rule)
    played.account.block += 1
    played.account.wallet -= amounts(*lost)
    with pytest.raises(BooksDoNotClose):
        played.books.bring_up_to(played.account.snapshot())
    played.ledger.engine.dispose()


@settings(max_examples=30)
@given(
    wallet=wallets, cycles=cycles, account=st.sampled_from(["pool_exchange", "fees", "rounding"])
)
def test_a_posting_that_was_tampered_with_shows_in_the_identity(
    wallet: tuple[int, int], cycles: list[tuple[list[Event], list[Move]]], account: str
) -> None:
    played = play(wallet, True, cycles)
    key = ("main", account, POOL.token0.address)
    with played.ledger.engine.begin() as connection:
        rows = t.balances
        where = (
            rows.c.campaign == key[0],
            rows.c.account == key[1],
            rows.c.token == key[2],
        )
        before = connection.execute(select(rows.c.raw).where(*where)).scalar() or 0
        connection.execute(rows.delete().where(*where))
        connection.execute(
            rows.insert().values(campaign=key[0], account=key[1], token=key[2], raw=before + 1)
        )
    assert played.books.result(played.account.snapshot()).identity_error != 0
    played.ledger.engine.dispose()
