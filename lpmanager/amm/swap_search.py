"""The largest input of a swap that does not overshoot, found in one step of the swap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import NamedTuple

from lpmanager.amm.pool import Pool
from lpmanager.amm.swap import SwapStep
from lpmanager.amm.swap_step import compute_swap_step
from lpmanager.amm.tick_map import TickDataMissing
from lpmanager.amm.tick_math import MIN_SQRT_PRICE, sqrt_price_at_tick
from lpmanager.model import Liquidity, SqrtPriceX96


class Held(NamedTuple):
    """Raw amounts held at some moment, and the pool's price then."""

    amount0: int
    amount1: int
    sqrt_price_x96: SqrtPriceX96

    def swapped(
        self, zero_for_one: bool, amount_in: int, amount_out: int, sqrt_price_x96: SqrtPriceX96
    ) -> Held:
        """What is held after a swap that ends at this price."""
        if zero_for_one:
            return Held(self.amount0 - amount_in, self.amount1 + amount_out, sqrt_price_x96)
        return Held(self.amount0 + amount_out, self.amount1 - amount_in, sqrt_price_x96)


#: How far what is held is from overshooting: negative where too much was sold. Falls as more is.
Margin = Callable[[Held], int]


class _Stretch(NamedTuple):
    """One step of the swap: what was spent before it and in it, what was held at both ends."""

    spent: int
    cost: int
    start: Held
    end: Held
    liquidity: Liquidity


def largest_that_fits(pool: Pool, zero_for_one: bool, before: Held, margin: Margin) -> int:
    """The largest exact input, of what is held, that leaves the margin at 0 or above.

    The margin must not be negative before the swap. Raises TickDataMissing where it is not even at
    the end of the known ticks, or of all prices.
    """
    available = before.amount0 if zero_for_one else before.amount1
    if available == 0:
        return 0
    limit = _limit_of_known(pool, zero_for_one)
    whole = pool.quote(zero_for_one, available, limit)
    for stretch in _stretches(pool, zero_for_one, before, whole.steps):
        if margin(stretch.end) < 0:
            return stretch.spent + _fits_of(stretch, zero_for_one, pool.fee_pips, margin)
    if whole.sqrt_price_x96 == limit:
        raise _out_of_data(pool)
    return available


def _stretches(
    pool: Pool, zero_for_one: bool, before: Held, steps: tuple[SwapStep, ...]
) -> Iterator[_Stretch]:
    start, spent, liquidity = before, 0, pool.liquidity
    for step in steps:
        cost = step.amount_in + step.fee
        end = start.swapped(zero_for_one, cost, step.amount_out, step.sqrt_price_x96)
        yield _Stretch(spent, cost, start, end, liquidity)
        if step.crossed is not None:
            net = pool.ticks[step.crossed].liquidity_net
            liquidity = Liquidity(liquidity - net if zero_for_one else liquidity + net)
        start, spent = end, spent + cost


def _fits_of(stretch: _Stretch, zero_for_one: bool, fee_pips: int, margin: Margin) -> int:
    """How much of a step's cost fits, where the whole of it does not.

    An input that ends inside the step meets the same liquidity and is spent entirely. The guesses
    are where a straight line between both ends meets zero, by the Illinois rule: an end that
    stays counts half next time, so that both close in. Every fourth guess halves the rest, so
    that a margin that jumps does not hold it up.
    """

    def margin_after(amount_in: int) -> int:
        price, _, amount_out, _ = compute_swap_step(
            stretch.start.sqrt_price_x96,
            stretch.end.sqrt_price_x96,
            stretch.liquidity,
            amount_in,
            fee_pips,
        )
        return margin(stretch.start.swapped(zero_for_one, amount_in, amount_out, price))

    low, high = 0, stretch.cost
    at_low, at_high = margin(stretch.start), margin(stretch.end)
    fitted_last: bool | None = None
    for halves in cycle((False, False, False, True)):
        if high - low <= 1:
            break
        straight = (high - low) * at_low // (at_low - at_high)
        part = (high - low) // 2 if halves else min(max(straight, 1), high - low - 1)
        at_guess = margin_after(low + part)
        fits = at_guess >= 0
        same_side = fits is fitted_last
        if fits:
            low, at_low = low + part, at_guess
            at_high = at_high >> 1 if same_side else at_high
        else:
            high, at_high = low + part, at_guess
            at_low = at_low >> 1 if same_side else at_low
        fitted_last = fits
    return low


def _limit_of_known(pool: Pool, zero_for_one: bool) -> SqrtPriceX96:
    """The last price, in the swap's direction, before ticks that were not read matter."""
    if zero_for_one:
        price = sqrt_price_at_tick(pool.known.lower)
        limit = max(price, SqrtPriceX96(MIN_SQRT_PRICE + 1))
    else:
        limit = SqrtPriceX96(sqrt_price_at_tick(pool.known.upper) - 1)
    ahead = limit < pool.sqrt_price_x96 if zero_for_one else limit > pool.sqrt_price_x96
    if pool.tick not in pool.known or not ahead:
        raise _out_of_data(pool)
    return limit


def _out_of_data(pool: Pool) -> TickDataMissing:
    return TickDataMissing(
        f"from tick {pool.tick} on, the liquidity in the ticks known, {pool.known}, gives out "
        "before the swap is large enough; read more ticks around the price or hold less"
    )
