"""Laws of how much to swap, against whole swaps and mints on random pools."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from hypothesis import event, given
from hypothesis import strategies as st
from random_pools import TIERS, holdings_for, magnitudes, pools, ranges_around

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    Pool,
    SwapSize,
    TickDataMissing,
    amounts_for_liquidity_down,
    liquidity_for_amounts_down,
    range_bounds,
    sqrt_price_at_tick,
    swap_for_deposit,
    swap_to_price,
    swap_to_weight,
)
from lpmanager.model import MAX_TICK, MIN_TICK, Liquidity, SqrtPriceX96, TickRange
from lpmanager.model.tick import floor_to_spacing, max_usable_tick, min_usable_tick

Q96 = 2**96


class Held(NamedTuple):
    """What is held after a swap, the pool then, and what of the input it could not take."""

    amount0: int
    amount1: int
    pool: Pool
    unsold: int


def after_selling(
    pool: Pool, amount0: int, amount1: int, zero_for_one: bool, amount_in: int
) -> Held:
    traded = pool.copy()
    if amount_in == 0:
        return Held(amount0, amount1, traded, 0)
    done = traded.swap(zero_for_one, amount_in)
    unsold = amount_in - (done.amount0 if zero_for_one else done.amount1)
    return Held(amount0 - done.amount0, amount1 - done.amount1, traded, unsold)


def sized(pool: Pool, amount0: int, amount1: int, tick_range: TickRange) -> SwapSize | None:
    """The swap for a deposit; None where the pool's liquidity has to give out on the way."""
    try:
        return swap_for_deposit(pool, amount0, amount1, tick_range)
    except TickDataMissing:
        low, high = range_bounds(tick_range)
        price = clamped(pool, tick_range)
        sells0 = amount0 * (price - low) * price * high > amount1 * (high - price) * Q96**2
        done = pool.quote(sells0, amount0 if sells0 else amount1)
        assert done.sqrt_price_x96 == (MIN_SQRT_PRICE + 1 if sells0 else MAX_SQRT_PRICE - 1)
        event("the liquidity gives out")
        return None


class Deposit(NamedTuple):
    """A deposit in real numbers: its liquidity, and what it leaves of each token."""

    liquidity: Fraction
    left0: Fraction
    left1: Fraction
    per_liquidity0: Fraction
    per_liquidity1: Fraction

    def value(self, sqrt_price_x96: SqrtPriceX96) -> Fraction:
        """What is left, in raw token1."""
        return self.left0 * sqrt_price_x96**2 / Q96**2 + self.left1


def clamped(pool: Pool, tick_range: TickRange) -> SqrtPriceX96:
    low, high = range_bounds(tick_range)
    return min(max(pool.sqrt_price_x96, low), high)


def deposited(held: Held, tick_range: TickRange) -> Deposit:
    (low, high), price = range_bounds(tick_range), clamped(held.pool, tick_range)
    per0 = Fraction(Q96 * (high - price), price * high)
    per1 = Fraction(price - low, Q96)
    given_by = [held.amount0 / per0] if per0 else []
    given_by += [held.amount1 / per1] if per1 else []
    liquidity = min(given_by)
    left = held.amount0 - liquidity * per0, held.amount1 - liquidity * per1
    return Deposit(liquidity, *left, per0, per1)


def left_by_a_mint(held: Held, tick_range: TickRange) -> tuple[int, int]:
    """What remains of both raw amounts after the deposit is made. Raises ValueError."""
    edges = tick_range.lower, tick_range.upper
    liquidity = liquidity_for_amounts_down(
        held.pool.sqrt_price_x96, tick_range, held.amount0, held.amount1
    )
    paid = held.pool.copy().mint("me", *edges, liquidity) if liquidity else (0, 0)
    return held.amount0 - paid[0], held.amount1 - paid[1]


@st.composite
def deposits(draw: st.DrawFn) -> tuple[Pool, int, int, TickRange]:
    pool = draw(pools())
    return pool, *draw(holdings_for(pool)), draw(ranges_around(pool))


