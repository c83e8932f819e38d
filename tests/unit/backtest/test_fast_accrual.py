"""What positions earn in fast mode, beside the contract's own arithmetic taken the same way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from builders import a_range
from fast_builders import (
    DEEP,
    MINUTE,
    START,
    ExactPool,
    bars_of,
    market_of,
    random_bars,
    random_events,
)

from lpmanager.backtest.fast.accrual import NEVER, Until, accrue
from lpmanager.backtest.fast.columns import CLOSE, FastRows, fast_columns
from lpmanager.backtest.fast.positions import (
    FEES0,
    FEES1,
    LOST,
    SECONDS,
    Earned,
    held,
    nothing_earned,
)
from lpmanager.backtest.markets.market import Market
from lpmanager.model import TickRange

#: Around the price, narrow, with shared edges, above it and below it.
RANGES = [
    a_range(text)
    for text in ("[-600, 600)", "[-20, 20)", "[-20, 40)", "[0, 10)", "[30, 90)", "[-200, -30)")
]
LIQUIDITIES = [DEEP // 10, DEEP // 3, DEEP // 7, DEEP // 2, DEEP // 5, DEEP // 4]


def whole(rows: FastRows) -> Until:
    return Until(len(rows.time), NEVER, NEVER, -NEVER, NEVER)


def earned_by(
    market: Market, ranges: Sequence[TickRange], liquidities: Sequence[int], last: int | None = None
) -> Earned:
    rows = fast_columns(market)
    earned = nothing_earned(len(ranges))
    until = whole(rows)._replace(last=last or len(rows.time))
    accrue(rows, 0, rows.start_price, until, True, held(ranges, liquidities), earned)
    return earned


def exactly_earned_by(
    market: Market, ranges: Sequence[TickRange], liquidities: Sequence[int]
) -> list[tuple[int, int]]:
    exact = ExactPool.of(market)
    for span, liquidity in zip(ranges, liquidities, strict=True):
        exact.mint(span, liquidity)
    for row in range(len(market.rows)):
        exact.replay(row)
    return [
        exact.withdraw(span, liquidity)[1]
        for span, liquidity in zip(ranges, liquidities, strict=True)
    ]


def assert_same_fees(market: Market, ranges: Sequence[TickRange], shares: Sequence[int]) -> None:
    found, expected = earned_by(market, ranges, shares), exactly_earned_by(market, ranges, shares)
    assert found[FEES0].tolist() == pytest.approx([fee0 for fee0, _ in expected], rel=1e-9, abs=1e4)
    assert found[FEES1].tolist() == pytest.approx([fee1 for _, fee1 in expected], rel=1e-9, abs=1e4)
    assert max(fee for fees in expected for fee in fees) > 10**18


@pytest.mark.parametrize("seed", range(4))
def test_bars_pay_what_the_exact_pool_collects(seed: int) -> None:
    assert_same_fees(market_of(random_bars(seed)), RANGES, LIQUIDITIES)


@pytest.mark.parametrize("seed", range(3))
def test_events_pay_what_the_exact_pool_collects_whatever_liquidity_comes_just_in_time(
    seed: int,
) -> None:
    assert_same_fees(market_of(random_events(seed)), RANGES, LIQUIDITIES)


def test_churn_that_leads_over_edges_pays_each_range_its_part() -> None:
    still = [(5, 5, 5, 5)] * 3
    much = [DEEP // 200, 0, DEEP // 100]
    market = market_of(bars_of(*still, in0=much, in1=much[::-1]))
    assert_same_fees(market, RANGES, LIQUIDITIES)


def test_churn_finds_us_alone_where_nobody_else_is() -> None:
    still = [(5, 5, 5, 5)] * 2
    rows = bars_of(*still, in0=[DEEP // 10**4] * 2, in1=[DEEP // 10**4] * 2, liquidity=[1, 1])
    assert_same_fees(market_of(rows), RANGES[:2], LIQUIDITIES[:2])


def test_a_price_that_stands_on_an_edge_of_ours() -> None:
    ticks = [(0, 0, 0, 0), (0, -10, 20, 20), (20, 20, 20, 20), (20, 10, 20, 10), (10, 0, 10, 0)]
    volume = [DEEP // 10**5] * len(ticks)
    assert_same_fees(market_of(bars_of(*ticks, in0=volume, in1=volume)), RANGES, LIQUIDITIES)


def test_time_in_range_goes_by_the_tick_before_each_row() -> None:
    market = market_of(bars_of((0, 0, 0, 0), (0, 0, 30, 30), (30, 30, 40, 40), (40, 5, 40, 5)))
    assert earned_by(market, [a_range("[-20, 30)")], [DEEP])[SECONDS].tolist() == [2 * MINUTE]


def test_what_is_earned_adds_up_over_any_pieces() -> None:
    rows = fast_columns(market_of(random_bars(7)))
    at_once, in_pieces = nothing_earned(len(RANGES)), nothing_earned(len(RANGES))
    ours = held(RANGES, LIQUIDITIES)
    accrue(rows, 0, rows.start_price, whole(rows), True, ours, at_once)
    row, before = 0, rows.start_price
    while row < len(rows.time):
        until = whole(rows)._replace(last=min(row + 7, len(rows.time)))
        row = accrue(rows, row, before, until, True, ours, in_pieces)
        before = float(rows.numbers[CLOSE, row - 1])
    assert at_once.ravel().tolist() == pytest.approx(in_pieces.ravel().tolist(), rel=1e-13)


def test_the_way_back_after_a_swap_of_ours_is_paid_for_as_any_other() -> None:
    market = market_of(bars_of((0, 0, 0, 0)))
    rows, earned = fast_columns(market), nothing_earned(1)
    away = rows.start_price * 1.0001
    accrue(rows, 0, away, whole(rows), True, held([a_range("[-600, 600)")], [DEEP]), earned)
    expected = DEEP * (1 / rows.start_price - 1 / away) * 500 / (10**6 - 500)
    assert earned[FEES0, 0] == pytest.approx(expected, rel=1e-9)
    assert earned[FEES1, 0] == 0


def stops(until: Until) -> int:
    """Where it stops on the way up, ten ticks a minute, from 0."""
    path = [(10 * n, 10 * n, 10 * n + 10, 10 * n + 10) for n in range(20)]
    rows = fast_columns(market_of(bars_of(*path)))
    ours = held([a_range("[-600, 600)")], [DEEP])
    return accrue(rows, 0, rows.start_price, until, True, ours, nothing_earned(1))


def test_it_stops_behind_the_row_whose_time_has_come() -> None:
    plain = Until(20, NEVER, NEVER, -NEVER, NEVER)
    assert stops(plain) == 20
    assert stops(plain._replace(last=13)) == 13
    assert stops(plain._replace(time=START + 5 * MINUTE)) == 5
    assert stops(plain._replace(time=START + 5 * MINUTE + 1)) == 6


def test_it_stops_behind_the_row_that_leaves_the_band() -> None:
    band = Until(20, NEVER, 0, -100, 70)
    assert stops(band) == 7
    assert stops(band._replace(high_tick=71)) == 8
    assert stops(band._replace(outside_from=START + 9 * MINUTE)) == 9
    assert stops(band._replace(low_tick=-900, high_tick=-800)) == 1


def loss(market: Market, span: str, *, quote_is_token0: bool) -> float:
    rows, earned = fast_columns(market), nothing_earned(1)
    ours = held([a_range(span)], [1.0])
    accrue(rows, 0, rows.start_price, whole(rows), quote_is_token0, ours, earned)
    return float(earned[LOST, 0])


@pytest.mark.parametrize("span", ["[-600, 600)", "[-20, 20)", "[30, 90)"])
def test_lvr_is_what_holding_would_have_made_more_row_by_row(span: str) -> None:
    market = market_of(random_bars(3, count=40))
    rows = fast_columns(market)
    price = np.concatenate(([rows.start_price], rows.numbers[CLOSE]))
    edges = a_range(span)
    low, high = (1.0001 ** (tick / 2) for tick in (edges.lower, edges.upper))
    inside = np.clip(price, low, high)
    x, y = 1 / inside - 1 / high, inside - low
    in_token1 = (x[:-1] - x[1:]) * price[1:] ** 2 + y[:-1] - y[1:]
    assert loss(market, span, quote_is_token0=False) == pytest.approx(in_token1.sum(), rel=1e-6)
    in_token0 = (in_token1 / price[1:] ** 2).sum()
    assert loss(market, span, quote_is_token0=True) == pytest.approx(in_token0, rel=1e-6)


def test_a_row_takes_at_most_a_hundred_bytes() -> None:
    rows = fast_columns(market_of(random_bars(0, count=1_000)))
    size = sum(column.nbytes for column in rows if isinstance(column, np.ndarray))
    assert size <= 100 * 1_000
