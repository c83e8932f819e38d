"""Swaps one after another in compiled code, over arrays.

Formula: Pool.swap of v4-core, with v3's rounding of the owner's share, as in `lpmanager.amm.swap`.
A swap that the contract would revert, or that would leave the known ticks, ends the loop; the
Python engine says why.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lpmanager.amm.fast.batch import Batch
from lpmanager.amm.fast.division import divide, divide_small, small_divisor
from lpmanager.amm.fast.jit import compiled_once, inlined, spliced
from lpmanager.amm.fast.limbs import Flag, Wide, add, equal, less, subtract
from lpmanager.amm.fast.market import (
    BELOW,
    GROWTH,
    LIQUIDITY,
    MOVED,
    PRICE,
    PROTOCOL_FEES,
    TICK,
    Market,
    Ticks,
)
from lpmanager.amm.fast.packing import Rows, limbs_of
from lpmanager.amm.fast.prices import (
    kept_price_at_tick,
    sqrt_price_at_tick,
    tick_at_sqrt_price,
)
from lpmanager.amm.fast.rows import (
    load_four,
    load_three,
    load_two,
    store_four,
    store_three,
    store_two,
)
from lpmanager.amm.fast.step import FeeTerms, fee_terms, step_towards
from lpmanager.amm.tick_math import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.model import MAX_TICK, MIN_TICK

_0 = np.uint64(0)
_63 = np.uint64(63)
_ALL_ONES = np.uint64(2**64 - 1)
_ZERO = limbs_of(0, 4)
_LOWEST = limbs_of(MIN_SQRT_PRICE, 3)
_HIGHEST = limbs_of(MAX_SQRT_PRICE, 3)

#: Ticks, in units of the spacing, to one word of the contract's bitmap: 2**8.
_WORD_BITS = 8
_LAST_OF_WORD = (1 << _WORD_BITS) - 1


@inlined
def _is_zero(amount: Wide) -> Flag:
    return bool(amount[0] | amount[1] | amount[2] | amount[3] == _0)


@inlined
def _is_positive(amount: Wide) -> Flag:
    return bool(amount[3] >> _63 == _0)


@inlined
def is_ahead(limit: Wide, price: Wide, zero_for_one: Flag) -> Flag:
    """Whether the limit is ahead of the price, and both are what ticks can express."""
    if zero_for_one:
        return less(_LOWEST, limit) and less(limit, price) and less(price, _HIGHEST)
    return not less(price, _LOWEST) and less(price, limit) and less(limit, _HIGHEST)


@inlined
def _next_stop(market: Market, tick: int, below: int, zero_for_one: Flag) -> tuple[int, int]:
    """The tick at which a step ends at the latest, and its index, -1 unless it is initialized.

    See `TickMap`: a step never leaves the word of the bitmap that its search starts in, and the
    first tick of which nothing is known ends it too.
    """
    ticks, spacing = market.ticks, market.tick_spacing
    if zero_for_one:
        compressed, at = tick // spacing, below
        first, edge = compressed * spacing, (compressed >> _WORD_BITS << _WORD_BITS) * spacing
        unknown = market.below_known if _is_known(market, first) else first
        stop = max(edge, unknown, MIN_TICK)
        stop = max(stop, ticks[at]) if at >= 0 else stop
    else:
        compressed, at = tick // spacing + 1, below + 1 if below + 1 < len(ticks) else -1
        first, edge = compressed * spacing, (compressed | _LAST_OF_WORD) * spacing
        unknown = market.above_known if _is_known(market, first) else first
        stop = min(edge, unknown, MAX_TICK)
        stop = min(stop, ticks[at]) if at >= 0 else stop
    return stop, at if at >= 0 and ticks[at] == stop else -1


@inlined
def _is_known(market: Market, tick: int) -> Flag:
    return market.known_lower <= tick < market.known_upper


@inlined
def _price_of(market: Market, at: int) -> Wide:
    """The price of the initialized tick at this index, worked out once."""
    price = load_three(market.prices, at)
    if price[0] | price[1] | price[2] == _0:
        price = sqrt_price_at_tick(market.ticks[at])
        store_three(market.prices, at, price)
    return price


@inlined
def _index_at_or_below(ticks: Ticks, tick: int, near: int) -> int:
    """The index of the last initialized tick at or below `tick`, -1 for none; `near` is close."""
    while near >= 0 and ticks[near] > tick:
        near -= 1
    while near + 1 < len(ticks) and ticks[near + 1] <= tick:
        near += 1
    return near


@inlined
def _part_down(amount: Wide, share: int) -> Wide:
    a0, a1, a2, a3 = amount
    return divide_small((a0, a1, a2, a3, _0), small_divisor(np.uint64(share)))[0]


@inlined
def _per_liquidity_x128(fee: Wide, liquidity: Wide) -> Wide:
    f0, f1, f2, f3 = fee
    return divide((_0, _0, f0, f1, f2, f3), (liquidity[0], liquidity[1], _0, _0))[0]


@inlined
def _liquidity_across(liquidity: Wide, nets: Rows, at: int, zero_for_one: Flag) -> Wide:
    """The liquidity beyond a tick in two limbs, and a third that is 0 unless it is no uint128."""
    n0, n1 = load_two(nets, at)
    net = n0, n1, _ALL_ONES if n1 >> _63 != _0 else _0
    before = liquidity[0], liquidity[1], _0
    return subtract(before, net) if zero_for_one else add(before, net)


@inlined
def _cross(market: Market, at: int, token: int, growth: Wide) -> None:
    """Turn round the fee growth outside a tick; `growth` is that of `token`, which is put in."""
    here, there = 2 * at + token, 2 * at + 1 - token
    store_four(market.flips, here, subtract(growth, load_four(market.flips, here)))
    other_growth = load_four(market.sums, GROWTH + 1 - token)
    store_four(market.flips, there, subtract(other_growth, load_four(market.flips, there)))
    market.crossings[at] += 1


@inlined
def _keep(
    market: Market, token: int, price: Wide, liquidity: Wide, growth: Wide, protocol_fee: Wide
) -> None:
    """Enter where a swap has left the pool; the owner's fees wrap at uint128, as on chain."""
    store_three(market.sums, PRICE, price)
    store_two(market.sums, LIQUIDITY, liquidity)
    store_four(market.sums, GROWTH + token, growth)
    fees = load_two(market.sums, PROTOCOL_FEES + token)
    store_two(market.sums, PROTOCOL_FEES + token, add(fees, (protocol_fee[0], protocol_fee[1])))


