"""How much to swap: worked cases, every input of small pools, and what cannot be sized."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    Pool,
    PoolRevert,
    SwapSize,
    TickDataMissing,
    range_bounds,
    sqrt_price_at_tick,
    swap_for_deposit,
    swap_to_price,
    swap_to_weight,
)
from lpmanager.model import SqrtPriceX96, TickRange

Q96 = SqrtPriceX96(2**96)
Placed = tuple[int, int, int]
EVERYWHERE = -887_220, 887_220


def a_pool(*placed: Placed, tick: int = 0, fee_pips: int = 3_000, spacing: int = 60) -> Pool:
    """A pool with positions (lower, upper, liquidity)."""
    pool = Pool(fee_pips, spacing)
    pool.initialize(sqrt_price_at_tick(tick))
    for lower, upper, liquidity in placed:
        pool.mint("lp", lower, upper, liquidity)
    return pool


def a_deep_pool() -> Pool:
    return a_pool((*EVERYWHERE, 10**25))


def value_left(
    pool: Pool, amount0: int, amount1: int, tick_range: TickRange, size: SwapSize
) -> Fraction:
    """What the deposit leaves after a whole swap, in raw token1 at the price before it."""
    price = pool.sqrt_price_x96
    if size.amount_in:
        done = pool.quote(*size)
        amount0, amount1, price = amount0 - done.amount0, amount1 - done.amount1, done[2]
    low, high = range_bounds(tick_range)
    price = min(max(price, low), high)
    takes0, takes1 = Fraction(Q96 * (high - price), price * high), Fraction(price - low, Q96)
    by_token = [Fraction(amount0) / takes0] if takes0 else []
    by_token += [Fraction(amount1) / takes1] if takes1 else []
    left0, left1 = amount0 - min(by_token) * takes0, amount1 - min(by_token) * takes1
    return left0 * pool.sqrt_price_x96**2 / Q96**2 + left1


def is_taken(pool: Pool, size: SwapSize) -> bool:
    """Whether the pool has the liquidity to take all of the input."""
    if size.amount_in == 0:
        return True
    done = pool.quote(*size)
    return size.amount_in == (done.amount0 if size.zero_for_one else done.amount1)


def test_without_price_impact_a_symmetric_deposit_sells_half_and_half_the_fee() -> None:
    # 2,000,000 / 1.997 = 1,001,502.3; one more buys the 998,497 that then stay, rounded down
    size = swap_for_deposit(a_deep_pool(), 2_000_000, 0, TickRange(-600, 600))
    assert size == SwapSize(True, 1_001_503)
    back = swap_for_deposit(a_deep_pool(), 0, 2_000_000, TickRange(-600, 600))
    assert back == SwapSize(False, 1_001_503)


@pytest.mark.parametrize(
    ("tick_range", "size"),
    [
        (TickRange(600, 1_200), SwapSize(False, 1_000)),
        (TickRange(-1_200, -600), SwapSize(True, 1_000)),
    ],
)
def test_a_range_beside_the_price_takes_one_token_so_all_of_the_other_is_sold(
    tick_range: TickRange, size: SwapSize
) -> None:
    assert swap_for_deposit(a_deep_pool(), 1_000, 1_000, tick_range) == size
    only0, only1 = (0, 1_000) if size.zero_for_one else (1_000, 0)
    assert swap_for_deposit(a_deep_pool(), only0, only1, tick_range).amount_in == 0


def test_selling_into_a_range_beside_the_price_stops_where_the_range_needs_both() -> None:
    pool, tick_range = a_pool((*EVERYWHERE, 10**6)), TickRange(60, 6_000)
    size = swap_for_deposit(pool, 0, 10**6, tick_range)
    assert 0 < size.amount_in < 10**6
    assert pool.quote(*size).tick in tick_range


def test_what_is_in_the_ranges_ratio_already_is_not_swapped() -> None:
    assert swap_for_deposit(a_deep_pool(), 10**6, 10**6, TickRange(-600, 600)).amount_in == 0
    assert swap_for_deposit(a_deep_pool(), 0, 0, TickRange(-600, 600)).amount_in == 0


@pytest.mark.parametrize(
    ("pool", "amount0", "amount1", "tick_range"),
    [
        (a_pool((-6_000, 6_000, 3_000)), 150, 20, TickRange(-600, 600)),
        (a_pool((-6_000, 6_000, 3_000)), 20, 150, TickRange(-600, 600)),
        (a_pool((-6_000, 6_000, 3_000)), 120, 1, TickRange(-6_000, 60)),
        (a_pool((-6_000, 6_000, 3_000)), 1, 120, TickRange(-60, 6_000)),
        (a_pool((-6_000, 6_000, 40), (-120, 60, 900)), 130, 0, TickRange(-1_200, 600)),
        (a_pool((-6_000, 6_000, 40), (-60, 120, 900)), 0, 130, TickRange(-600, 1_200)),
        (a_pool((-60, 60, 2_000), (-1_200, -600, 700)), 140, 3, TickRange(-900, 900)),
        (a_pool((-60, 60, 2_000), (600, 1_200, 700)), 3, 140, TickRange(-900, 900)),
        (a_pool((-12_000, 60_000, 900), tick=30_000), 90, 200, TickRange(24_000, 36_000)),
        (a_pool((-60_000, 12_000, 900), tick=-30_000), 200, 2, TickRange(-36_000, -24_000)),
        (a_pool((-6_000, 6_000, 500), fee_pips=10_000), 77, 33, TickRange(0, 60)),
        (a_pool((-6_000, 6_000, 5), fee_pips=100), 60, 60, TickRange(-3_000, 60)),
    ],
)
def test_of_every_input_of_a_small_pool_none_leaves_less(
    pool: Pool, amount0: int, amount1: int, tick_range: TickRange
) -> None:
    def left(size: SwapSize) -> Fraction:
        return value_left(pool, amount0, amount1, tick_range, size)

    every = [SwapSize(True, amount) for amount in range(amount0 + 1)]
    every += [SwapSize(False, amount) for amount in range(amount1 + 1)]
    every = [size for size in every if is_taken(pool, size)]
    size = swap_for_deposit(pool, amount0, amount1, tick_range)
    assert size in every
    assert left(size) == min(map(left, every))


def test_where_the_liquidity_gives_out_the_swap_takes_what_there_is_and_no_more() -> None:
    pool = a_pool((-600, 600, 10**6))
    to_the_edge = swap_to_price(pool, sqrt_price_at_tick(-600))
    assert swap_for_deposit(pool, 10**6, 0, TickRange(-900, -660)) == to_the_edge
    narrow = replace(pool.state(), known=TickRange(-1_200, 660))
    as_read = Pool.from_state(narrow, pool.fee_pips, pool.tick_spacing)
    assert swap_for_deposit(as_read, 10**6, 0, TickRange(-900, -660)) == to_the_edge


def test_holdings_too_large_for_the_known_ticks_are_not_sized() -> None:
    narrow = replace(a_pool((*EVERYWHERE, 10**18)).state(), ticks=(), known=TickRange(-600, 600))
    pool = Pool.from_state(narrow, 3_000, 60)
    with pytest.raises(TickDataMissing, match="read more ticks"):
        swap_for_deposit(pool, 10**24, 0, TickRange(-6_000, 6_000))
    with pytest.raises(TickDataMissing, match="read more ticks"):
        swap_to_weight(pool, 0, 10**24, Fraction(1), lambda _: (0, 0))
    with pytest.raises(TickDataMissing, match="read more ticks"):
        swap_to_price(pool, sqrt_price_at_tick(660))
    outside = replace(narrow, tick=700, sqrt_price_x96=sqrt_price_at_tick(700))
    with pytest.raises(TickDataMissing, match="read more ticks"):
        swap_for_deposit(Pool.from_state(outside, 3_000, 60), 10**10, 0, TickRange(-6_000, 6_000))


def test_a_pool_without_liquidity_buys_nothing_for_a_deposit() -> None:
    with pytest.raises(TickDataMissing, match="gives out"):
        swap_for_deposit(a_pool(), 1_000, 0, TickRange(-600, 600))


@pytest.mark.parametrize(
    ("share", "size"),
    [
        (Fraction(1, 4), SwapSize(True, 250)),
        (Fraction(3, 4), SwapSize(False, 250)),
        (Fraction(1, 2), SwapSize(True, 0)),
        (Fraction(0), SwapSize(True, 500)),
    ],
)
def test_without_fee_and_impact_the_swap_to_a_weight_moves_the_difference(
    share: Fraction, size: SwapSize
) -> None:
    pool = a_pool((*EVERYWHERE, 10**25), fee_pips=0)
    assert swap_to_weight(pool, 500, 500, share, lambda _: (0, 0)) == size


def test_a_swap_that_ends_exactly_on_the_weight_does_not_overshoot() -> None:
    pool = a_pool((*EVERYWHERE, 10**18), fee_pips=0)
    # sqrtP falls to a half: the 4 * 10**18 left of token0 are worth 10**18, as is all the token1
    size = swap_to_weight(pool, 5 * 10**18, 10**18 // 2, Fraction(1, 2), lambda _: (0, 0))
    assert size == SwapSize(True, 10**18)
    assert pool.quote(*size)[:3] == (10**18, -(10**18) // 2, Q96 // 2)


def test_what_is_stuck_in_positions_counts_but_is_not_sold() -> None:
    pool = a_pool((*EVERYWHERE, 10**25), fee_pips=0)
    stuck = swap_to_weight(pool, 500, 0, Fraction(1, 2), lambda _: (0, 200))
    assert stuck == SwapSize(True, 150)
    assert swap_to_weight(pool, 500, 0, Fraction(1, 2), lambda _: (900, 0)).amount_in == 500


@pytest.mark.parametrize("share", [Fraction(-1, 100), Fraction(101, 100)])
def test_a_value_share_outside_nothing_and_all_is_refused(share: Fraction) -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        swap_to_weight(a_deep_pool(), 1, 1, share, lambda _: (0, 0))


def test_the_swap_to_a_price_pays_for_the_move_and_the_fee_on_it() -> None:
    pool = a_pool((*EVERYWHERE, 10**18))
    # a quarter more of sqrtP takes L / 4 of token1, or a fifth less of it L / 4 of token0
    net = 25 * 10**16
    cost = net + -(-net * 3_000 // 997_000)
    assert swap_to_price(pool, SqrtPriceX96(Q96 * 5 // 4)) == SwapSize(False, cost)
    assert swap_to_price(pool, SqrtPriceX96(Q96 * 4 // 5 + 1)) == SwapSize(True, cost)


def test_the_swap_to_a_price_crosses_ticks_and_empty_stretches_on_its_way() -> None:
    pool = a_pool((-60, 60, 10**18), (600, 1_200, 10**15))
    inside_the_second = sqrt_price_at_tick(900)
    size = swap_to_price(pool, inside_the_second)
    assert pool.quote(*size, inside_the_second).sqrt_price_x96 == inside_the_second
    short = pool.quote(size.zero_for_one, size.amount_in - 1, inside_the_second)
    assert short.sqrt_price_x96 < inside_the_second
    assert short.steps[-1].amount_in > 0


def test_the_price_that_is_takes_no_swap() -> None:
    assert swap_to_price(a_deep_pool(), Q96).amount_in == 0


@pytest.mark.parametrize("price", [0, MIN_SQRT_PRICE, MAX_SQRT_PRICE, 2**160])
def test_a_price_at_which_no_swap_can_end_is_refused(price: int) -> None:
    with pytest.raises(ValueError, match=f"found {price}"):
        swap_to_price(a_deep_pool(), SqrtPriceX96(price))


def test_a_price_inside_an_empty_stretch_is_no_amount_away() -> None:
    with pytest.raises(ValueError, match="no liquidity"):
        swap_to_price(a_pool((-600, 600, 10**18)), sqrt_price_at_tick(-660))


def test_sizing_leaves_the_pool_as_it_is() -> None:
    pool = a_pool((*EVERYWHERE, 10**6), (-60, 60, 10**7))
    before, ticks = pool.state(), dict(pool.ticks)
    swap_for_deposit(pool, 10**6, 0, TickRange(-600, 600))
    swap_to_weight(pool, 0, 10**6, Fraction(1, 2), lambda _: (0, 0))
    swap_to_price(pool, sqrt_price_at_tick(-660))
    assert (pool.state(), dict(pool.ticks)) == (before, ticks)


def test_a_pool_without_a_price_sizes_nothing() -> None:
    pool = Pool(3_000, 60)
    with pytest.raises(PoolRevert, match="LOK"):
        swap_for_deposit(pool, 1, 1, TickRange(-600, 600))
    with pytest.raises(PoolRevert, match="LOK"):
        swap_to_weight(pool, 1, 1, Fraction(1, 2), lambda _: (0, 0))
    with pytest.raises(PoolRevert, match="LOK"):
        swap_to_price(pool, Q96)


def test_a_deposit_that_needs_no_swap_is_sized_where_none_can_be_made() -> None:
    """At the lowest price of all no token0 can be sold; none has to be for a range above it."""
    drained = a_pool((*EVERYWHERE, 10**12), tick=-887_272)
    assert swap_for_deposit(drained, 10**12, 0, TickRange(-887_220, -886_620)).amount_in == 0


@pytest.mark.parametrize(("amount0", "amount1"), [(-1, 0), (0, 2**255)])
def test_amounts_that_nobody_can_hold_are_refused(amount0: int, amount1: int) -> None:
    with pytest.raises(ValueError, match=f"found {amount0 or amount1}"):
        swap_for_deposit(a_deep_pool(), amount0, amount1, TickRange(-600, 600))