@given(deposits(), magnitudes(96))
def test_no_other_swap_leaves_less_of_a_deposit_over(
    deposit: tuple[Pool, int, int, TickRange], other_amount: int
) -> None:
    pool, amount0, amount1, tick_range = deposit
    size = sized(pool, amount0, amount1, tick_range)
    if size is None:
        return

    def left(zero_for_one: bool, amount_in: int) -> Fraction | None:
        held = after_selling(pool, amount0, amount1, zero_for_one, amount_in)
        if held.unsold:
            return None
        return deposited(held, tick_range).value(pool.sqrt_price_x96)

    least = left(*size)
    assert least is not None
    available = amount0 if size.zero_for_one else amount1
    assert 0 <= size.amount_in <= available
    others = [size.amount_in - 1, size.amount_in + 1, other_amount % (available + 1)]
    lefts = [left(size.zero_for_one, n) for n in others if 0 <= n <= available]
    other_token = amount1 if size.zero_for_one else amount0
    lefts.append(left(not size.zero_for_one, other_amount % (other_token + 1)))
    assert all(least <= other for other in lefts if other is not None)


@given(deposits())
def test_what_a_deposit_leaves_is_what_the_last_raw_unit_of_the_swap_stands_for(
    deposit: tuple[Pool, int, int, TickRange],
) -> None:
    pool, amount0, amount1, tick_range = deposit
    size = sized(pool, amount0, amount1, tick_range)
    if size is None:
        return
    held = after_selling(pool, amount0, amount1, *size)
    here = deposited(held, tick_range)
    available = amount0 if size.zero_for_one else amount1
    too_little = here.left0 > 0 if size.zero_for_one else here.left1 > 0
    other_in = size.amount_in + (1 if too_little else -1)
    if not 0 <= other_in <= available or here.left0 == here.left1 == 0:
        assert here.left0 == here.left1 == 0
        return
    other_held = after_selling(pool, amount0, amount1, size.zero_for_one, other_in)
    if other_held.unsold:
        event("the liquidity gives out")
        return
    other = deposited(other_held, tick_range)
    # one raw unit sold or what it brings, and what the deposit holds across the unit's price move
    liquidity = min(here.liquidity, other.liquidity)
    most0 = abs(held.amount0 - other_held.amount0) + liquidity * abs(
        here.per_liquidity0 - other.per_liquidity0
    )
    most1 = abs(held.amount1 - other_held.amount1) + liquidity * abs(
        here.per_liquidity1 - other.per_liquidity1
    )
    value0 = most0 * pool.sqrt_price_x96**2 / Q96**2
    assert here.value(pool.sqrt_price_x96) <= max(value0, most1)


