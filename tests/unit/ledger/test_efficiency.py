"""How well a campaign paid, from its books and the prices of its cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from builders import BLOCK_TIME_S, a_market, a_pool, a_record, amounts
from empty_store import an_empty_ledger
from paper_account import Q128, PaperAccount, an_account

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.inventory import measure
from lpmanager.ledger.efficiency import efficiency_of
from lpmanager.model import CampaignRecord, Hold, Outcome, Snapshot, Step, TickRange
from lpmanager.risk.efficiency import Efficiency
from lpmanager.risk.missing import Missing

HOUR_S = 3_600
SIX_HOURS = 6 * HOUR_S // BLOCK_TIME_S
FIRST, SECOND = TickRange(-600, 600), TickRange(100, 1_300)
OFFERED = amounts(5 * 10**11, 5 * 10**11)


@dataclass
class Campaign:
    """A campaign that is looked at every six hours; `values` are what it was worth then."""

    account: PaperAccount
    books: Bookkeeper
    values: list[float] = field(default_factory=list)

    def now(self) -> tuple[Snapshot, CampaignRecord]:
        seen = self.account.snapshot()
        return seen, self.books.bring_up_to(seen)

    def looks(self, act: Callable[[], tuple[Step, ...]] | None = None) -> None:
        """A cycle, and what it does in the blocks after."""
        seen, record = self.now()
        self.values.append(float(measure(seen, record, Fraction(1, 2)).value))
        outcome = None if act is None else Outcome(steps=act(), stop=None)
        if outcome is not None:
            self.books.close(seen, outcome, self.account.snapshot)
        hold = Hold(campaign="main", block=seen.block, reason="test", gates=())
        self.books.write_down(seen, hold, outcome)

    def six_hours_on(self, tick: int) -> None:
        """With the price at a tick by then."""
        self.account.price_moves_to(tick)
        self.account.block = 100 + len(self.values) * SIX_HOURS

    def efficiency(self) -> Efficiency:
        found = self.books.efficiency(*self.now())
        assert isinstance(found, Efficiency)
        return found


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Campaign]:
    ledger = an_empty_ledger(tmp_path / "books.db")
    account = an_account((10**12, 10**12), pool=a_pool())
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    yield Campaign(account=account, books=books)
    ledger.engine.dispose()


def placed_and_seen_at(campaign: Campaign, tick: int) -> PaperAccount:
    """A range around tick 0, and the price at another one six hours later, with fees earned."""
    account = campaign.account
    campaign.looks(lambda: (account.mints(FIRST, OFFERED),))
    account.earns(1001, Q128 // 10**4, Q128 // 10**4)
    campaign.six_hours_on(tick)
    campaign.looks()
    return account


def a_day(campaign: Campaign) -> None:
    """In range for twelve hours, out for six, and then in a range that is placed around the
    price."""
    account = placed_and_seen_at(campaign, 300)
    campaign.six_hours_on(700)
    campaign.looks()
    campaign.six_hours_on(700)
    campaign.looks(lambda: (account.withdraws(1001), account.mints(SECOND, OFFERED)))
    campaign.six_hours_on(700)
    campaign.looks()


def test_time_in_range_is_of_the_time_in_which_a_range_was_held(campaign: Campaign) -> None:
    """It is mined in the block after it was decided on, and a block lies between the two ranges."""
    a_day(campaign)
    deployed, out = 24 * HOUR_S - 2 * BLOCK_TIME_S, 6 * HOUR_S + BLOCK_TIME_S
    assert campaign.efficiency().in_range_share == pytest.approx((deployed - out) / deployed)


def test_a_rebalance_changes_ranges_and_the_first_placing_is_none(campaign: Campaign) -> None:
    account = campaign.account
    campaign.looks(lambda: (account.mints(FIRST, OFFERED),))
    assert campaign.efficiency().rebalances == 0
    account.block = 100 + 4 * SIX_HOURS
    campaign.looks(lambda: (account.withdraws(1001), account.mints(SECOND, OFFERED)))
    account.block = 100 + 8 * SIX_HOURS
    found = campaign.efficiency()
    assert (found.rebalances, found.rebalances_per_day) == (1, 0.5)


def test_fees_over_the_mean_value_are_told_a_year(campaign: Campaign) -> None:
    """Each fee at the price of the cycle that found it, the value from cycle to cycle."""
    account = placed_and_seen_at(campaign, 300)
    seen, record = campaign.now()
    fees = float(seen.price.value(record.fees))
    assert fees > 0
    campaign.six_hours_on(-500)
    campaign.looks()
    mean = sum((a + b) / 2 for a, b in pairwise(campaign.values)) / 2
    found = campaign.efficiency().fee_apr_share
    assert found == pytest.approx(fees / mean * 365 * 2)
    assert account.snapshot().price.value(record.fees) != fees


def test_lvr_from_the_placing_to_the_next_price_is_the_impermanent_loss_of_the_way(
    campaign: Campaign,
) -> None:
    placed_and_seen_at(campaign, 300)
    seen, record = campaign.now()
    lost = -float(campaign.books.result(seen).impermanent_loss)
    found = campaign.efficiency()
    assert found.fees_per_lvr == pytest.approx(float(seen.price.value(record.fees)) / lost)


def test_the_net_of_it_is_less_lvr_and_gas(campaign: Campaign) -> None:
    placed_and_seen_at(campaign, 300)
    seen, record = campaign.now()
    found, fees = campaign.efficiency(), float(seen.price.value(record.fees))
    gas = record.gas_raw * 3 / 10**9  # as a snapshot's native price has it
    for part in (found.fee_apr_share, found.net_fee_apr_share, found.fees_per_lvr):
        assert isinstance(part, float)
    left = fees - fees / found.fees_per_lvr - gas
    assert found.net_fee_apr_share / found.fee_apr_share == pytest.approx(left / fees)


def test_gas_without_a_price_leaves_the_net_unknown_and_nothing_else(campaign: Campaign) -> None:
    placed_and_seen_at(campaign, 300)
    seen, record = campaign.now()
    found = campaign.books.efficiency(replace(seen, native_price=None), record)
    assert isinstance(found, Efficiency)
    assert found.net_fee_apr_share == Missing("nothing tells the price of gas")
    assert isinstance(found.fee_apr_share, float)


def test_what_the_store_does_not_keep_says_what_it_needs(campaign: Campaign) -> None:
    campaign.looks()
    found = campaign.efficiency()
    assert isinstance(found.fees_per_volume, Missing)
    assert "every swap of the pool" in found.fees_per_volume.reason
    assert found.in_range_share == Missing("no liquidity was ever placed")
    for unknown in (found.fee_apr_share, found.rebalances_per_day, found.fees_per_lvr):
        assert isinstance(unknown, Missing)


def test_a_campaign_without_a_deposit_has_no_efficiency() -> None:
    found = efficiency_of(a_market(), a_record(), (), (), ())
    assert found == Missing("nothing was ever deposited")
