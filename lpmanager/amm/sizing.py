"""How much to swap so that the holdings come out in a wanted ratio."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from lpmanager.amm.full_math import Q96
from lpmanager.amm.liquidity import range_bounds
from lpmanager.amm.swap import swap
from lpmanager.amm.tick_math import MIN_SQRT_PRICE, sqrt_price_at_tick
from lpmanager.amm.tick_search import TickDataMissing
from lpmanager.model import PoolState, SqrtPriceX96, TickRange

#: Positive where there is too much token0 for the wanted ratio, negative where too much token1;
#: of raw token0, raw token1 and the sqrt price.
_Excess = Callable[[int, int, SqrtPriceX96], int]


class SwapSize(NamedTuple):
    """An exact-input swap: which way, and how many raw units in (0 where none is needed)."""

    zero_for_one: bool
    amount_in: int


def swap_for_deposit(
    state: PoolState,
    fee_pips: int,
    tick_spacing: int,
    amount0: int,
    amount1: int,
    tick_range: TickRange,
) -> SwapSize:
    """The swap after which both raw amounts go into the range with as little left as can be.

    Exact in the swap's own fee, price impact and tick crossings; rounded down to the largest
    input that does not overshoot. Raises TickDataMissing where the known ticks do not reach.
    """
    low, high = range_bounds(tick_range)

    def excess(held0: int, held1: int, sqrt_price_x96: SqrtPriceX96) -> int:
        price = min(max(sqrt_price_x96, low), high)
        # held0 / held1 against the range's own (high - price) * Q96**2 / ((price - low) * price
        # * high), multiplied out
        return held0 * (price - low) * price * high - held1 * (high - price) * Q96 * Q96

    return _largest_swap(state, fee_pips, tick_spacing, amount0, amount1, excess)


def swap_to_weight(
    state: PoolState,
    fee_pips: int,
    tick_spacing: int,
    holdings0: int,
    holdings1: int,
    target_share0: Fraction,
    principal_at: Callable[[SqrtPriceX96], tuple[int, int]],
) -> SwapSize:
    """The swap that brings token0's share of all value to `target_share0`, in [0, 1].

    `holdings*` are the raw units that may be sold; `principal_at` says what stays in positions at
    a price. Value is taken at the pool's price after the swap, and fees that the swap pays to our
    own positions are left out. Rounded down to the largest input that does not overshoot; all of
    the token where even that is not enough. Raises ValueError for a share outside [0, 1],
    TickDataMissing where the known ticks do not reach.
    """
    if not 0 <= target_share0 <= 1:
        raise ValueError(f"a value share must be in [0, 1], found {target_share0}")
    wanted0, wanted1 = target_share0.numerator, target_share0.denominator - target_share0.numerator

    def excess(held0: int, held1: int, sqrt_price_x96: SqrtPriceX96) -> int:
        principal0, principal1 = principal_at(sqrt_price_x96)
        value0 = (held0 + principal0) * sqrt_price_x96 * sqrt_price_x96
        value1 = (held1 + principal1) * Q96 * Q96
        return value0 * wanted1 - value1 * wanted0

    return _largest_swap(state, fee_pips, tick_spacing, holdings0, holdings1, excess)


def _largest_swap(
    state: PoolState,
    fee_pips: int,
    tick_spacing: int,
    held0: int,
    held1: int,
    excess: _Excess,
) -> SwapSize:
    """The largest input that leaves the sold token in excess, or exactly balanced."""
    surplus = excess(held0, held1, state.sqrt_price_x96)
    zero_for_one = surplus >= 0
    available = held0 if zero_for_one else held1
    if surplus == 0 or available == 0:
        return SwapSize(zero_for_one, 0)
    limit = _limit_of_known(state, zero_for_one)

    def overshoots(amount_in: int) -> bool:
        done = swap(
            state,
            fee_pips=fee_pips,
            tick_spacing=tick_spacing,
            zero_for_one=zero_for_one,
            amount_specified=amount_in,
            sqrt_price_limit_x96=limit,
        )
        left = excess(held0 - done.amount0, held1 - done.amount1, done.state.sqrt_price_x96)
        if left < 0 if zero_for_one else left > 0:
            return True
        if done.state.sqrt_price_x96 == limit:
            raise _out_of_data(state)
        return False

    return SwapSize(zero_for_one, _largest_that_fits(available, overshoots))


def _largest_that_fits(available: int, overshoots: Callable[[int], bool]) -> int:
    if not overshoots(available):
        return available
    fits, too_much = 0, available
    while too_much - fits > 1:
        middle = (fits + too_much) // 2
        if overshoots(middle):
            too_much = middle
        else:
            fits = middle
    return fits


def _limit_of_known(state: PoolState, zero_for_one: bool) -> SqrtPriceX96:
    """The last price, in the swap's direction, before ticks that were not read matter."""
    if zero_for_one:
        price = sqrt_price_at_tick(state.known.lower)
        limit = max(price, SqrtPriceX96(MIN_SQRT_PRICE + 1))
    else:
        limit = SqrtPriceX96(sqrt_price_at_tick(state.known.upper) - 1)
    ahead = limit < state.sqrt_price_x96 if zero_for_one else limit > state.sqrt_price_x96
    if state.tick not in state.known or not ahead:
        raise _out_of_data(state)
    return limit


def _out_of_data(state: PoolState) -> TickDataMissing:
    return TickDataMissing(
        f"the ticks known, {state.known}, do not hold enough liquidity from tick {state.tick} on "
        "to size the swap; read more ticks around the price or hold less"
    )
