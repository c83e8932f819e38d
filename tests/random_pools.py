"""Pools as hypothesis draws them: built by mints, so that they could stand on chain."""

from __future__ import annotations

from hypothesis import strategies as st

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE, Pool, sqrt_price_at_tick
from lpmanager.model import MAX_TICK, MIN_TICK, TickRange
from lpmanager.model.tick import floor_to_spacing, max_usable_tick, min_usable_tick

#: Every fee in millionths with its tick spacing.
TIERS = ((100, 1), (500, 10), (3_000, 60), (10_000, 200))
#: Where one raw unit of token1 is worth 10**12 of token0, and the other way round: 18 and 6
#: decimals at a price of about one.
SKEWED = (-276_324, 276_324)
MOST_POSITIONS = 6
Q96 = 2**96


def magnitudes(bits: int) -> st.SearchStrategy[int]:
    """Whole numbers of every length up to `bits`, 0 among them."""
    return st.integers(0, bits).flatmap(lambda b: st.integers(0, 2**b))


@st.composite
def ranges_around(draw: st.DrawFn, pool: Pool, reach: int = 300) -> TickRange:
    """A range on the pool's grid, at or beside its price."""
    spacing = pool.tick_spacing
    lowest, highest = min_usable_tick(spacing), max_usable_tick(spacing)
    near = floor_to_spacing(pool.tick, spacing) // spacing
    lower = (near + draw(st.integers(-reach, reach))) * spacing
    lower = min(max(lower, lowest), highest - spacing)
    return TickRange(lower, min(lower + draw(st.integers(1, 2 * reach)) * spacing, highest))


@st.composite
def pools(draw: st.DrawFn, liquidity_bits: int = 80, everywhere: bool = False) -> Pool:
    """A pool at any price, extreme ones among them, with up to six positions around it.

    `everywhere` puts one over all ticks too, so that the liquidity never gives out. A position is
    never so large that all of them together would be too much for one tick.
    """
    pool = Pool(*draw(st.sampled_from(TIERS)))
    tick = draw(
        st.one_of(
            st.integers(-20_000, 20_000),
            st.sampled_from(SKEWED),
            st.integers(MIN_TICK, MAX_TICK - 1),
        )
    )
    price = sqrt_price_at_tick(tick) + draw(st.integers(0, 2**64)) % (
        sqrt_price_at_tick(tick + 1) - sqrt_price_at_tick(tick)
    )
    pool.initialize(min(max(price, MIN_SQRT_PRICE + 2), MAX_SQRT_PRICE - 2))
    largest = pool.max_liquidity_per_tick // (MOST_POSITIONS + 1)
    amounts = magnitudes(liquidity_bits).map(lambda liquidity: min(liquidity + 1, largest))
    spacing = pool.tick_spacing
    if everywhere:
        whole = min_usable_tick(spacing), max_usable_tick(spacing)
        pool.mint("everywhere", *whole, draw(amounts))
    for number in range(draw(st.integers(0 if everywhere else 1, MOST_POSITIONS))):
        placed = draw(ranges_around(pool))
        pool.mint(f"lp{number}", placed.lower, placed.upper, draw(amounts))
    return pool


@st.composite
def holdings_for(draw: st.DrawFn, pool: Pool, liquidity_bits: int = 84) -> tuple[int, int]:
    """Raw amounts of both tokens, from nothing to more than the pool has."""
    worth0, worth1 = draw(magnitudes(liquidity_bits)), draw(magnitudes(liquidity_bits))
    return worth0 * Q96 // pool.sqrt_price_x96, worth1 * pool.sqrt_price_x96 // Q96
