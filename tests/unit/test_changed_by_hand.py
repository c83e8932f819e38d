"""What the owner does by hand: it halts the campaign, or the books take it in to the unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from builders import a_pool, a_position, amounts, price_at
from empty_store import an_empty_ledger
from paper_account import GAS_OF_A_STEP, Q128, PaperAccount, an_account
from structlog.testing import capture_logs

from lpmanager.amm import principal_down, uncollected_fees
from lpmanager.bookkeeping import Bookkeeper
from lpmanager.errors import BooksDoNotClose, ConfigError
from lpmanager.ledger.by_hand import ByHand
from lpmanager.ledger.result import Result
from lpmanager.ledger.store import Ledger
from lpmanager.model import Amounts, Outcome, Step, TickRange

POOL = a_pool()
NOTHING = amounts(0, 0)
RANGE = TickRange(-60, 600)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = an_empty_ledger(tmp_path / "books.db")
    yield ledger
    ledger.engine.dispose()


@dataclass
class Desk:
    """A campaign whose account holds position 5, which has earned fees and is booked."""

    ledger: Ledger
    rule: ByHand
    name: str = "main"
    budget: Amounts | None = None
    account: PaperAccount = field(default_factory=lambda: an_account((10**9, 10**9), pool=POOL))
    books: Bookkeeper = field(init=False)

    def __post_init__(self) -> None:
        self.books = Bookkeeper(
            self.name,
            self.ledger,
            self.account.signer,
            self.budget,
            self.account.outside_transfers,
            self.rule,
        )

    def begin(self) -> Desk:
        self.account.adopt(a_position("[-600, 1200)", token_id=5, liquidity=10**10))
        self.look()
        self.account.earns(5, Q128 // 10**6, Q128 // 10**7)
        self.look()
        return self

    def look(self) -> None:
        self.books.bring_up_to(self.account.snapshot())

    def result(self) -> Result:
        return self.books.result(self.account.snapshot())

    def told(self) -> list[str]:
        return [adoption.text for adoption in self.books.adoptions()]

    def held(self) -> Amounts:
        """By the chain alone."""
        held = self.account.wallet
        for position in self.account.positions.values():
            held += amounts(*principal_down(position, self.account.sqrt_price_x96))
            held += amounts(*uncollected_fees(position))
        return held

    def require_exact(self) -> None:
        """The books hold what the chain holds, and the result adds up."""
        record = self.books.bring_up_to(self.account.snapshot())
        result, price = self.result(), self.account.snapshot().price
        assert record.wallet == self.account.wallet
        assert record.bases.keys() == self.account.positions.keys()
        assert result.nav_end + result.gas == price.value(self.held())
        assert result.identity_error == 0


@pytest.fixture
def adopting(ledger: Ledger) -> Desk:
    return Desk(ledger, ByHand.ADOPT).begin()


@pytest.fixture
def halting(ledger: Ledger) -> Desk:
    return Desk(ledger, ByHand.HALT).begin()


Act = Callable[[PaperAccount], object]
ACTS: dict[str, tuple[Act, str]] = {
    "closes": (lambda it: it.owner_closes(5), "position 5 is in the books but not in the chain"),
    "gives away": (
        lambda it: it.owner_gives_away(5),
        "position 5 is in the books but not in the chain",
    ),
    "takes out": (
        lambda it: it.owner_takes_out(5, 10**9),
        "position 5: expected liquidity 10000000000, found 9000000000",
    ),
    "takes all out": (lambda it: it.owner_takes_out(5, 10**10), "10000000000, found 0"),
    "adds": (lambda it: it.owner_adds(5, 10**9), "10000000000, found 11000000000"),
    "collects": (
        lambda it: it.owner_collects(5),
        r"uncollected:5: 0\.009999 USDC and 0\.0+999 WETH went without a transaction of ours",
    ),
    "opens": (
        lambda it: it.owner_opens(RANGE, amounts(10**6, 10**6)),
        "position 1001 is in the chain but not in the books",
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_the_owner_does_halts_the_campaign_and_says_how_to_go_on(
    halting: Desk, act: str
) -> None:
    do, text = ACTS[act]
    do(halting.account)
    with pytest.raises(BooksDoNotClose, match=rf'{text}.*set changed_by_hand = "adopt"'):
        halting.look()
    assert halting.books.halted() is not None
    assert halting.told() == []


def test_a_single_unit_of_fees_that_was_collected_halts_too(ledger: Ledger) -> None:
    desk = Desk(ledger, ByHand.HALT)
    desk.account.adopt(a_position(token_id=5, fees=(0, 1)))
    desk.look()
    desk.account.owner_collects(5)
    with pytest.raises(BooksDoNotClose, match=r"uncollected:5: 0\.0+1 WETH went without"):
        desk.look()


@pytest.mark.parametrize("act", ACTS)
def test_what_the_owner_does_is_taken_in_and_told_where_that_is_the_rule(
    adopting: Desk, act: str
) -> None:
    do, text = ACTS[act]
    adopting.account.price_moves_to(200)
    do(adopting.account)
    adopting.account.price_moves_to(-100)
    with capture_logs() as logs:
        adopting.require_exact()
    (told,) = adopting.told()
    assert re.search(text, told)
    (log,) = logs
    assert (log["campaign"], log["change"]) == ("main", told)
    with capture_logs() as logs:
        adopting.require_exact()
    assert (adopting.told(), logs) == ([told], [])


@pytest.mark.parametrize("act", ACTS)
def test_the_owners_hand_earns_and_costs_the_campaign_nothing(adopting: Desk, act: str) -> None:
    """At an unmoved price all that he moves is deposits and withdrawals."""
    before = adopting.result()
    ACTS[act][0](adopting.account)
    adopting.require_exact()
    after = adopting.result()
    moved = after.nav_end - before.nav_end
    assert after.net_deposits - before.net_deposits == moved
    for term in ("hodl", "impermanent_loss", "fees", "swap_cost", "gas", "hedge", "rounding"):
        assert getattr(after, term) == getattr(before, term)


def test_liquidity_that_waits_to_be_collected_is_no_fee(adopting: Desk) -> None:
    before = adopting.result().fees
    adopting.account.owner_takes_out(5, 10**10)
    adopting.require_exact()
    assert adopting.result().fees == before
    adopting.account.owner_collects(5)
    adopting.require_exact()
    assert adopting.result().fees == before


def test_a_position_that_was_given_away_bears_what_the_pool_exchanged_until_then(
    adopting: Desk,
) -> None:
    adopting.account.price_moves_to(300)
    adopting.account.owner_gives_away(5)
    adopting.require_exact()
    assert adopting.result().impermanent_loss < 0


def test_a_position_that_comes_back_begins_another_life(adopting: Desk) -> None:
    position = adopting.account.owner_gives_away(5)
    adopting.look()
    given_away = adopting.account.snapshot().block.timestamp
    adopting.account.price_moves_to(100)
    adopting.account.adopt(position)
    adopting.require_exact()
    first, second = adopting.books.lineage()
    assert first.closed_at == given_away
    came_back = adopting.account.snapshot().block.timestamp
    assert (second.opened_at, second.closed_at) == (came_back, None)
    basis = adopting.books.bring_up_to(adopting.account.snapshot()).bases[5]
    assert basis.sqrt_price_x96 == price_at(100)


def test_a_position_that_is_gone_ends_when_that_was_found(adopting: Desk) -> None:
    adopting.account.owner_closes(5)
    adopting.look()
    (life,) = adopting.books.lineage()
    assert life.closed_at == adopting.account.snapshot().block.timestamp


def test_what_others_positions_earned_meanwhile_stays_fees(adopting: Desk) -> None:
    account = adopting.account
    account.adopt(a_position("[-60, 60)", token_id=6, liquidity=10**9))
    adopting.look()
    before = adopting.result().fees
    account.earns(6, Q128, 0)
    account.owner_closes(5)
    adopting.require_exact()
    assert adopting.result().fees == before + account.snapshot().price.value(amounts(10**9, 0))


def test_a_unit_that_nothing_explains_halts_under_either_rule(adopting: Desk) -> None:
    adopting.account.owner_closes(5)
    adopting.account.wallet -= amounts(0, 1)
    with pytest.raises(BooksDoNotClose, match="no transfer explains it"):
        adopting.look()


# ---- native coin ----


def did(*steps: Step) -> Outcome:
    return Outcome(steps=steps, stop=None)


def test_native_coin_that_the_owner_spent_during_a_plan_is_told(adopting: Desk) -> None:
    before = adopting.account.snapshot()
    step = adopting.account.approves()
    adopting.account.owner_spends(3 * GAS_OF_A_STEP)
    adopting.books.close(before, did(step), adopting.account.snapshot)
    (told,) = adopting.told()
    assert re.match(
        r"native coin: 0\.0000840* ETH went, our transactions paid 0\.0000210* ETH", told
    )
    assert adopting.result().gas == GAS_OF_A_STEP * 3 // 10**9
    adopting.require_exact()


def test_native_coin_that_went_by_no_transaction_of_the_owner_halts(adopting: Desk) -> None:
    before = adopting.account.snapshot()
    step = adopting.account.approves()
    adopting.account.native -= 1
    with pytest.raises(BooksDoNotClose, match="native coin"):
        adopting.books.close(before, did(step), adopting.account.snapshot)


# ---- several campaigns on one account ----


def test_what_the_owner_closed_of_a_campaign_with_a_budget_belongs_to_no_campaign(
    ledger: Ledger,
) -> None:
    desk = Desk(ledger, ByHand.ADOPT, budget=amounts(10**6, 10**6)).begin()
    desk.account.owner_closes(5)
    record = desk.books.bring_up_to(desk.account.snapshot())
    assert record.wallet == amounts(10**6, 10**6)
    assert record.bases == {}
    assert desk.result().identity_error == 0
    rest = [
        ledger.unallocated(token.chain_id, desk.account.signer, token.address)
        for token in (POOL.token0, POOL.token1)
    ]
    assert [r and r.raw for r in rest] == [raw - 10**6 for raw in desk.account.wallet.raw]


@pytest.mark.parametrize("rule", ByHand)
def test_all_that_belongs_to_no_budget_may_be_taken_and_a_unit_more_halts(
    ledger: Ledger, rule: ByHand
) -> None:
    desk = Desk(ledger, rule, budget=amounts(10**6, 10**6)).begin()
    desk.account.receives(amounts(10**6 - 10**9, 0))
    desk.look()
    desk.account.receives(amounts(-1, 0))
    with pytest.raises(
        BooksDoNotClose,
        match=r"0\.000001 USDC were taken from it, but only 0\.0+ USDC belong to no campaign",
    ):
        desk.look()


def test_sending_back_what_was_taken_of_a_budget_mends_it(ledger: Ledger) -> None:
    desk = Desk(ledger, ByHand.ADOPT, budget=amounts(10**6, 10**6)).begin()
    desk.account.receives(amounts(1 - 10**9, 0))
    with pytest.raises(BooksDoNotClose):
        desk.look()
    desk.account.receives(amounts(10**6, 0))
    desk.look()
    assert desk.result().identity_error == 0


def test_a_position_that_another_campaign_has_in_its_books_is_not_taken_in(
    ledger: Ledger,
) -> None:
    share = amounts(10**6, 10**6)
    one = Desk(ledger, ByHand.ADOPT, "one", share)
    two = Desk(ledger, ByHand.ADOPT, "two", share, one.account)
    two.look()
    one.begin()
    with pytest.raises(
        BooksDoNotClose,
        match=r"position 5 .* not in the books, and it is in the books of campaign one; give each",
    ):
        two.look()


def test_a_campaign_does_not_begin_with_a_position_of_another(ledger: Ledger) -> None:
    share = amounts(10**6, 10**6)
    one = Desk(ledger, ByHand.HALT, "one", share).begin()
    two = Desk(ledger, ByHand.HALT, "two", share, one.account)
    with pytest.raises(
        ConfigError, match=r"campaigns\.two\.positions: position 5 is in .* campaigns\.one; name"
    ):
        two.look()


def test_a_position_that_left_a_campaign_may_come_to_another(ledger: Ledger) -> None:
    share = amounts(10**6, 10**6)
    one = Desk(ledger, ByHand.ADOPT, "one", share)
    two = Desk(ledger, ByHand.ADOPT, "two", share, one.account)
    two.look()
    one.begin()
    position = one.account.owner_gives_away(5)
    one.look()
    one.account.adopt(position)
    two.look()
    assert two.books.open_positions(POOL) == {5}
    assert two.result().identity_error == 0
