"""The price over time, as a snapshot's swaps tell it."""

from __future__ import annotations

import math

import pytest
from builders import a_block, a_market, a_pool
from hypothesis import given, settings
from hypothesis import strategies as st
from price_series import START, a_flow, a_swap, log_of

from lpmanager.model import Snapshot
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath, log_price, path_of, returns_of

NOW = a_block(100).timestamp


def path(snapshot: Snapshot) -> PricePath:
    found = path_of(snapshot)
    assert isinstance(found, PricePath), found
    return found


def why_missing(snapshot: Snapshot) -> str:
    found = path_of(snapshot)
    assert isinstance(found, Missing), found
    return found.reason


def test_blocks_are_spread_evenly_and_the_present_price_ends_the_path() -> None:
    found = path(a_flow(a_swap(91, 50), a_swap(95, -70), now_tick=20))
    assert found.times == (NOW - 108, NOW - 60, NOW)
    assert found.log_prices == pytest.approx((log_of(50), log_of(-70), log_of(20)), abs=1e-12)


def test_of_many_swaps_in_a_block_the_last_counts() -> None:
    found = path(a_flow(a_swap(95, 500), a_swap(95, 30)))
    assert found.log_prices[0] == pytest.approx(log_of(30))


def test_a_swap_of_the_snapshots_own_block_is_its_price() -> None:
    assert path(a_flow(a_swap(100, 7), now_tick=7)).times == (NOW,)


def test_blocks_within_a_second_count_from_its_end_and_the_last_of_them_alone() -> None:
    """Eight blocks in three seconds: two ended within the first, and one within the next."""
    swaps = [a_swap(block, block) for block in (93, 94, 95)]
    found = path(a_flow(*swaps, from_block=93, seconds=3))
    assert found.times == (NOW - 2, NOW - 1, NOW)
    assert found.log_prices[:2] == pytest.approx((log_of(94), log_of(95)))


def test_without_swaps_there_is_no_path() -> None:
    assert why_missing(a_market()) == "a price path needs recent swaps, and none were read"
    assert "found 0 in the last 120 s" in why_missing(a_flow())


def test_a_price_of_zero_is_named() -> None:
    assert "a price of 0" in why_missing(a_flow(a_swap(95, 0, sqrt_price_x96=0)))


def test_a_swap_outside_the_window_is_refused() -> None:
    for block in (90, 101):
        with pytest.raises(ValueError, match=f"block {block} is not in blocks 91 to 100"):
            path_of(a_flow(a_swap(block, 0)))


def test_a_log_price_is_of_raw_token1_for_token0() -> None:
    assert log_price(2**96) == 0
    assert log_price(2**97) == pytest.approx(math.log(4))


def test_a_path_is_told_in_either_token_whichever_the_pool_has_first() -> None:
    found, pool = PricePath((1, 2, 3), (1.0, 1.5, 1.25)), a_pool()
    assert found.quoted_in(pool.token1, pool) == found
    assert found.quoted_in(pool.token0, pool).log_prices == (-1.0, -1.5, -1.25)


def test_returns_take_the_newest_price_at_each_end_of_a_step() -> None:
    found = PricePath((0, 250, 599, 601, 1000), (0.0, 1.0, 2.0, 5.0, 9.0))
    # the steps end at 100, 400, 700 and 1000
    assert found.returns(300) == (1.0, 4.0, 4.0)
    assert found.returns(1000) == (9.0,)
    assert found.returns(1001) == ()
    assert PricePath((5,), (1.0,)).returns(300) == ()


def test_a_price_that_nobody_trades_at_stands_still() -> None:
    assert PricePath((0, 100), (1.0, 3.0)).returns(25) == (0.0, 0.0, 0.0, 2.0)


@pytest.mark.parametrize(
    ("times", "prices", "said"),
    [
        ((), (), "at least one time"),
        ((1, 2), (0.0,), "found 1 for 2"),
        ((2, 2), (0.0, 0.0), "2 comes after 2"),
        ((3, 2), (0.0, 0.0), "2 comes after 3"),
        ((1,), (math.nan,), "not a finite number"),
        ((1,), (-math.inf,), "not a finite number"),
    ],
)
def test_what_is_no_path_is_refused(
    times: tuple[int, ...], prices: tuple[float, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        PricePath(times, prices)


def test_a_step_without_time_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 s, found 0"):
        PricePath((1,), (0.0,)).returns(0)
    with pytest.raises(ValueError, match="at least 1 s, found 0"):
        returns_of(a_flow(a_swap(95, 0)), 0)


def test_swaps_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="in the order of their blocks"):
        path_of(a_flow(a_swap(95, 0), a_swap(94, 0)))


paths = st.lists(st.tuples(st.integers(1, 400), st.floats(-1, 1)), min_size=2, max_size=30).map(
    lambda moves: PricePath(
        tuple(START + sum(wait for wait, _ in moves[: n + 1]) for n in range(len(moves))),
        tuple(price for _, price in moves),
    )
)


flows = st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)), max_size=30).map(
    lambda moves: a_flow(
        *(a_swap(31 + sum(wait for wait, _ in moves[:n]), moves[n][1]) for n in range(len(moves)))
        if sum(wait for wait, _ in moves) < 70
        else (),
        from_block=31,
        seconds=97,
    )
)


@settings(max_examples=60)
@given(flows, st.integers(1, 120))
def test_the_returns_alone_are_those_of_the_path(snapshot: Snapshot, step: int) -> None:
    found = path_of(snapshot)
    expected = found if isinstance(found, Missing) else found.returns(step)
    assert returns_of(snapshot, step) == expected


@settings(max_examples=40)
@given(paths, st.integers(1, 500))
def test_returns_add_up_to_the_move_since_the_first_step_began(found: PricePath, step: int) -> None:
    returns = found.returns(step)
    start = found.times[-1] - len(returns) * step
    before = [
        price for time, price in zip(found.times, found.log_prices, strict=True) if time <= start
    ]
    assert math.fsum(returns) == pytest.approx(found.log_prices[-1] - before[-1], abs=1e-12)


@settings(max_examples=40)
@given(paths, st.integers(1, 500), st.floats(-1, 1))
def test_a_return_knows_nothing_later(found: PricePath, step: int, other: float) -> None:
    changed = PricePath(found.times, (*found.log_prices[:-1], other))
    assert changed.returns(step)[:-1] == found.returns(step)[:-1]
