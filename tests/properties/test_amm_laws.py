"""Laws of the concentrated-liquidity maths."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import event, given, settings
from hypothesis import strategies as st
from random_pools import magnitudes

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    Pool,
    SwapResult,
    amount0_delta_down,
    amount0_delta_up,
    amount1_delta_down,
    amount1_delta_up,
    amounts_for_liquidity_down,
    amounts_for_liquidity_up,
    burn_minimums_down,
    liquidity_for_amounts_down,
    mint_minimums_down,
    sqrt_price_at_tick,
    sqrt_price_bounds,
    tick_at_sqrt_price,
)
from lpmanager.model import MAX_TICK, MIN_TICK, Liquidity, SqrtPriceX96, TickRange

Q96 = 2**96
SPACING, FEE = 60, 3_000
ticks = st.integers(MIN_TICK, MAX_TICK - 1)
prices = st.integers(MIN_SQRT_PRICE, MAX_SQRT_PRICE - 1).map(SqrtPriceX96)
liquidities = st.integers(1, 10**26).map(Liquidity)
near_ticks = st.integers(-20_000, 20_000)
amounts = st.integers(10**6, 10**24)
slippages = st.integers(1, 500)


@st.composite
def ranges(draw: st.DrawFn) -> TickRange:
    lower = draw(st.integers(-300, 300))
    return TickRange(lower * SPACING, (lower + draw(st.integers(1, 300))) * SPACING)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """A pool with a wide position and up to four others, around any near price."""
    pool = Pool(FEE, SPACING)
    pool.initialize(sqrt_price_at_tick(draw(near_ticks)))
    pool.mint("wide", -48_000, 48_000, draw(st.integers(10**18, 10**24)))
    for number in range(draw(st.integers(0, 4))):
        placed = draw(ranges())
        liquidity = draw(st.integers(10**15, 10**25))
        pool.mint(f"lp{number}", placed.lower, placed.upper, liquidity)
    return pool


def sold(pool: Pool, zero_for_one: bool, amount_in: int) -> SwapResult:
    """An exact-input swap that stops before the end of the liquidity. It changes the pool."""
    end = sqrt_price_at_tick(-47_000 if zero_for_one else 47_000)
    return pool.swap(zero_for_one, amount_in, end)


@given(ticks)
def test_a_ticks_price_leads_back_to_the_tick(tick: int) -> None:
    assert tick_at_sqrt_price(sqrt_price_at_tick(tick)) == tick


@given(prices)
def test_a_price_lies_between_its_tick_and_the_next(price: SqrtPriceX96) -> None:
    tick = tick_at_sqrt_price(price)
    assert sqrt_price_at_tick(tick) <= price < sqrt_price_at_tick(tick + 1)


@given(st.integers(MIN_TICK, MAX_TICK))
def test_a_ticks_price_is_within_a_unit_of_the_true_root_at_near_ticks(tick: int) -> None:
    tick = tick % 4_000 - 2_000
    true = Fraction(10_001, 10_000) ** tick * 2**192
    assert Fraction(sqrt_price_at_tick(tick) - 2) ** 2 < true < (sqrt_price_at_tick(tick) + 2) ** 2


@given(prices, prices, liquidities)
def test_rounding_up_costs_at_most_two_units_more_than_rounding_down(
    a: SqrtPriceX96, b: SqrtPriceX96, liquidity: Liquidity
) -> None:
    assert 0 <= amount1_delta_up(a, b, liquidity) - amount1_delta_down(a, b, liquidity) <= 1
    assert 0 <= amount0_delta_up(a, b, liquidity) - amount0_delta_down(a, b, liquidity) <= 2


@given(near_ticks, ranges(), amounts, amounts)
def test_a_mint_never_takes_more_than_offered_and_a_burn_never_gains(
    tick: int, tick_range: TickRange, amount0: int, amount1: int
) -> None:
    price = sqrt_price_at_tick(tick)
    liquidity = liquidity_for_amounts_down(price, tick_range, amount0, amount1)
    paid0, paid1 = amounts_for_liquidity_up(price, tick_range, liquidity)
    back0, back1 = amounts_for_liquidity_down(price, tick_range, liquidity)
    assert back0 <= paid0 <= amount0
    assert back1 <= paid1 <= amount1


@given(near_ticks, near_ticks, ranges(), liquidities)
def test_a_rising_price_turns_token0_into_token1(
    one: int, other: int, tick_range: TickRange, liquidity: Liquidity
) -> None:
    low, high = (sqrt_price_at_tick(t) for t in sorted((one, other)))
    low0, low1 = amounts_for_liquidity_down(low, tick_range, liquidity)
    high0, high1 = amounts_for_liquidity_down(high, tick_range, liquidity)
    assert low0 >= high0
    assert low1 <= high1


@given(near_ticks, near_ticks, ranges(), liquidities)
def test_a_burn_at_a_false_price_pays_out_no_less_at_the_true_one(
    true: int, false: int, tick_range: TickRange, liquidity: Liquidity
) -> None:
    """But for a unit of each token that is rounded down: whoever moves the price before a burn
    loses by it."""
    true_price = sqrt_price_at_tick(true)

    def worth(amount0: int, amount1: int) -> Fraction:
        return amount0 * Fraction(true_price, Q96) ** 2 + amount1

    there = amounts_for_liquidity_down(sqrt_price_at_tick(false), tick_range, liquidity)
    here = amounts_for_liquidity_down(true_price, tick_range, liquidity)
    assert worth(*there) + worth(1, 1) >= worth(*here)


@given(pools(), st.booleans(), amounts)
def test_swapping_there_and_back_never_gains(
    pool: Pool, zero_for_one: bool, amount_in: int
) -> None:
    there = sold(pool, zero_for_one, amount_in)
    got = -there.amount1 if zero_for_one else -there.amount0
    if got == 0:
        return
    back = sold(pool, not zero_for_one, got)
    assert there.amount0 + back.amount0 >= 0
    assert there.amount1 + back.amount1 >= 0


@given(pools(), st.booleans(), amounts, amounts)
def test_a_larger_input_never_gives_less(
    pool: Pool, zero_for_one: bool, one: int, other: int
) -> None:
    small, large = (sold(pool.copy(), zero_for_one, amount) for amount in sorted((one, other)))
    assert large.amount0 <= small.amount0 if not zero_for_one else large.amount1 <= small.amount1


@given(pools(), st.booleans(), amounts, amounts)
def test_splitting_a_swap_in_two_gains_nothing_but_dust(
    pool: Pool, zero_for_one: bool, first: int, second: int
) -> None:
    whole = sold(pool.copy(), zero_for_one, first + second)
    part = sold(pool, zero_for_one, first)
    if pool.sqrt_price_x96 in (sqrt_price_at_tick(-47_000), sqrt_price_at_tick(47_000)):
        return
    rest = sold(pool, zero_for_one, second)
    assert part.amount0 + rest.amount0 >= whole.amount0 - 1
    assert part.amount1 + rest.amount1 >= whole.amount1 - 1


@given(pools(), st.booleans(), st.integers(10**6, 10**20))
def test_asking_for_what_an_input_gave_costs_no_more_than_that_input(
    pool: Pool, zero_for_one: bool, amount_in: int
) -> None:
    given_in = sold(pool.copy(), zero_for_one, amount_in)
    out = given_in.amount1 if zero_for_one else given_in.amount0
    if out == 0:
        return
    asked = sold(pool, zero_for_one, out)
    assert asked.amount0 <= max(given_in.amount0, out)
    assert asked.amount1 <= max(given_in.amount1, out)


@given(prices, slippages)
def test_the_band_ends_with_the_last_price_within_the_slippage(
    price: SqrtPriceX96, slippage_bps: int
) -> None:
    low, high = sqrt_price_bounds(price, slippage_bps)
    least = price**2 * Fraction(10_000 - slippage_bps, 10_000)
    most = price**2 * Fraction(10_000 + slippage_bps, 10_000)
    if low > MIN_SQRT_PRICE + 1:
        assert low**2 <= least < (low + 1) ** 2
    if high < MAX_SQRT_PRICE - 1:
        assert high**2 <= most < (high + 1) ** 2


@st.composite
def prices_in_a_band(draw: st.DrawFn) -> tuple[SqrtPriceX96, int, SqrtPriceX96]:
    """A price anywhere, a tolerance, and a price inside it, its edges among them."""
    tick, slippage_bps = draw(st.one_of(near_ticks, ticks)), draw(slippages)
    price = sqrt_price_at_tick(tick)
    low, high = sqrt_price_bounds(price, slippage_bps)
    moved = draw(st.one_of(st.just(low), st.just(high), st.integers(low, high)))
    return price, slippage_bps, SqrtPriceX96(moved)


@st.composite
def ranges_about(draw: st.DrawFn, price: SqrtPriceX96) -> TickRange:
    """A range that holds the price, or begins or ends beside it."""
    tick = tick_at_sqrt_price(price)
    lower = min(max(tick - draw(st.integers(-300, 3_000)), MIN_TICK), MAX_TICK - 1)
    upper = min(max(tick + draw(st.integers(-300, 3_000)), lower + 1), MAX_TICK)
    return TickRange(lower, upper)


@settings(max_examples=300)
@given(st.data(), prices_in_a_band(), magnitudes(88), magnitudes(88))
def test_a_mint_anywhere_in_the_band_meets_its_minimums(
    data: st.DataObject, band: tuple[SqrtPriceX96, int, SqrtPriceX96], worth0: int, worth1: int
) -> None:
    price, slippage_bps, moved = band
    tick_range = data.draw(ranges_about(price))
    offered = worth0 * Q96 // price, worth1 * price // Q96
    try:
        minimum0, minimum1 = mint_minimums_down(price, tick_range, *offered, slippage_bps)
        liquidity = liquidity_for_amounts_down(moved, tick_range, *offered)
    except ValueError as error:
        # so near to an edge of the range that the position manager reverts, whatever the minimums
        if "does not fit uint128" not in str(error):
            raise
        event("beside an edge")
        return
    paid0, paid1 = amounts_for_liquidity_up(moved, tick_range, liquidity)
    assert 0 <= minimum0 <= paid0
    assert 0 <= minimum1 <= paid1


@given(near_ticks, amounts, slippages)
def test_a_minimum_is_what_the_mint_at_the_bands_worse_edge_takes(
    tick: int, amount: int, slippage_bps: int
) -> None:
    price = sqrt_price_at_tick(tick)
    tick_range = TickRange(tick - 4_000, tick + 4_000)
    offered = amounts_for_liquidity_up(price, tick_range, Liquidity(amount * 10**3))
    minimum0, minimum1 = mint_minimums_down(price, tick_range, *offered, slippage_bps)
    low, high = sqrt_price_bounds(price, slippage_bps)
    for edge, token, minimum in ((high, 0, minimum0), (low, 1, minimum1)):
        liquidity = liquidity_for_amounts_down(edge, tick_range, *offered)
        paid = amounts_for_liquidity_up(edge, tick_range, liquidity)
        assert paid[token] - minimum <= 1


@given(st.data(), prices_in_a_band(), liquidities)
def test_a_burn_anywhere_in_the_band_meets_its_minimums(
    data: st.DataObject, band: tuple[SqrtPriceX96, int, SqrtPriceX96], liquidity: Liquidity
) -> None:
    price, slippage_bps, moved = band
    tick_range = data.draw(ranges_about(price))
    minimum0, minimum1 = burn_minimums_down(price, tick_range, liquidity, slippage_bps)
    paid0, paid1 = amounts_for_liquidity_down(moved, tick_range, liquidity)
    assert paid0 >= minimum0
    assert paid1 >= minimum1
