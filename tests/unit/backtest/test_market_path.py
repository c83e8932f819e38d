"""A market's price over time, as measures of risk take it."""

from __future__ import annotations

import math

import pytest
from market_builders import MIDNIGHT, a_recorded_market, events_of
from replay_builders import a_replay, a_walk

from lpmanager.backtest.markets.bars import in_bars
from lpmanager.backtest.markets.market_path import market_path
from lpmanager.risk.price_path import PricePath, log_price, path_of


def test_each_event_is_a_price_and_of_several_at_once_the_last_counts() -> None:
    rows = ((0, 100), (12, 200), (12, 300), (30, -50))
    market = a_recorded_market(events_of(*((MIDNIGHT + t, tick, 5, -5) for t, tick in rows)))
    path = market_path(market)
    assert path.times == (MIDNIGHT, MIDNIGHT + 12, MIDNIGHT + 30)
    assert path.log_prices == pytest.approx(
        [tick * math.log(1.0001) for tick in (100, 300, -50)], abs=1e-9
    )


def test_a_bar_is_known_when_it_is_over() -> None:
    market = a_walk(steps=30, step_s=20)
    events, bars = market_path(market), market_path(in_bars(market, 60))
    assert all(time % 60 == 0 for time in bars.times)
    for time, price in zip(bars.times, bars.log_prices, strict=True):
        stood = max(number for number, each in enumerate(events.times) if each < time)
        assert price == pytest.approx(events.log_prices[stood], abs=1.1e-4)


def test_it_ends_at_the_price_that_a_decision_would_see() -> None:
    market = a_walk(steps=40)
    replay = a_replay(market)
    seen = replay.look(market.end)
    path, known = market_path(market), path_of(seen.snapshot)
    assert isinstance(known, PricePath)
    assert path.log_prices[-1] == pytest.approx(log_price(seen.snapshot.state.sqrt_price_x96))
    assert path.log_prices[-1] == pytest.approx(known.log_prices[-1])
