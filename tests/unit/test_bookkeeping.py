"""Books that follow a campaign, close to the unit, and halt where they do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from a_person import resume
from builders import (
    ACCOUNT,
    BLOCK_TIME_S,
    CHAIN_ID,
    a_block,
    a_plan,
    a_pool,
    a_position,
    a_purpose,
    a_range,
    amounts,
    an_attempt,
    an_inclusion,
    price_at,
)
from empty_store import an_empty_ledger
from paper_account import GAS_OF_A_STEP, Q128, PaperAccount, an_account
from sqlalchemy import text

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.errors import (
    AlreadyHalted,
    BooksDoNotClose,
    ChainError,
    ClockDrift,
    ConfigError,
    Halted,
    JournalDamaged,
    MaybeSent,
    PlanRefused,
    StrangersTransaction,
)
from lpmanager.execution.intent import Intent, Status
from lpmanager.execution.settling import stopped_by
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.model import (
    Amounts,
    Collected,
    Hold,
    Minted,
    Outcome,
    Step,
    Stop,
    StopKind,
    Swapped,
    SwapPurpose,
    TickRange,
    Withdrawn,
)

POOL = a_pool()
RANGE = TickRange(-600, 600)
DAY_IN_BLOCKS = 86_400 // 12
ASKED = Stop(kind=StopKind.ASKED, reason="asked to stop")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = an_empty_ledger(tmp_path / "books.db")
    yield ledger
    ledger.engine.dispose()


@pytest.fixture
def account() -> PaperAccount:
    return an_account((10**9, 10**9), pool=POOL)


def books_of(
    ledger: Ledger, account: PaperAccount, name: str = "main", budget: Amounts | None = None
) -> Bookkeeper:
    return Bookkeeper(name, ledger, account.signer, budget, account.outside_transfers)


def did(*steps: Step, stop: Stop | None = None) -> Outcome:
    return Outcome(steps=steps, stop=stop)


def test_the_first_look_takes_the_whole_wallet_and_every_position(
    ledger: Ledger, account: PaperAccount
) -> None:
    account.adopt(a_position("[0, 600)", token_id=5, fees=(3, 4)))
    record = books_of(ledger, account).bring_up_to(account.snapshot())
    assert record.wallet.raw == (10**9, 10**9)
    (deposit,) = record.deposits
    basis = record.bases[5]
    assert deposit.amounts == record.wallet + basis.amounts + amounts(3, 4)
    assert (basis.range, basis.sqrt_price_x96) == (TickRange(0, 600), price_at(0))
    assert record.usage.moves == 0
    assert record.usage.last_move_at is None


def test_a_whole_life_of_a_position_closes_with_every_term_measured(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    minted = account.mints(RANGE, amounts(5 * 10**8, 5 * 10**8))
    books.close(before, did(account.approves(), minted), account.snapshot)
    token_id = 1001
    account.price_moves_to(300)
    account.earns(token_id, 2**100, 2**101)
    before = account.snapshot()
    books.bring_up_to(before)
    gone = account.withdraws(token_id)
    swapped = account.swaps(SwapPurpose.RERANGE, amounts(10**6, -1_040_000), 310)
    books.close(before, did(gone, swapped), account.snapshot)
    result = books.result(account.snapshot())
    (withdrawn,), (opened,) = gone.facts, minted.facts
    assert isinstance(withdrawn, Withdrawn)
    assert isinstance(opened, Minted)
    price = account.snapshot().price
    assert result.identity_error == 0
    assert result.fees == price.value(withdrawn.fees) > 0
    assert result.rounding == price.value(opened.paid - opened.principal) > 0
    assert result.impermanent_loss < 0
    assert result.swap_cost > 0
    assert result.hedge == 0
    assert result.gas == 4 * GAS_OF_A_STEP * 3 // 10**9
    assert result.nav_end == price.value(account.wallet) - result.gas


def test_what_the_owner_sends_or_takes_is_a_dated_deposit(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.price_moves_to(100)
    account.receives(amounts(50, -7))
    record = books.bring_up_to(account.snapshot())
    assert [d.amounts.raw for d in record.deposits] == [(10**9, 10**9), (50, -7)]
    assert record.deposits[1].sqrt_price_x96 == price_at(100)
    assert record.wallet == account.wallet
    assert books.result(account.snapshot()).identity_error == 0


def test_looking_twice_at_one_block_changes_nothing(ledger: Ledger, account: PaperAccount) -> None:
    books = books_of(ledger, account)
    first = books.bring_up_to(account.snapshot())
    assert books.bring_up_to(account.snapshot()) == first


def test_books_that_began_with_nothing_go_on(ledger: Ledger) -> None:
    """As those of a vault that is not funded yet."""
    account = an_account((0, 0), pool=POOL)
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    assert books.bring_up_to(account.snapshot()).wallet.is_zero
    account.receives(amounts(5, 0))
    assert books.bring_up_to(account.snapshot()).wallet.raw == (5, 0)


def test_a_snapshot_older_than_the_books_is_refused_and_halts_nothing(
    ledger: Ledger, account: PaperAccount
) -> None:
    """As where the RPC answers from a node that has not seen our transaction yet."""
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    step = account.mints(a_range("[-600, 600)"), amounts(10**6, 10**6))
    with pytest.raises(ChainError, match="at block 100, its books at 101; it lags behind"):
        books.close(before, did(step), lambda: before)
    assert books.halted() is None
    books.bring_up_to(account.snapshot())
    assert books.result(account.snapshot()).identity_error == 0


def test_books_go_on_where_an_earlier_run_left_them(ledger: Ledger, account: PaperAccount) -> None:
    books_of(ledger, account).bring_up_to(account.snapshot())
    account.receives(amounts(1, 1))
    record = books_of(ledger, account).bring_up_to(account.snapshot())
    assert [d.amounts.raw for d in record.deposits] == [(10**9, 10**9), (1, 1)]


@pytest.mark.parametrize("budget", [None, amounts(10**6, 10**6)], ids=["all", "a budget"])
def test_a_transfer_that_an_rpc_tells_of_late_is_taken_in_once_it_is_told(
    ledger: Ledger, account: PaperAccount, budget: Amounts | None
) -> None:
    books = books_of(ledger, account, budget=budget)
    books.bring_up_to(account.snapshot())
    account.receives(amounts(50, -7))
    told_late = account.came.pop()
    with pytest.raises(BooksDoNotClose, match="no transfer explains it"):
        books.bring_up_to(account.snapshot())
    account.came.append(told_late)
    account.block += 1
    books.bring_up_to(account.snapshot())
    assert books.result(account.snapshot()).identity_error == 0


def test_a_transfer_that_was_booked_and_is_taken_out_again_was_none(
    ledger: Ledger, account: PaperAccount
) -> None:
    """By a reorganisation, in which another one may take its place."""
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.receives(amounts(50, -7))
    books.bring_up_to(account.snapshot())
    account.wallet -= account.came.pop()[1]
    account.block += 1
    assert books.bring_up_to(account.snapshot()).wallet.raw == (10**9, 10**9)
    account.receives(amounts(0, 3))
    books.bring_up_to(account.snapshot())
    account.wallet -= account.came.pop()[1]
    account.receives(amounts(-2, 0))
    assert books.bring_up_to(account.snapshot()).wallet.raw == (10**9 - 2, 10**9)
    assert books.result(account.snapshot()).identity_error == 0


def test_the_first_deposit_of_books_that_were_opened_with_nothing_may_be_taken_out_too(
    ledger: Ledger,
) -> None:
    account = an_account((0, 0), pool=POOL)
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.receives(amounts(50, 7))
    books.bring_up_to(account.snapshot())
    account.wallet -= account.came.pop()[1]
    account.block += 1
    assert books.bring_up_to(account.snapshot()).wallet.is_zero
    account.receives(amounts(0, 3))
    record = books.bring_up_to(account.snapshot())
    assert record.wallet.raw == (0, 3)
    assert [deposit.amounts.raw for deposit in record.deposits] == [(50, 7), (-50, -7), (0, 3)]
    assert books.result(account.snapshot()).identity_error == 0


def test_a_transfer_that_goes_after_more_than_an_hour_halts_the_campaign(
    ledger: Ledger, account: PaperAccount
) -> None:
    """No reorganisation is that deep: an RPC tells something else than it did."""
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.receives(amounts(50, 0))
    books.bring_up_to(account.snapshot())
    account.block += 1 + 3_600 // BLOCK_TIME_S
    account.wallet -= account.came.pop()[1]
    with pytest.raises(BooksDoNotClose, match="no transfer explains it"):
        books.bring_up_to(account.snapshot())


@pytest.mark.parametrize("missing", [amounts(1, 0), amounts(0, 1), amounts(0, -1)])
def test_one_unit_that_nothing_explains_halts_the_campaign(
    ledger: Ledger, account: PaperAccount, missing: Amounts
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.block += 1
    account.wallet -= missing
    with pytest.raises(
        BooksDoNotClose,
        match=r"main: the books do not close at block 101: account .* expected .* found",
    ):
        books.bring_up_to(account.snapshot())
    with pytest.raises(Halted, match="campaign main is halted"):
        books.require_running()


def test_a_campaign_that_is_not_halted_may_run(ledger: Ledger, account: PaperAccount) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    books.require_running()


ONE_OFF = amounts(0, 1)


def wrong_by_a_unit(step: Step) -> Step:
    (fact,) = step.facts
    match fact:
        case Minted():
            return replace(step, facts=(replace(fact, paid=fact.paid + ONE_OFF),))
        case Withdrawn():
            return replace(step, facts=(replace(fact, principal=fact.principal - ONE_OFF),))
        case Collected():
            return replace(step, facts=(replace(fact, fees=fact.fees + ONE_OFF),))
        case Swapped():
            return replace(step, facts=(replace(fact, delta=fact.delta - ONE_OFF),))


@pytest.mark.parametrize("kind", [Minted, Withdrawn, Collected, Swapped])
def test_a_fact_that_is_a_unit_wrong_halts_the_campaign(
    ledger: Ledger, account: PaperAccount, kind: type
) -> None:
    account.adopt(a_position(token_id=5, fees=(9, 9)))
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    steps = {
        Minted: lambda: account.mints(RANGE, amounts(10**6, 10**6)),
        Withdrawn: lambda: account.withdraws(5),
        Collected: lambda: account.collects(5),
        Swapped: lambda: account.swaps(SwapPurpose.HEDGE, amounts(-100, 99), 0),
    }
    step = steps[kind]()
    with pytest.raises(BooksDoNotClose):
        books.close(before, did(wrong_by_a_unit(step)), account.snapshot)


def test_a_position_burned_by_hand_halts_the_campaign(
    ledger: Ledger, account: PaperAccount
) -> None:
    account.adopt(a_position(token_id=5))
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    step = account.withdraws(5)
    (fact,) = step.facts
    assert isinstance(fact, Withdrawn)
    account.came.append((account.block, fact.principal))
    with pytest.raises(BooksDoNotClose, match="position 5 is in the books but not in the chain"):
        books.bring_up_to(account.snapshot())


def test_a_position_minted_by_hand_halts_the_campaign(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.adopt(a_position(token_id=5))
    with pytest.raises(BooksDoNotClose, match="position 5 is in the chain but not in the books"):
        books.bring_up_to(account.snapshot())


def test_native_coin_that_went_for_something_else_than_our_gas_halts_the_campaign(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    step = account.approves()
    account.native -= 1
    with pytest.raises(BooksDoNotClose, match="native coin"):
        books.close(before, did(step), account.snapshot)


def test_native_coin_that_was_sent_to_us_does_not_matter(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    step = account.approves()
    account.native += 1
    books.close(before, did(step), account.snapshot)
    assert books.result(account.snapshot()).gas == GAS_OF_A_STEP * 3 // 10**9


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"chain_id": 1}, "for chain 31337, the configuration says 1;"),
        ({"pool": a_pool(number=0xF9)}, "for pool"),
    ],
)
def test_a_name_whose_books_are_of_something_else_is_refused(
    ledger: Ledger, account: PaperAccount, changed: dict[str, object], message: str
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    with pytest.raises(ConfigError, match=message):
        books.bring_up_to(replace(account.snapshot(), **changed))


def test_a_name_whose_books_are_of_another_account_is_refused(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.signer = account.signer[:-1] + "2"
    with pytest.raises(ConfigError, match=f"for holder {ACCOUNT}, the configuration says"):
        books.bring_up_to(account.snapshot())


def test_the_day_counts_what_was_moved_paid_and_lost_in_its_last_24_hours(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    hedge = account.swaps(SwapPurpose.HEDGE, amounts(100, -103), 0)
    books.close(before, did(account.approves(), hedge), account.snapshot)
    usage = books.bring_up_to(account.snapshot()).usage
    assert usage.moves == 1
    assert usage.gas_raw == 2 * GAS_OF_A_STEP
    assert usage.swap_cost_quote_raw == 3
    assert usage.last_move_at == hedge.block.timestamp
    account.block += DAY_IN_BLOCKS + 1
    later = books.bring_up_to(account.snapshot()).usage
    assert (later.moves, later.gas_raw, later.swap_cost_quote_raw) == (0, 0, 0)
    assert later.last_move_at == hedge.block.timestamp


def test_a_plan_that_mints_twice_and_swaps_is_one_move(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    for _ in range(2):
        before = account.snapshot()
        books.bring_up_to(before)
        steps = (
            account.swaps(SwapPurpose.RERANGE, amounts(-100, 99), 0),
            account.mints(RANGE, amounts(10**6, 10**6)),
            account.mints(TickRange(10, 60), amounts(10**6, 0)),
        )
        books.close(before, did(*steps), account.snapshot)
    usage = books.bring_up_to(account.snapshot()).usage
    assert usage.moves == 2
    assert usage.last_move_at == steps[-1].block.timestamp


def test_taking_a_position_down_is_no_move(ledger: Ledger, account: PaperAccount) -> None:
    account.adopt(a_position(token_id=5))
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    books.close(before, did(account.withdraws(5)), account.snapshot)
    usage = books.bring_up_to(account.snapshot()).usage
    assert (usage.moves, usage.last_move_at) == (0, None)


def test_a_budget_is_all_the_campaign_has(ledger: Ledger, account: PaperAccount) -> None:
    books = books_of(ledger, account, budget=amounts(10, 20))
    assert books.bring_up_to(account.snapshot()).wallet.raw == (10, 20)
    account.receives(amounts(5, 5))
    record = books.bring_up_to(account.snapshot())
    assert record.wallet.raw == (10, 20)
    assert len(record.deposits) == 1


def test_two_budgets_share_an_account_and_each_keeps_its_own(
    ledger: Ledger, account: PaperAccount
) -> None:
    one = books_of(ledger, account, "one", amounts(10**6, 10**6))
    two = books_of(ledger, account, "two", amounts(10**6, 10**6))
    before = account.snapshot()
    one.bring_up_to(before)
    two.bring_up_to(before)
    step = account.swaps(SwapPurpose.HEDGE, amounts(-100, 99), 0)
    one.close(before, did(step), account.snapshot)
    assert two.bring_up_to(account.snapshot()).wallet.raw == (10**6, 10**6)
    assert one.bring_up_to(account.snapshot()).wallet.raw == (10**6 - 100, 10**6 + 99)


def test_a_decision_is_written_down_with_what_came_of_it(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    snapshot = account.snapshot()
    books.bring_up_to(snapshot)
    hold = Hold(campaign="main", block=a_block(), reason="in range", gates=())
    books.write_down(snapshot, hold, None)
    books.write_down(snapshot, hold, did(account.approves(), stop=ASKED))
    held, acted = books.diary()
    assert (held.decision["decision"], held.decision["reason"]) == ("hold", "in range")
    assert (held.acted, held.stopped) == (False, None)
    assert (acted.acted, acted.stopped) == (True, "asked to stop")
    assert held.sqrt_price_x96 == price_at(0)


def test_fees_that_grew_past_the_wrap_of_256_bits_are_booked_right(
    ledger: Ledger, account: PaperAccount
) -> None:
    almost = 2**256 - Q128
    position = a_position(token_id=5, liquidity=10**12)
    account.adopt(
        replace(
            position,
            fee_growth_inside0_x128=almost,
            fee_growth_inside0_last_x128=almost,
        )
    )
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.positions[5] = replace(account.positions[5], fee_growth_inside0_x128=Q128)
    account.block += 1
    books.bring_up_to(account.snapshot())
    assert books.result(account.snapshot()).fees == 2 * 10**12


def test_what_comes_beside_budgets_is_counted_once_however_many_campaigns_look(
    ledger: Ledger, account: PaperAccount
) -> None:
    one, two = (books_of(ledger, account, name, budget=amounts(10, 10)) for name in ("one", "two"))
    one.bring_up_to(account.snapshot())
    two.bring_up_to(account.snapshot())
    account.receives(amounts(500, 0))
    one.bring_up_to(account.snapshot())
    account.receives(amounts(50, 0))
    two.bring_up_to(account.snapshot())
    record = one.bring_up_to(account.snapshot())
    assert record.wallet == amounts(10, 10)
    rest = ledger.unallocated(CHAIN_ID, ACCOUNT, POOL.token0.address)
    assert rest is not None
    assert rest.raw == 10**9 + 550 - 20


def test_a_budgeted_campaign_opens_beside_another_after_the_owner_sent_tokens(
    ledger: Ledger, account: PaperAccount
) -> None:
    one, two = (books_of(ledger, account, name, budget=amounts(10, 10)) for name in ("one", "two"))
    one.bring_up_to(account.snapshot())
    account.receives(amounts(500, 0))
    assert two.bring_up_to(account.snapshot()).wallet == amounts(10, 10)


def test_a_transfer_is_not_looked_for_where_books_and_chain_were_one_long_after(
    ledger: Ledger, account: PaperAccount
) -> None:
    """Dust after a month would cost thousands of questions else."""
    asked: list[int] = []

    def moved(first: int, last: int, ours: frozenset[str]) -> Amounts:
        asked.append(last - first + 1)
        return account.outside_transfers(first, last, ours)

    books = Bookkeeper("main", ledger, account.signer, amounts(10, 10), moved)
    books.bring_up_to(account.snapshot())
    for _ in range(3):
        account.block += 5_000
        books.bring_up_to(account.snapshot())
    account.receives(amounts(1, 0))
    books.bring_up_to(account.snapshot())
    assert max(asked) <= 2_001
    assert len(asked) == 3 * 2 + 1  # at each look for each token
    assert ledger.wallet_totals(CHAIN_ID, ACCOUNT, POOL.token0.address) == 10**9 + 1


def test_what_came_and_went_long_ago_and_lately_is_looked_for_as_one(
    ledger: Ledger, account: PaperAccount
) -> None:
    """Nobody looked in between, so books and chain are one, but were not where the search would
    begin."""
    books = books_of(ledger, account, budget=amounts(10, 10))
    books.bring_up_to(account.snapshot())
    account.receives(amounts(500, 0))
    account.block += 9_000
    account.receives(amounts(-500, 0))
    books.bring_up_to(account.snapshot())
    account.receives(amounts(50, 0))
    books.bring_up_to(account.snapshot())
    assert books.halted() is None


def test_a_transfer_told_late_is_taken_in_though_another_campaign_opened_meanwhile(
    ledger: Ledger, account: PaperAccount
) -> None:
    one, two = (books_of(ledger, account, name, budget=amounts(10, 10)) for name in ("one", "two"))
    one.bring_up_to(account.snapshot())
    account.receives(amounts(500, -7))
    told_late = account.came.pop()
    account.block += 1
    with pytest.raises(BooksDoNotClose, match="no transfer explains it"):
        two.bring_up_to(account.snapshot())
    account.came.append(told_late)
    account.block += 1
    assert one.bring_up_to(account.snapshot()).wallet == amounts(10, 10)
    assert two.bring_up_to(account.snapshot()).wallet == amounts(10, 10)


def test_fees_collected_by_hand_halt_the_campaign(ledger: Ledger, account: PaperAccount) -> None:
    account.adopt(a_position(token_id=5))
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.earns(5, Q128, 0)
    books.bring_up_to(account.snapshot())
    step = account.collects(5)
    (fact,) = step.facts
    assert isinstance(fact, Collected)
    account.came.append((account.block, fact.fees))
    with pytest.raises(BooksDoNotClose, match=r"uncollected:5.*went without"):
        books.bring_up_to(account.snapshot())


def test_liquidity_taken_by_hand_halts_the_campaign(ledger: Ledger, account: PaperAccount) -> None:
    account.adopt(a_position(token_id=5))
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    position = account.positions[5]
    step = account.withdraws(5)
    (fact,) = step.facts
    assert isinstance(fact, Withdrawn)
    account.came.append((account.block, fact.principal))
    account.adopt(replace(position, liquidity=1))
    with pytest.raises(BooksDoNotClose, match="position 5: expected liquidity"):
        books.bring_up_to(account.snapshot())


# ---- new books ----

IN_ANOTHER_STORE = "begin new books in another store$"


@pytest.fixture
def another() -> Iterator[Ledger]:
    """Another store."""
    ledger = Ledger.open("sqlite://")
    yield ledger
    ledger.engine.dispose()


def test_a_budget_that_was_changed_takes_another_store(
    ledger: Ledger, another: Ledger, account: PaperAccount
) -> None:
    """Under another name the old books would keep what they hold, and their positions."""
    account.adopt(a_position(token_id=5))
    less, more = amounts(6 * 10**8, 10), amounts(7 * 10**8, 10)
    books_of(ledger, account, budget=less).bring_up_to(account.snapshot())
    with pytest.raises(ConfigError, match=f"budget in raw units .*; {IN_ANOTHER_STORE}"):
        books_of(ledger, account, budget=more).bring_up_to(account.snapshot())
    with pytest.raises(ConfigError, match="position 5 is in the books of"):
        books_of(ledger, account, "new", budget=more).bring_up_to(account.snapshot())
    account.positions.clear()
    with pytest.raises(ConfigError, match="has only 400000000 raw units of USDC free"):
        books_of(ledger, account, "new", budget=more).bring_up_to(account.snapshot())
    record = books_of(another, account, budget=more).bring_up_to(account.snapshot())
    assert record.wallet == more


def test_another_pool_takes_another_store(
    ledger: Ledger, another: Ledger, account: PaperAccount
) -> None:
    """Under another name both would hold the same tokens."""
    books_of(ledger, account).bring_up_to(account.snapshot())
    account.pool = replace(POOL, address=a_pool(number=0x77).address)
    with pytest.raises(ConfigError, match=f"books are for pool .*; {IN_ANOTHER_STORE}"):
        books_of(ledger, account).bring_up_to(account.snapshot())
    with pytest.raises(ConfigError, match="shares USDC of account"):
        books_of(ledger, account, "new").bring_up_to(account.snapshot())
    assert books_of(another, account).bring_up_to(account.snapshot()).wallet == account.wallet


def test_what_was_changed_by_hand_takes_the_other_rule_or_another_store(
    ledger: Ledger, another: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.owner_opens(RANGE, amounts(10**6, 10**6))
    with pytest.raises(BooksDoNotClose, match=IN_ANOTHER_STORE):
        books.bring_up_to(account.snapshot())
    anew = books_of(another, account)
    assert anew.bring_up_to(account.snapshot()).bases.keys() == account.positions.keys()
    anew.require_running()


# ---- transactions that are under way, and such as an earlier run left ----


def sent(
    ledger: Ledger, number: int, *, campaign: str = "main", decided_block: int = 100
) -> Intent:
    """An intent that was signed and sent; `mined` and `final` take it further."""
    journal = ledger.journal(CHAIN_ID)
    purpose = a_purpose(number, campaign=campaign, decided=a_block(decided_block))
    intent = journal.plan(ACCOUNT, number, purpose)
    return journal.note(journal.signed(intent, an_attempt(number)), Status.SENT)


def mined(ledger: Ledger, step: Step, **of: Any) -> Step:
    """A step that is in the journal, mined and final."""
    number, journal = int(step.tx_hash, 16), ledger.journal(CHAIN_ID)
    inclusion = an_inclusion(number, block=step.block.number)
    intent = journal.note(sent(ledger, number, **of), Status.MINED, inclusion)
    journal.note(intent, Status.FINAL)
    return step


def open_statuses(ledger: Ledger) -> list[Status]:
    return [intent.status for intent in ledger.journal(CHAIN_ID).open_intents(ACCOUNT)]


HALT = Stop(kind=StopKind.HALT, reason="somebody else signs for the account")


def test_what_was_done_is_booked_in_the_journal_too(ledger: Ledger, account: PaperAccount) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    step = mined(ledger, account.mints(RANGE, amounts(10**6, 10**6)))
    assert open_statuses(ledger) == [Status.FINAL]
    books.close(before, did(step), account.snapshot)
    assert open_statuses(ledger) == []


def test_while_something_is_under_way_books_and_chain_are_not_compared(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    sent(ledger, 7)
    account.wallet -= ONE_OFF
    with pytest.raises(MaybeSent, match=r"swap of campaign main is under way \(sent\)"):
        books.bring_up_to(account.snapshot())
    assert books.halted() is None


def test_gas_of_what_is_mined_and_not_final_halts_nothing(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    done, mined_only = mined(ledger, account.approves()), account.approves()
    number, journal = int(mined_only.tx_hash, 16), ledger.journal(CHAIN_ID)
    journal.note(
        sent(ledger, number),
        Status.MINED,
        an_inclusion(number, block=mined_only.block.number),
    )
    stop = Stop(kind=StopKind.ERROR, reason="not final in time")
    with pytest.raises(MaybeSent, match=r"under way \(mined\)"):
        books.close(before, did(done, stop=stop), account.snapshot)
    assert books.halted() is None
    assert open_statuses(ledger) == [Status.MINED]


def test_what_an_earlier_run_had_done_is_booked_as_of_its_decision(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    account.block += 5
    step = mined(ledger, account.mints(RANGE, amounts(10**6, 10**6)), decided_block=102)
    again = books_of(ledger, account)
    again.catch_up(did(step))
    record = again.bring_up_to(account.snapshot())
    assert record.usage.moves == 1
    assert record.bases.keys() == {1001}
    assert open_statuses(ledger) == []
    (entry,) = ledger.entries("main", ["minted"])
    assert entry.decided_at == a_block(102).timestamp
    assert again.result(account.snapshot()).identity_error == 0


def test_where_an_earlier_run_left_nothing_nothing_is_booked(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    books.catch_up(did())
    record = books.bring_up_to(account.snapshot())
    books.catch_up(did())
    assert books.bring_up_to(account.snapshot()) == record


def test_transactions_of_a_campaign_without_books_are_not_booked_anyhow(
    ledger: Ledger, account: PaperAccount
) -> None:
    with pytest.raises(Halted, match="main: has transactions of its own but no books"):
        books_of(ledger, account).catch_up(did(account.approves()))


def test_a_plan_that_was_told_to_halt_is_booked_and_halts_the_campaign(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    step = mined(ledger, account.mints(RANGE, amounts(10**6, 10**6)))
    with pytest.raises(Halted, match="main is halted: somebody else signs for the account"):
        books.close(before, did(step, stop=HALT), account.snapshot)
    assert books.halted() == HALT.reason
    assert books.open_positions(POOL) == {1001}
    assert open_statuses(ledger) == []


def test_what_an_earlier_run_left_may_halt_the_campaign(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    with pytest.raises(Halted, match="main is halted: somebody else signs for the account"):
        books.catch_up(did(stop=HALT))
    assert books.halted() == HALT.reason


def test_a_halt_that_a_person_asked_for_keeps_its_reason(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    Diary(ledger.engine, "main").halt("I want to look at it", 1)
    with pytest.raises(Halted) as told:
        books.require_running()
    with pytest.raises(Halted, match=r"^campaign main is halted: I want to look at it$"):
        books.close(before, did(stop=stopped_by(told.value)), account.snapshot)
    resume(Diary(ledger.engine, "main"), 2)
    books.close(before, did(stop=stopped_by(told.value)), account.snapshot)
    books.require_running()


def test_a_clock_that_is_found_behind_at_every_tick_is_one_halt(
    ledger: Ledger, account: PaperAccount
) -> None:
    """Each tick finds another block, and another distance to it."""
    books, diary = books_of(ledger, account), Diary(ledger.engine, "main")
    books.bring_up_to(account.snapshot())
    for height, ahead in ((100, 7), (101, 19), (102, 8)):
        drift = ClockDrift(f"a: found {height} of {ahead} s ahead; set it by NTP", 10**9 + height)
        with pytest.raises(AlreadyHalted, match="found 100 of 7 s ahead"):
            books.catch_up(did(stop=stopped_by(drift)))
    (halt,) = diary.standing()
    resume(diary, 1)
    with pytest.raises(AlreadyHalted, match="found 102 of 8 s ahead"):
        books.catch_up(did(stop=stopped_by(drift)))
    assert [later.id > halt.id for later in diary.standing()] == [True]


def test_what_a_plan_finds_is_told_beside_a_halt_that_a_person_asked_for_meanwhile(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    Diary(ledger.engine, "main").halt("I want to look at it", 1)
    for _ in range(2):
        with pytest.raises(Halted, match=f"halted: I want to look at it; {HALT.reason}$"):
            books.close(before, did(stop=HALT), account.snapshot)


# ---- who else signs for the account ----


def test_a_nonce_that_nothing_of_ours_used_halts_each_campaign_of_the_account(
    ledger: Ledger, account: PaperAccount
) -> None:
    ledger.journal(CHAIN_ID).note(sent(ledger, 7), Status.BOOKED)
    account.nonce = 9
    for name in ("main", "aside"):
        books = books_of(ledger, account, name)
        with pytest.raises(
            StrangersTransaction, match=rf"to be 8, found 9; .* `lpm resume {name}`$"
        ) as told:
            books.require_nobody_else_signed(account.snapshot())
        assert books.halted() == str(told.value)
        resume(Diary(ledger.engine, name), 2)
        books.require_nobody_else_signed(account.snapshot())
    assert open_statuses(ledger) == []


@pytest.mark.parametrize("nonce", [6, 7, 8])
def test_a_node_that_lags_or_a_reorganisation_is_no_stranger(
    ledger: Ledger, account: PaperAccount, nonce: int
) -> None:
    ledger.journal(CHAIN_ID).note(sent(ledger, 7), Status.BOOKED)
    account.nonce = nonce
    books_of(ledger, account).require_nobody_else_signed(account.snapshot())


def test_the_nonces_of_an_account_for_which_nothing_was_signed_here_are_not_judged(
    ledger: Ledger, account: PaperAccount
) -> None:
    account.nonce = 12
    books_of(ledger, account).require_nobody_else_signed(account.snapshot())


def test_a_stop_that_is_no_halt_lets_the_campaign_run(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    before = account.snapshot()
    books.bring_up_to(before)
    books.close(before, did(stop=Stop(kind=StopKind.ERROR, reason="no answer")), account.snapshot)
    books.catch_up(did(stop=Stop(kind=StopKind.ERROR, reason="no answer")))
    books.require_running()


def test_a_plan_of_which_anything_was_signed_is_not_begun_again(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    plan = a_plan(block=a_block(103))
    sent(ledger, 7, campaign="aside", decided_block=103)
    sent(ledger, 8, decided_block=102)
    ledger.journal(CHAIN_ID).plan(ACCOUNT, 9, a_purpose(9, decided=a_block(103)))
    books.require_not_begun(plan)
    sent(ledger, 10, decided_block=103)
    with pytest.raises(PlanRefused, match="was begun before: swap is sent; make a new one"):
        books.require_not_begun(plan)


def test_a_damaged_journal_keeps_the_books_from_being_trusted(
    ledger: Ledger, account: PaperAccount
) -> None:
    books = books_of(ledger, account)
    books.bring_up_to(account.snapshot())
    sent(ledger, 7)
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE journal SET event = 'booked' WHERE id = 3"))
    with pytest.raises(JournalDamaged, match="row 3 "):
        books.bring_up_to(account.snapshot())
