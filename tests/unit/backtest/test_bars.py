"""Bars are made of single events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import a_state, price_at
from market_builders import MIDNIGHT, a_recorded_market, events_of

from lpmanager.amm.fast.packing import from_limbs, to_limbs
from lpmanager.backtest.markets.bars import in_bars
from lpmanager.backtest.markets.market import MINT, Bars, Events
from lpmanager.errors import MarketDataError


def bars_of(events: Events, step_s: int = 60) -> Bars:
    bars = in_bars(a_recorded_market(events), step_s).rows
    assert isinstance(bars, Bars)
    return bars


def test_a_bar_opens_with_its_first_swap_and_sums_what_was_paid_in() -> None:
    events = events_of(
        (MIDNIGHT + 5, 10, 100, -1),
        (MIDNIGHT + 20, -4, -30, 7),
        (MIDNIGHT + 40, 25, 11, -2),
        (MIDNIGHT + 59, 6, -8, 9),
    )
    bars = bars_of(events)
    assert (bars.time.tolist(), bars.step_s) == ([MIDNIGHT], 60)
    ticks = [column.tolist() for column in (bars.open, bars.low, bars.high, bars.close)]
    assert ticks == [[10], [-4], [25], [6]]
    assert (from_limbs(bars.in0), from_limbs(bars.in1)) == ([111], [16])


def test_a_bar_without_swaps_carries_the_close_on() -> None:
    events = events_of((MIDNIGHT + 5, 10, 100, -1), (MIDNIGHT + 190, 7, 1, -1))
    bars = bars_of(events)
    assert bars.time.tolist() == [MIDNIGHT + 60 * bar for bar in range(4)]
    for column in (bars.open, bars.low, bars.high, bars.close):
        assert column.tolist() == [10, 10, 10, 7]
    assert from_limbs(bars.in0) == [100, 0, 0, 1]


def test_a_mint_moves_no_price_but_the_liquidity_at_the_close() -> None:
    events = events_of(
        (MIDNIGHT + 5, 10, 100, 9),
        (MIDNIGHT + 65, 20, 3, -1),
        (MIDNIGHT + 70, 20, 100, 9),
        changes={0: (MINT, "[0, 10)", 5), 2: (MINT, "[0, 10)", 5)},
    )
    events = replace(events, liquidity=to_limbs([1, 2, 3], 2))
    bars = bars_of(events)
    assert bars.open.tolist() == bars.close.tolist() == [10, 20]
    assert (from_limbs(bars.in0), from_limbs(bars.in1)) == ([0, 3], [0, 0])
    assert from_limbs(bars.liquidity) == [1, 3]


def test_sums_beyond_64_bits_are_exact() -> None:
    paid = [2**126 + 12_345, 2**64 - 1, 2**32 - 1, 2**126 - 7]
    events = events_of(*((MIDNIGHT + row, 0, amount, -1) for row, amount in enumerate(paid)))
    assert from_limbs(bars_of(events).in0) == [sum(paid)]


def test_the_pools_start_is_kept_where_no_event_changes_its_ticks() -> None:
    swap, start = (MIDNIGHT, 10, 100, -1), a_state(price_at(0))
    assert in_bars(a_recorded_market(events_of(swap), start), 60).start is start
    changed = events_of(swap, swap, changes={1: (MINT, "[0, 10)", 5)})
    assert in_bars(a_recorded_market(changed, start), 60).start is None


def test_a_market_without_swaps_has_no_bars() -> None:
    mint = events_of((MIDNIGHT, 0, 5, 5), changes={0: (MINT, "[0, 10)", 5)})
    with pytest.raises(MarketDataError, match="a market: no SWAP"):
        in_bars(a_recorded_market(mint), 60)


def test_bars_are_not_made_of_bars() -> None:
    bars = in_bars(a_recorded_market(events_of((MIDNIGHT, 10, 100, -1))), 60)
    with pytest.raises(ValueError, match="in bars already"):
        in_bars(bars, 120)


def test_a_step_is_a_second_or_more() -> None:
    with pytest.raises(ValueError, match="at least 1 second, found 0"):
        in_bars(a_recorded_market(events_of((MIDNIGHT, 10, 100, -1))), 0)


def test_many_bars_equal_those_of_each_on_its_own() -> None:
    random = np.random.default_rng(3)
    times = MIDNIGHT + np.sort(random.choice(3_000, 400, replace=False))
    ticks, paid = random.integers(-50, 50, 400), random.integers(-(10**9), 10**9, 400)
    rows = [(int(t), int(k), int(a), -int(a)) for t, k, a in zip(times, ticks, paid, strict=True)]
    bars = bars_of(events_of(*rows))
    for bar, begin in enumerate(bars.time.tolist()):
        own = [row for row in rows if begin <= row[0] < begin + 60]
        ticks_of = [tick for _, tick, _, _ in own]
        assert bars.open[bar] == ticks_of[0]
        assert bars.close[bar] == ticks_of[-1]
        assert (bars.low[bar], bars.high[bar]) == (min(ticks_of), max(ticks_of))
        assert from_limbs(bars.in1)[bar] == sum(max(amount, 0) for _, _, _, amount in own)
