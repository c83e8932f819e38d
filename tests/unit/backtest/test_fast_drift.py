"""How far fast mode says it is from exact mode."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import a_pool
from fast_builders import market_of, random_bars, random_events
from market_builders import MAINNET_EVENTS, POLYGON_MINUTES, needs_data

from lpmanager.amm.fast.packing import Rows, from_limbs, to_limbs
from lpmanager.backtest.fast.columns import CLOSE, fast_columns
from lpmanager.backtest.fast.drift import drift_of
from lpmanager.backtest.markets.market import Bars, Events, Market
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


@needs_data
@pytest.mark.realdata
def test_on_real_minutes_all_they_differ_by_is_that_rounding() -> None:
    """Were a raw unit a thousandth of what it is, so would be the difference; were it a millionth,
    it would be below the goal of 1e-9. Prices, and what each minute does to them, stay the same."""
    market = read_market(POLYGON_MINUTES, a_pool(), 137)
    drifts = [fees_drift(in_smaller_units(market, times)) for times in (1, 10**3, 10**6)]
    assert 1e-8 < drifts[0] < 1e-6
    assert drifts[1] == pytest.approx(drifts[0] / 10**3, rel=0.1)
    assert drifts[2] < 1e-9


def fees_drift(market: Market) -> float:
    return drift_of(market, fast_columns(market)).fees


def in_smaller_units(market: Market, times: int) -> Market:
    """The same minutes of tokens whose raw unit is so many times smaller."""
    bars = market.rows
    assert isinstance(bars, Bars)

    def more(rows: Rows) -> Rows:
        return to_limbs([raw * times for raw in from_limbs(rows)], 2)

    return replace(
        market,
        rows=replace(bars, in0=more(bars.in0), in1=more(bars.in1), liquidity=more(bars.liquidity)),
    )
