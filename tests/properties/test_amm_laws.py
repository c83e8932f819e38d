"""Laws of the concentrated-liquidity maths."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    SwapResult,
    TickDataMissing,
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
    swap,
    swap_for_deposit,
    swap_to_weight,
    tick_at_sqrt_price,
)
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Liquidity,
    PoolState,
    SqrtPriceX96,
    TickRange,
    TickState,
)

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
def pools(draw: st.DrawFn) -> PoolState:
    """A pool with a wide position and up to four others, around any near price."""
    placed = [(TickRange(-48_000, 48_000), draw(st.integers(10**18, 10**24)))]
    placed += draw(st.lists(st.tuples(ranges(), st.integers(10**15, 10**25)), max_size=4))
    net: dict[int, int] = {}
    for tick_range, liquidity in placed:
        net[tick_range.lower] = net.get(tick_range.lower, 0) + liquidity
        net[tick_range.upper] = net.get(tick_range.upper, 0) - liquidity
    tick = draw(near_ticks)
    return PoolState(
        sqrt_price_x96=sqrt_price_at_tick(tick),
        tick=tick,
        liquidity=Liquidity(sum(liquidity for r, liquidity in placed if tick in r)),
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        fee_protocol=0,
        ticks=tuple(
            TickState(tick=t, liquidity_gross=abs(n), liquidity_net=n)
            for t, n in sorted(net.items())
        ),
        known=TickRange(-60_000, 60_000),
    )


def sold(state: PoolState, zero_for_one: bool, amount_in: int) -> SwapResult:
    """An exact-input swap that stops before the end of the liquidity."""
    end = sqrt_price_at_tick(-47_000 if zero_for_one else 47_000)
    return swap(
        state, fee_pips=FEE, tick_spacing=SPACING, zero_for_one=zero_for_one,
        amount_specified=amount_in, sqrt_price_limit_x96=end,
    )  # fmt: skip


def end_of_known(state: PoolState, zero_for_one: bool) -> SqrtPriceX96:
    return sqrt_price_at_tick(state.known.lower if zero_for_one else state.known.upper - 1)


def runs_off_the_known_ticks(state: PoolState, zero_for_one: bool, amount_in: int) -> bool:
    if amount_in == 0:
        return False
    try:
        swap(
            state, fee_pips=FEE, tick_spacing=SPACING, zero_for_one=zero_for_one,
            amount_specified=amount_in,
        )  # fmt: skip
    except TickDataMissing:
        return True
    return False


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


@given(pools(), st.booleans(), amounts)
def test_swapping_there_and_back_never_gains(
    state: PoolState, zero_for_one: bool, amount_in: int
) -> None:
    there = sold(state, zero_for_one, amount_in)
    got = -there.amount1 if zero_for_one else -there.amount0
    if got == 0:
        return
    back = sold(there.state, not zero_for_one, got)
    assert there.amount0 + back.amount0 >= 0
    assert there.amount1 + back.amount1 >= 0


@given(pools(), st.booleans(), amounts, amounts)
def test_a_larger_input_never_gives_less(
    state: PoolState, zero_for_one: bool, one: int, other: int
) -> None:
    small, large = (sold(state, zero_for_one, amount) for amount in sorted((one, other)))
    assert large.amount0 <= small.amount0 if not zero_for_one else large.amount1 <= small.amount1


@given(pools(), st.booleans(), amounts, amounts)
def test_splitting_a_swap_in_two_gains_nothing_but_dust(
    state: PoolState, zero_for_one: bool, first: int, second: int
) -> None:
    whole = sold(state, zero_for_one, first + second)
    part = sold(state, zero_for_one, first)
    if part.state.tick in (-47_000, 47_000):
        return
    rest = sold(part.state, zero_for_one, second)
    assert part.amount0 + rest.amount0 >= whole.amount0 - 1
    assert part.amount1 + rest.amount1 >= whole.amount1 - 1


@given(pools(), st.booleans(), st.integers(10**6, 10**20))
def test_asking_for_what_an_input_gave_costs_no_more_than_that_input(
    state: PoolState, zero_for_one: bool, amount_in: int
) -> None:
    given_in = sold(state, zero_for_one, amount_in)
    out = given_in.amount1 if zero_for_one else given_in.amount0
    if out == 0:
        return
    asked = sold(state, zero_for_one, out)
    assert asked.amount0 <= max(given_in.amount0, out)
    assert asked.amount1 <= max(given_in.amount1, out)


@given(pools(), ranges(), st.integers(0, 10**22), st.integers(0, 10**22))
def test_the_swap_for_a_deposit_leaves_neither_token_over(
    state: PoolState, tick_range: TickRange, amount0: int, amount1: int
) -> None:
    try:
        zero_for_one, amount_in = swap_for_deposit(
            state, FEE, SPACING, amount0, amount1, tick_range
        )
    except TickDataMissing:
        assert runs_off_the_known_ticks(state, True, amount0) or runs_off_the_known_ticks(
            state, False, amount1
        )
        return

    def surplus0(amount: int) -> int:
        """Positive where the range would leave token0 over, after selling `amount`."""
        after0, after1, price = amount0, amount1, state.sqrt_price_x96
        if amount:
            done = swap(
                state, fee_pips=FEE, tick_spacing=SPACING, zero_for_one=zero_for_one,
                amount_specified=amount,
            )  # fmt: skip
            after0, after1 = amount0 - done.amount0, amount1 - done.amount1
            price = done.state.sqrt_price_x96
        need0, need1 = amounts_for_liquidity_down(price, tick_range, Liquidity(2**127))
        return after0 * need1 - after1 * need0

    available = amount0 if zero_for_one else amount1
    assert 0 <= amount_in <= available
    sign = 1 if zero_for_one else -1
    # amounts of 2**127 liquidity are themselves rounded, in about the 30th digit
    slack = (amount0 + amount1 + 1) * 2
    assert sign * surplus0(amount_in) >= -slack
    if amount_in < available:
        assert sign * surplus0(amount_in + 1) <= slack


@given(
    pools(),
    st.integers(0, 10**21),
    st.integers(0, 10**21),
    st.fractions(0, 1, max_denominator=100),
    st.integers(0, 10**18),
)
def test_the_swap_to_a_weight_ends_on_it_or_sells_all_there_is(
    state: PoolState, held0: int, held1: int, share: Fraction, own: int
) -> None:
    own_range = TickRange(-48_000, 48_000)

    def principal_at(price: SqrtPriceX96) -> tuple[int, int]:
        return amounts_for_liquidity_down(price, own_range, Liquidity(own))

    try:
        zero_for_one, amount_in = swap_to_weight(
            state, FEE, SPACING, held0, held1, share, principal_at
        )
    except TickDataMissing:
        return

    def share_after(amount: int) -> Fraction:
        after0, after1, price = held0, held1, state.sqrt_price_x96
        if amount:
            done = swap(
                state, fee_pips=FEE, tick_spacing=SPACING, zero_for_one=zero_for_one,
                amount_specified=amount, sqrt_price_limit_x96=end_of_known(state, zero_for_one),
            )  # fmt: skip
            after0, after1 = held0 - done.amount0, held1 - done.amount1
            price = done.state.sqrt_price_x96
        principal0, principal1 = principal_at(price)
        value0 = (after0 + principal0) * Fraction(price * price, 2**192)
        total = value0 + after1 + principal1
        return value0 / total if total else share

    available = held0 if zero_for_one else held1
    sign = 1 if zero_for_one else -1
    assert sign * (share_after(amount_in) - share) >= 0
    if amount_in < available:
        assert sign * (share_after(amount_in + 1) - share) <= 0


def test_holdings_too_large_for_the_known_ticks_are_not_sized() -> None:
    state = PoolState(
        sqrt_price_x96=SqrtPriceX96(2**96), tick=0, liquidity=Liquidity(10**18),
        fee_growth_global0_x128=0, fee_growth_global1_x128=0, fee_protocol=0, ticks=(),
        known=TickRange(-600, 600),
    )  # fmt: skip
    with pytest.raises(TickDataMissing, match="read more ticks"):
        swap_for_deposit(state, FEE, SPACING, 10**24, 0, TickRange(-6_000, 6_000))
    outside = replace(state, tick=700, sqrt_price_x96=sqrt_price_at_tick(700))
    with pytest.raises(TickDataMissing, match="read more ticks"):
        swap_for_deposit(outside, FEE, SPACING, 10**10, 0, TickRange(-6_000, 6_000))


@given(prices, slippages)
def test_the_band_holds_exactly_the_prices_within_the_slippage(
    price: SqrtPriceX96, slippage_bps: int
) -> None:
    low, high = sqrt_price_bounds(price, slippage_bps)
    least = price**2 * Fraction(10_000 - slippage_bps, 10_000)
    most = price**2 * Fraction(10_000 + slippage_bps, 10_000)
    if low > MIN_SQRT_PRICE + 1:
        assert low**2 <= least < (low + 1) ** 2
    if high < MAX_SQRT_PRICE - 1:
        assert (high - 1) ** 2 < most <= high**2


@given(near_ticks, ranges(), amounts, amounts, slippages, st.fractions(0, 1))
def test_a_mint_anywhere_in_the_band_meets_its_minimums(
    tick: int,
    tick_range: TickRange,
    amount0: int,
    amount1: int,
    slippage_bps: int,
    where: Fraction,
) -> None:
    price = sqrt_price_at_tick(tick)
    low, high = sqrt_price_bounds(price, slippage_bps)
    minimum0, minimum1 = mint_minimums_down(price, tick_range, amount0, amount1, slippage_bps)
    moved = SqrtPriceX96(low + int((high - low) * where))
    liquidity = liquidity_for_amounts_down(moved, tick_range, amount0, amount1)
    paid0, paid1 = amounts_for_liquidity_up(moved, tick_range, liquidity)
    assert paid0 >= minimum0
    assert paid1 >= minimum1


@given(near_ticks, ranges(), liquidities, slippages, st.fractions(0, 1))
def test_a_burn_anywhere_in_the_band_meets_its_minimums(
    tick: int, tick_range: TickRange, liquidity: Liquidity, slippage_bps: int, where: Fraction
) -> None:
    price = sqrt_price_at_tick(tick)
    low, high = sqrt_price_bounds(price, slippage_bps)
    minimum0, minimum1 = burn_minimums_down(price, tick_range, liquidity, slippage_bps)
    moved = SqrtPriceX96(low + int((high - low) * where))
    paid0, paid1 = amounts_for_liquidity_down(moved, tick_range, liquidity)
    assert paid0 >= minimum0
    assert paid1 >= minimum1