@given(st.data(), st.integers(-1_000, 1_000))
def test_near_price_one_a_modest_deposit_leaves_two_raw_units_of_one_token_at_most(
    data: st.DataObject, tick: int
) -> None:
    pool = Pool(*data.draw(st.sampled_from(TIERS)))
    pool.initialize(sqrt_price_at_tick(tick) + data.draw(st.integers(0, 2**80)))
    spacing, depth = pool.tick_spacing, data.draw(st.integers(10**6, 10**26))
    pool.mint("everywhere", min_usable_tick(spacing), max_usable_tick(spacing), depth)
    for number in range(data.draw(st.integers(0, 4))):
        placed = data.draw(ranges_around(pool, reach=5))
        pool.mint(f"lp{number}", placed.lower, placed.upper, data.draw(magnitudes(90)) + 1)
    lower = floor_to_spacing(tick - data.draw(st.integers(0, 1_000)), spacing)
    upper = floor_to_spacing(tick + data.draw(st.integers(1, 1_000)), spacing) + spacing
    tick_range = TickRange(lower, upper)
    most = amounts_for_liquidity_down(
        pool.sqrt_price_x96, tick_range, Liquidity(data.draw(st.integers(0, depth // 50)))
    )
    amount0, amount1 = (data.draw(st.integers(0, amount)) for amount in most)
    size = swap_for_deposit(pool, amount0, amount1, tick_range)
    held = after_selling(pool, amount0, amount1, *size)
    left = left_by_a_mint(held, tick_range)
    assert min(left) <= 1
    assert max(left) <= 2


@given(deposits())
def test_the_mint_itself_leaves_no_more_than_the_position_managers_rounding(
    deposit: tuple[Pool, int, int, TickRange],
) -> None:
    pool, amount0, amount1, tick_range = deposit
    size = sized(pool, amount0, amount1, tick_range)
    if size is None:
        return
    held = after_selling(pool, amount0, amount1, *size)
    exact, price = deposited(held, tick_range), clamped(held.pool, tick_range)
    # one unit of liquidity, and the part of token0's factor that is cut off
    high = sqrt_price_at_tick(tick_range.upper)
    rounding = 1 + exact.liquidity * Q96 / (price * high)
    try:
        left0, left1 = left_by_a_mint(held, tick_range)
    except ValueError as error:
        # so near to an edge of the range that the position manager reverts
        if "does not fit uint128" not in str(error):
            raise
        event("beside an edge")
        return
    assert 0 <= left0 <= exact.left0 + rounding * exact.per_liquidity0
    assert 0 <= left1 <= exact.left1 + rounding * exact.per_liquidity1


@st.composite
def weightings(draw: st.DrawFn) -> tuple[Pool, int, int, Liquidity]:
    """A pool, what may be sold, and our own part of the position that is everywhere."""
    pool = draw(pools(everywhere=True))
    (everywhere,) = (p for key, p in pool.positions.items() if key[0] == "everywhere")
    own = draw(st.integers(0, everywhere.liquidity))
    return pool, *draw(holdings_for(pool)), Liquidity(own)


@given(weightings(), st.fractions(0, 1, max_denominator=100))
def test_the_swap_to_a_weight_ends_on_it_or_sells_all_there_is(
    weighting: tuple[Pool, int, int, Liquidity], share: Fraction
) -> None:
    pool, held0, held1, own = weighting
    whole = TickRange(min_usable_tick(pool.tick_spacing), max_usable_tick(pool.tick_spacing))

    def principal_at(price: SqrtPriceX96) -> tuple[int, int]:
        return amounts_for_liquidity_down(price, whole, own)

    def beyond(zero_for_one: bool, amount_in: int) -> Fraction:
        """How much of all value is still, or no more, in the token sold, above its share."""
        after = after_selling(pool, held0, held1, zero_for_one, amount_in)
        price = after.pool.sqrt_price_x96
        principal0, principal1 = principal_at(price)
        value0 = (after.amount0 + principal0) * Fraction(price * price, Q96**2)
        value1 = after.amount1 + principal1
        total = value0 + value1
        above = value0 / total - share if total else Fraction(0)
        return above if zero_for_one else -above

    try:
        zero_for_one, amount_in = swap_to_weight(pool, held0, held1, share, principal_at)
    except TickDataMissing:
        sells0 = beyond(True, 0) > 0
        done = pool.quote(sells0, held0 if sells0 else held1)
        assert done.sqrt_price_x96 == (MIN_SQRT_PRICE + 1 if sells0 else MAX_SQRT_PRICE - 1)
        return
    available = held0 if zero_for_one else held1
    assert 0 <= amount_in <= available
    assert beyond(zero_for_one, amount_in) >= 0
    if beyond(zero_for_one, amount_in) > 0 and amount_in < available:
        assert beyond(zero_for_one, amount_in + 1) < 0


@given(st.data(), pools())
def test_the_swap_to_a_price_spends_the_least_that_ends_there(
    data: st.DataObject, pool: Pool
) -> None:
    reach = 400 * pool.tick_spacing
    tick = data.draw(st.integers(pool.tick - reach, pool.tick + reach))
    tick = min(max(tick, MIN_TICK), MAX_TICK - 1)
    above = sqrt_price_at_tick(tick + 1) - sqrt_price_at_tick(tick)
    wanted = sqrt_price_at_tick(tick) + data.draw(st.sampled_from((0, 1, above // 3)))
    wanted = SqrtPriceX96(max(wanted, MIN_SQRT_PRICE + 1))
    try:
        zero_for_one, amount_in = swap_to_price(pool, wanted)
    except ValueError:
        # the stretch before the price is empty: it is reached for nothing
        away = pool.quote(wanted < pool.sqrt_price_x96, 2**255 - 1, wanted)
        assert away.steps[-1][1:4] == (0, 0, 0)
        return
    if wanted == pool.sqrt_price_x96:
        assert amount_in == 0
        return
    done = pool.quote(zero_for_one, amount_in, wanted)
    assert done.sqrt_price_x96 == wanted
    assert (done.amount0 if zero_for_one else done.amount1) == amount_in
    if amount_in > 1:
        assert pool.quote(zero_for_one, amount_in - 1, wanted).sqrt_price_x96 != wanted
