"""A campaign halts itself by what its store says, whichever process looks, until it is resumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from a_person import resume
from builders import ACCOUNT, a_block, a_pool, a_position, amounts, price_at
from empty_store import an_empty_ledger
from paper_account import PaperAccount, an_account
from sqlalchemy import text

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.errors import ClockDrift, Halted
from lpmanager.inventory.measure import measure
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.model import Hold, Outcome, Stop, StopKind

POOL = a_pool()
TENTH = Fraction(1, 10)
DAY_IN_BLOCKS = 86_400 // 12


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = an_empty_ledger(tmp_path / "books.db")
    yield ledger
    ledger.engine.dispose()


@pytest.fixture
def account() -> PaperAccount:
    return an_account((10**9, 10**9), pool=POOL)


@pytest.fixture
def diary(ledger: Ledger) -> Diary:
    return Diary(ledger.engine, "main")


class Manager:
    """Looks at the account once a cycle, each time as a new process."""

    def __init__(self, ledger: Ledger, account: PaperAccount, name: str = "main") -> None:
        self._ledger = ledger
        self._name = name
        self.account = account

    @property
    def books(self) -> Bookkeeper:
        return Bookkeeper(
            self._name,
            self._ledger,
            self.account.signer,
            None,
            self.account.outside_transfers,
        )

    def looks(self, limit: Fraction = TENTH) -> None:
        books, snapshot = self.books, self.account.snapshot()
        books.require_running()
        books.require_loss_within(limit, snapshot, books.bring_up_to(snapshot))

    def holds(self) -> None:
        hold = Hold(campaign="main", block=a_block(), reason="in range", gates=())
        self.books.write_down(self.account.snapshot(), hold, None)

    def carries_out(self, stop: Stop | None) -> None:
        """A plan of one transaction that ends as `stop` says."""
        books, before = self.books, self.account.snapshot()
        books.require_running()
        books.bring_up_to(before)
        outcome = Outcome(steps=(self.account.approves(),), stop=stop)
        books.write_down(
            before, Hold(campaign="main", block=a_block(), reason="", gates=()), outcome
        )
        books.close(before, outcome, self.account.snapshot)


@pytest.fixture
def manager(ledger: Ledger, account: PaperAccount) -> Manager:
    return Manager(ledger, account)


# ---- a day's loss. The account holds as much of either token, so it loses a tenth where token1
# loses a fifth: at tick 2,232 ----


def test_what_the_market_takes_within_a_day_halts_the_campaign(
    manager: Manager, account: PaperAccount, diary: Diary
) -> None:
    manager.looks()
    account.price_moves_to(2_300)
    with pytest.raises(
        Halted, match=r"^campaign main is halted: it lost 205\.\d+ USDC of 2,000\.0+ USDC since "
    ):
        manager.looks()
    assert diary.halted() is not None
    with pytest.raises(Halted):
        manager.looks()


def test_a_loss_is_counted_from_the_opening_on(manager: Manager, account: PaperAccount) -> None:
    manager.looks()
    account.price_moves_to(1_900)
    manager.looks()
    account.price_moves_to(2_300)
    with pytest.raises(Halted):
        manager.looks()


def test_a_loss_that_took_longer_than_a_day_is_borne(
    manager: Manager, account: PaperAccount
) -> None:
    manager.looks()
    account.block += DAY_IN_BLOCKS // 2
    account.price_moves_to(1_000)
    manager.looks()
    account.block += DAY_IN_BLOCKS
    account.price_moves_to(2_300)
    manager.looks()
    account.price_moves_to(3_600)
    with pytest.raises(Halted):
        manager.looks()


def test_looks_that_are_a_day_apart_or_more_are_compared_with_each_other(
    manager: Manager, account: PaperAccount
) -> None:
    """As of a cron job of each morning, whose blocks come a few seconds sooner or later."""
    manager.looks()
    account.block += DAY_IN_BLOCKS
    account.price_moves_to(1_900)
    manager.looks()
    account.block += DAY_IN_BLOCKS
    account.price_moves_to(4_400)
    with pytest.raises(Halted, match=r"it lost \d+\.\d+ USDC of 1,8\d\d\.\d+ USDC since "):
        manager.looks()


def test_a_loss_of_an_outage_is_compared_with_the_look_before_it(
    manager: Manager, account: PaperAccount
) -> None:
    manager.looks()
    account.block += 7 * DAY_IN_BLOCKS
    account.price_moves_to(2_300)
    with pytest.raises(Halted):
        manager.looks()


def test_deposits_and_withdrawals_are_no_gain_and_no_loss(
    manager: Manager, account: PaperAccount
) -> None:
    manager.looks()
    account.receives(amounts(10**12, 0))
    manager.looks()
    account.receives(amounts(-(10**12) - 9 * 10**8, -(10**9)))
    manager.looks()


def test_a_resume_lets_it_run_and_losses_count_from_then_on(
    manager: Manager, account: PaperAccount, diary: Diary
) -> None:
    manager.looks()
    account.price_moves_to(2_300)
    with pytest.raises(Halted):
        manager.looks()
    resume(diary, 1)
    manager.looks()
    account.price_moves_to(2_600)
    manager.looks()
    account.price_moves_to(5_000)
    with pytest.raises(Halted):
        manager.looks()


def test_an_account_that_never_held_anything_loses_nothing(ledger: Ledger) -> None:
    Manager(ledger, an_account((0, 0), pool=POOL)).looks()


def test_a_position_worth_nothing_where_nothing_was_put_in_loses_nothing(ledger: Ledger) -> None:
    """Anybody can send one."""
    account = an_account((0, 0), pool=POOL)
    account.adopt(a_position(liquidity=1))
    manager = Manager(ledger, account)
    manager.looks()
    account.price_moves_to(2_300)
    manager.looks()
    snapshot = account.snapshot()
    measure(snapshot, manager.books.bring_up_to(snapshot), Fraction(1, 2))


def test_once_the_owner_has_taken_everything_out_nothing_is_lost(
    manager: Manager, account: PaperAccount
) -> None:
    """Only the gas that was paid is left, which is dearer now."""
    manager.carries_out(None)
    account.receives(amounts(-(10**9), -(10**9)))
    manager.looks()
    snapshot = account.snapshot()
    assert snapshot.native_price is not None
    twice = replace(snapshot.native_price, ratio=2 * snapshot.native_price.ratio)
    dearer, books = replace(snapshot, native_price=twice), manager.books
    books.require_loss_within(TENTH, dearer, books.bring_up_to(dearer))


def test_marks_of_the_last_day_are_kept_and_the_last_one_before(
    manager: Manager, account: PaperAccount, diary: Diary
) -> None:
    for _ in range(4):
        manager.looks()
        account.block += DAY_IN_BLOCKS // 2
    account.block += 1
    manager.looks()
    now = account.snapshot().block.timestamp
    kept = [now - 86_400 - 12, now - 43_200 - 12, now]
    assert [mark.timestamp for mark in diary.marks(now)] == kept
    assert [mark.timestamp for mark in diary.marks(now + 10 * 86_400)] == [now]


def test_of_many_looks_in_five_minutes_the_best_is_kept(
    manager: Manager, account: PaperAccount, diary: Diary
) -> None:
    account.block = 250  # it and the next four are of the same five minutes
    for tick in (0, -300, 200, 100):
        account.block += 1
        manager.account.sqrt_price_x96 = price_at(tick)
        manager.looks()
    (best,) = diary.marks(account.snapshot().block.timestamp)
    assert best.gain > 0
    manager.account.sqrt_price_x96 = price_at(2_000)
    with pytest.raises(Halted):
        manager.looks()


def test_the_day_begins_anew_where_value_is_counted_in_another_token(
    manager: Manager, account: PaperAccount
) -> None:
    manager.looks()
    account.price_moves_to(-100)
    manager.looks()
    account.quote = POOL.token1
    manager.looks()
    account.price_moves_to(-2_400)
    with pytest.raises(Halted, match="WETH since"):
        manager.looks()


def test_the_day_of_one_campaign_is_not_anothers(
    ledger: Ledger, manager: Manager, account: PaperAccount
) -> None:
    manager.looks()
    resume(Diary(ledger.engine, "aside"), 1)
    account.price_moves_to(2_300)
    with pytest.raises(Halted):
        manager.looks()


# ---- plans that fail ----

FAILED = Stop(kind=StopKind.ERROR, reason="mint: reverted")
NEUTRAL = [
    Stop(kind=StopKind.INTERRUPTED, reason="no answer"),
    Stop(kind=StopKind.ASKED, reason="asked to stop"),
    Stop(kind=StopKind.OVERTAKEN, reason="the plan expired"),
]


def test_three_plans_that_fail_in_a_row_halt_the_campaign_at_once(
    manager: Manager, account: PaperAccount, diary: Diary
) -> None:
    manager.carries_out(FAILED)
    manager.carries_out(FAILED)
    with pytest.raises(Halted, match=r"halted: 3 plans in a row failed, the last: mint: reverted$"):
        manager.carries_out(FAILED)
    assert len(diary.cycles()) == 3
    assert [row.stop_kind for row in diary.cycles()] == [StopKind.ERROR] * 3
    resume(diary, 1)
    manager.looks()


def test_a_plan_that_succeeds_begins_the_count_anew(manager: Manager) -> None:
    for stop in (FAILED, FAILED, None, FAILED, FAILED):
        manager.carries_out(stop)
    with pytest.raises(Halted):
        manager.carries_out(FAILED)


@pytest.mark.parametrize("neutral", NEUTRAL, ids=lambda stop: stop.kind)
def test_what_says_nothing_about_plans_neither_counts_nor_begins_anew(
    manager: Manager, neutral: Stop
) -> None:
    for stop in (neutral, FAILED, neutral, neutral, FAILED, neutral):
        manager.carries_out(stop)
    manager.holds()
    with pytest.raises(Halted):
        manager.carries_out(FAILED)


def test_a_resume_begins_the_count_anew(manager: Manager, diary: Diary) -> None:
    for _ in range(2):
        manager.carries_out(FAILED)
    diary.halt("let me look", 1)
    resume(diary, 2)
    for _ in range(2):
        manager.carries_out(FAILED)
    with pytest.raises(Halted):
        manager.carries_out(FAILED)


def test_a_halt_by_a_person_and_plans_that_fail_are_two_reasons(
    manager: Manager, diary: Diary
) -> None:
    for _ in range(2):
        manager.carries_out(FAILED)
    books, before = manager.books, manager.account.snapshot()
    diary.halt("let me look", 1)
    hold = Hold(campaign="main", block=a_block(), reason="", gates=())
    books.write_down(before, hold, Outcome(steps=(), stop=FAILED))
    assert diary.halted() == "let me look; 3 plans in a row failed, the last: mint: reverted"
    resume(diary, 2)
    assert diary.halted() is None


def test_failures_and_resumes_of_one_campaign_are_not_anothers(
    ledger: Ledger, manager: Manager
) -> None:
    aside = Manager(ledger, an_account((10**9, 10**9), pool=POOL), "aside")
    aside.account.signer = ACCOUNT[:-1] + "2"
    for _ in range(2):
        manager.carries_out(FAILED)
        aside.carries_out(FAILED)
    aside.holds()
    Diary(ledger.engine, "aside").halt("let me look", 1)
    resume(Diary(ledger.engine, "aside"), 2)
    with pytest.raises(Halted):
        manager.carries_out(FAILED)


# ---- a wrong clock ----


def test_a_clock_that_is_behind_halts_the_campaign_once(diary: Diary, ledger: Ledger) -> None:
    for _ in range(2):
        with pytest.raises(ClockDrift), diary.halting_on_drift():
            raise ClockDrift("this machine's clock is behind", 1_700_000_000)
    with ledger.engine.connect() as connection:
        reasons = connection.execute(text("SELECT reason FROM halts")).scalars().all()
    assert reasons == ["this machine's clock is behind"]


def test_nothing_else_than_the_clock_halts_it(diary: Diary) -> None:
    with pytest.raises(Halted), diary.halting_on_drift():
        raise Halted("something else")
    assert diary.halted() is None
