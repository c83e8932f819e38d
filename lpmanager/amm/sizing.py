"""How much to swap for a deposit, a ratio of values, or a price.

One quote of all that may be sold gives the swap's steps. The wanted point lies inside one of them,
in which liquidity does not change, so that only this step is searched. What comes out is the
contract's arithmetic to the last unit, not an approximation of it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from lpmanager.amm.arguments import uint
from lpmanager.amm.full_math import Q96
from lpmanager.amm.liquidity import range_bounds
from lpmanager.amm.pool import Pool
from lpmanager.amm.reverts import PoolRevert
from lpmanager.amm.swap_search import Held, largest_that_fits
from lpmanager.amm.tick_map import TickDataMissing
from lpmanager.amm.tick_math import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.model import SqrtPriceX96, TickRange

#: More than any pool can take in: the largest amount that a swap can be asked for.
_WITHOUT_END = 2**255 - 1


class SwapSize(NamedTuple):
    """An exact-input swap: which way, and how many raw units in (0 where none is needed)."""

    zero_for_one: bool
    amount_in: int


#: Positive where there is too much token0 for what is wanted, negative where too much token1.
_Excess = Callable[[Held], int]


def swap_for_deposit(pool: Pool, amount0: int, amount1: int, tick_range: TickRange) -> SwapSize:
    """The swap after which a deposit of both raw amounts into the range leaves the least over.

    Exact in the swap's own fee, price impact and tick crossings. No other input that the pool can
    take leaves less, valued at the price before: it is the better one of the largest that does not
    overshoot and the next. What is left is due to the swap's last raw unit: at most that unit, or
    what it brings, and what the deposit holds of the same token across the price move of that
    unit. Then the mint rounds: liquidity down to a whole unit, token0's factor as the position
    manager does, and what it takes up.

    Raises ValueError for an amount that int256 does not hold, PoolRevert for a pool without a
    price, TickDataMissing where the known ticks, or all prices, end before the swap does.
    """
    before = _before(pool, amount0, amount1)
    low, high = range_bounds(tick_range)

    def needed(price_x96: SqrtPriceX96) -> tuple[int, int]:
        """Token0 and token1 that the range takes at a price, in proportion."""
        price = min(max(price_x96, low), high)
        return (high - price) * Q96 * Q96, (price - low) * price * high

    def excess(held: Held) -> int:
        needed0, needed1 = needed(held.sqrt_price_x96)
        return held.amount0 * needed1 - held.amount1 * needed0

    def value_left(held: Held) -> Fraction:
        surplus, (needed0, needed1) = excess(held), needed(held.sqrt_price_x96)
        if surplus > 0:
            return Fraction(surplus * before.sqrt_price_x96**2, needed1)
        return Fraction(-surplus * Q96**2, needed0) if surplus else Fraction(0)

    if excess(before) == 0:
        return SwapSize(True, 0)
    fits = _balancing(pool, before, excess)
    if fits.amount_in == (amount0 if fits.zero_for_one else amount1):
        return fits
    either = fits, fits._replace(amount_in=fits.amount_in + 1)
    afterwards = {size: _after(pool, before, size) for size in either}
    left = {size: value_left(held) for size, held in afterwards.items() if held is not None}
    return min(left, key=left.__getitem__)


def swap_to_weight(
    pool: Pool,
    holdings0: int,
    holdings1: int,
    target_share0: Fraction,
    principal_at: Callable[[SqrtPriceX96], tuple[int, int]],
) -> SwapSize:
    """The swap that brings token0's share of all value to `target_share0`, in [0, 1].

    `holdings*` are the raw units that may be sold; `principal_at` says what stays in positions at
    a price. Value is taken at the pool's price after the swap, and fees that the swap pays to our
    own positions are left out. Rounded down to the largest input that does not overshoot; all of
    the token where even that is not enough.

    Raises ValueError for a share outside [0, 1] or an amount that int256 does not hold, PoolRevert
    for a pool without a price, TickDataMissing where the known ticks, or all prices, end before
    the swap does.
    """
    if not 0 <= target_share0 <= 1:
        raise ValueError(f"a value share must be in [0, 1], found {target_share0}")
    wanted0, wanted1 = target_share0.numerator, target_share0.denominator - target_share0.numerator

    def excess(held: Held) -> int:
        principal0, principal1 = principal_at(held.sqrt_price_x96)
        value0 = (held.amount0 + principal0) * held.sqrt_price_x96 * held.sqrt_price_x96
        value1 = (held.amount1 + principal1) * Q96 * Q96
        return value0 * wanted1 - value1 * wanted0

    return _balancing(pool, _before(pool, holdings0, holdings1), excess)


def swap_to_price(pool: Pool, sqrt_price_x96: SqrtPriceX96) -> SwapSize:
    """The least input with which a swap that has this price as its limit ends exactly at it.

    All of it is spent, own fee and tick crossings included. Rounded up: without the limit its last
    raw unit may lead further.

    Raises ValueError for a price at which no swap can end, or just before which the pool has no
    liquidity; PoolRevert for a pool without a price; TickDataMissing where the known ticks do not
    reach.
    """
    _require_price(pool)
    if sqrt_price_x96 == pool.sqrt_price_x96:
        return SwapSize(True, 0)
    if not MIN_SQRT_PRICE < sqrt_price_x96 < MAX_SQRT_PRICE:
        raise ValueError(
            f"a swap can end at a sqrtPriceX96 in ({MIN_SQRT_PRICE}, {MAX_SQRT_PRICE}), found "
            f"{sqrt_price_x96}"
        )
    zero_for_one = sqrt_price_x96 < pool.sqrt_price_x96
    done = pool.quote(zero_for_one, _WITHOUT_END, sqrt_price_x96)
    if done.steps[-1].amount_in == 0:
        raise ValueError(
            f"the pool has no liquidity on its way from sqrtPriceX96 {pool.sqrt_price_x96} just "
            f"before {sqrt_price_x96}, so no amount ends there; ask for a price nearer by"
        )
    return SwapSize(zero_for_one, done.amount0 if zero_for_one else done.amount1)


def _balancing(pool: Pool, before: Held, excess: _Excess) -> SwapSize:
    """The largest swap that leaves the sold token in excess, or exactly balanced."""
    surplus = excess(before)
    if surplus == 0:
        return SwapSize(True, 0)
    if surplus > 0:
        return SwapSize(True, largest_that_fits(pool, True, before, excess))
    return SwapSize(False, largest_that_fits(pool, False, before, lambda held: -excess(held)))


def _after(pool: Pool, before: Held, size: SwapSize) -> Held | None:
    """What is held after the swap; None where the liquidity gives out on its way."""
    if size.amount_in == 0:
        return before
    try:
        done = pool.quote(*size)
    except TickDataMissing:
        return None
    if (done.amount0 if size.zero_for_one else done.amount1) < size.amount_in:
        return None
    return Held(before.amount0 - done.amount0, before.amount1 - done.amount1, done.sqrt_price_x96)


def _before(pool: Pool, amount0: int, amount1: int) -> Held:
    """What is held at first. Raises ValueError, PoolRevert."""
    _require_price(pool)
    return Held(uint("amount0", amount0, 255), uint("amount1", amount1, 255), pool.sqrt_price_x96)


def _require_price(pool: Pool) -> None:
    if pool.sqrt_price_x96 == 0:
        raise PoolRevert("LOK")