@inlined
def _report(batch: Batch, number: int, remaining: Wide, calculated: Wide) -> None:
    """Enter the amounts of a swap; `calculated` is the sum of what was not specified."""
    zero_for_one, specified = batch.zero_for_one[number], load_four(batch.amounts_specified, number)
    exact_in = _is_positive(specified)
    if exact_in:
        used, calculated = subtract(specified, remaining), subtract(_ZERO, calculated)
    else:
        used = add(specified, remaining)
    # The specified token is token0 where token0 goes in exactly, or comes out exactly.
    is_token0 = zero_for_one == exact_in
    store_four(batch.amounts0, number, used if is_token0 else calculated)
    store_four(batch.amounts1, number, calculated if is_token0 else used)


@spliced
def swap_one(market: Market, batch: Batch, number: int, terms: FeeTerms) -> bool:
    """Carry one swap out; False where it cannot be, with the market in no sound state."""
    zero_for_one, specified = batch.zero_for_one[number], load_four(batch.amounts_specified, number)
    limit = load_three(batch.limits, number)
    price, liquidity = load_three(market.sums, PRICE), load_two(market.sums, LIQUIDITY)
    if _is_zero(specified) or not is_ahead(limit, price, zero_for_one):
        return False
    exact_in = _is_positive(specified)
    remaining = specified if exact_in else subtract(_ZERO, specified)
    calculated, protocol_fee = _ZERO, _ZERO
    tick, below = market.place[TICK], market.place[BELOW]
    token = 0 if zero_for_one else 1
    growth = load_four(market.sums, GROWTH + token)
    share = market.fee_protocol & 15 if zero_for_one else market.fee_protocol >> 4
    while not _is_zero(remaining) and not equal(price, limit):
        stop, at = _next_stop(market, tick, below, zero_for_one)
        stop_price = kept_price_at_tick(market.kept, stop) if at < 0 else _price_of(market, at)
        beyond = less(stop_price, limit) if zero_for_one else less(limit, stop_price)
        target = limit if beyond else stop_price
        end, amount_in, amount_out, fee = step_towards(
            price, target, liquidity, remaining, exact_in, zero_for_one, terms
        )
        paid = add(amount_in, fee)
        remaining = subtract(remaining, paid if exact_in else amount_out)
        calculated = add(calculated, amount_out if exact_in else paid)
        if share != 0:
            owned = _part_down(fee, share)
            fee, protocol_fee = subtract(fee, owned), add(protocol_fee, owned)
        if liquidity[0] | liquidity[1] != _0:
            growth = add(growth, _per_liquidity_x128(fee, liquidity))
        if equal(end, stop_price):
            if not _is_known(market, stop):
                return False
            if at >= 0:
                l0, l1, overflow = _liquidity_across(liquidity, market.nets, at, zero_for_one)
                if overflow != _0:
                    return False
                liquidity = l0, l1
                _cross(market, at, token, growth)
            tick = stop - 1 if zero_for_one else stop
        elif not equal(end, price):
            tick = tick_at_sqrt_price(market.kept, end)
        price = end
        below = _index_at_or_below(market.ticks, tick, below)
    _keep(market, token, price, liquidity, growth, protocol_fee)
    market.place[MOVED] |= tick != market.place[TICK]
    market.place[TICK], market.place[BELOW] = tick, below
    _report(batch, number, remaining, calculated)
    store_three(batch.prices, number, price)
    store_two(batch.liquidities, number, liquidity)
    batch.ticks[number] = tick
    return True


def _loop(stamp: str) -> Callable[[Market, Batch], int]:
    """`swap_all`, not yet compiled; see `compiled_once` for the stamp."""

    def swap_all(market: Market, batch: Batch) -> int:
        """Carry the swaps out one after another, up to one that cannot be; how many were.

        Unless that is all of them, neither the market nor the batch is of any more use.
        """
        _ = stamp
        terms, count = fee_terms(market.fee_pips), len(batch.zero_for_one)
        for number in range(count):
            if not swap_one(market, batch, number, terms):
                return number
        return count

    return swap_all


swap_all = compiled_once(_loop, allocates=False)
