"""How far fast mode says it is from exact mode."""

from __future__ import annotations

import pytest
from builders import a_pool
from fast_builders import market_of, random_bars, random_events
from market_builders import MAINNET_EVENTS, needs_data

from lpmanager.backtest.fast.columns import CLOSE, fast_columns
from lpmanager.backtest.fast.drift import drift_of
from lpmanager.backtest.markets.market import Bars, Events
from lpmanager.backtest.markets.reading import read_market


@pytest.mark.parametrize("rows", [random_bars(3), random_events(4)], ids=["bars", "events"])
def test_where_a_raw_unit_is_nothing_both_modes_agree(rows: Bars | Events) -> None:
    market = market_of(rows)
    drift = drift_of(market, fast_columns(market))
    assert drift.rows >= 59
    assert drift.fees < 1e-9
    assert drift.amounts < 1e-9


def test_columns_of_another_market_are_told_by_their_drift() -> None:
    market = market_of(random_events(4))
    rows = fast_columns(market)
    numbers = rows.numbers.copy()
    numbers[CLOSE] *= 1.001
    assert drift_of(market, rows._replace(numbers=numbers)).fees > 1e-3


@needs_data
@pytest.mark.realdata
def test_on_a_mainnet_day_they_differ_by_the_raw_units_that_the_contract_rounds() -> None:
    """Half a raw unit of USDC a swap, of fees of some 25 USDC a swap."""
    market = read_market(MAINNET_EVENTS, a_pool(), 1)
    assert drift_of(market, fast_columns(market)).fees < 1e-7
