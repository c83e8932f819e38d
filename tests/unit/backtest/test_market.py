"""A market in columns, and windows of it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from builders import a_position, a_range, a_state, price_at, with_liquidity
from market_builders import MIDNIGHT, a_recorded_market, events_of

from lpmanager.amm.fast.packing import from_limbs, to_limbs
from lpmanager.backtest.markets.market import BURN, MINT, Bars, Change, Events
from lpmanager.errors import MarketDataError

FOUR = tuple((MIDNIGHT + 10 * row, row, 5, -5) for row in range(4))


def bars_at(*closes: int) -> Bars:
    """Flat bars of a minute that close at these ticks."""
    ticks = np.array(closes, np.int32)
    nothing = to_limbs([0] * len(closes), 2)
    return Bars(
        time=MIDNIGHT + 60 * np.arange(len(closes)),
        open=ticks,
        low=ticks,
        high=ticks,
        close=ticks,
        in0=nothing,
        in1=nothing,
        liquidity=nothing,
        step_s=60,
    )


def test_a_window_holds_its_start_and_not_its_end() -> None:
    window = a_recorded_market(events_of(*FOUR)).between(MIDNIGHT + 10, MIDNIGHT + 30)
    assert window.rows.time.tolist() == [MIDNIGHT + 10, MIDNIGHT + 20]
    assert isinstance(window.rows, Events)
    assert window.rows.tick.tolist() == [1, 2]
    assert from_limbs(window.rows.amount1, signed=True) == [-5, -5]
    assert (window.first, window.end) == (MIDNIGHT + 10, MIDNIGHT + 21)


def test_a_window_of_bars_keeps_their_step() -> None:
    window = a_recorded_market(bars_at(1, 2, 3)).between(MIDNIGHT + 60, MIDNIGHT + 180)
    assert isinstance(window.rows, Bars)
    assert window.rows.close.tolist() == [2, 3]
    assert (window.rows.step_s, window.end) == (60, MIDNIGHT + 180)


@pytest.mark.parametrize("start", [MIDNIGHT - 100, MIDNIGHT + 31])
def test_an_empty_window_names_what_the_market_spans(start: int) -> None:
    market = a_recorded_market(events_of(*FOUR))
    spans = r"a market: no rows .* spans 2024-01-05 00:00:00 UTC up to 2024-01-05 00:00:31 UTC"
    with pytest.raises(MarketDataError, match=spans):
        market.between(start, start + 50)


def test_mints_and_burns_keep_their_rows_in_a_window() -> None:
    changes = {0: (MINT, "[0, 10)", 5), 2: (BURN, "[0, 20)", 7), 3: (MINT, "[0, 30)", 9)}
    market = a_recorded_market(events_of(*FOUR, changes=changes))
    window = market.between(MIDNIGHT + 10, MIDNIGHT + 30).rows
    assert isinstance(window, Events)
    assert window.changes == {1: Change(range=a_range("[0, 20)"), liquidity=7, owner=None)}


def test_a_window_starts_from_the_pool_that_the_rows_before_it_left() -> None:
    older = a_position("[-100, 100)", liquidity=500)
    start = with_liquidity(a_state(price_at(0)), [older])
    changes = {0: (MINT, "[-10, 10)", 50), 1: (BURN, "[-100, 100)", 500), 3: (MINT, "[0, 30)", 9)}
    market = a_recorded_market(events_of(*FOUR, changes=changes), start)
    window = market.between(MIDNIGHT + 20, MIDNIGHT + 99)
    assert window.start is not None
    assert (window.start.tick, window.start.sqrt_price_x96) == (1, price_at(1))
    assert window.start.liquidity == 1000  # as recorded after the row before
    kept = with_liquidity(a_state(price_at(0)), [a_position("[-10, 10)", liquidity=50)])
    assert window.start.ticks == kept.ticks


def test_a_window_of_the_whole_market_starts_where_the_market_does() -> None:
    start = a_state(price_at(7))
    market = a_recorded_market(events_of(*FOUR), start)
    assert market.between(MIDNIGHT - 1, MIDNIGHT + 99).start is start


def test_a_window_of_bars_starts_with_the_liquidity_at_the_close_before_it() -> None:
    wide, narrow = a_position("[-100, 100)", liquidity=500), a_position("[10, 20)", liquidity=7)
    start = with_liquidity(a_state(price_at(0)), [wide, narrow])
    closes = {10: 507, 15: 507, 20: 500, 100: 0, 9: 500}
    for close, active in closes.items():
        window = a_recorded_market(bars_at(close, 3), start).between(MIDNIGHT + 60, MIDNIGHT + 120)
        assert window.start is not None
        assert (window.start.tick, window.start.liquidity) == (close, active)
    back = a_recorded_market(bars_at(3, 4), with_liquidity(a_state(price_at(15)), [wide, narrow]))
    window = back.between(MIDNIGHT + 60, MIDNIGHT + 120)
    assert window.start is not None
    assert window.start.liquidity == 500


@pytest.mark.parametrize("rows", [events_of(*FOUR), bars_at(1, 2)])
def test_a_row_takes_no_more_than_a_hundred_bytes(rows: Events | Bars) -> None:
    columns = [getattr(rows, field.name) for field in fields(rows)]
    assert sum(c.nbytes for c in columns if isinstance(c, np.ndarray)) <= 100 * len(rows)
