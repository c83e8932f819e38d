"""A market's legs one after another in compiled code, over arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lpmanager.amm.fast.batch import Batch
from lpmanager.amm.fast.jit import compiled_once, inlined
from lpmanager.amm.fast.kernel import is_ahead, swap_one
from lpmanager.amm.fast.legs import SELL0, TO, UNLIMITED, Legs
from lpmanager.amm.fast.limbs import Flag, Wide, add, equal, less
from lpmanager.amm.fast.market import LIQUIDITY, PRICE, TICK, Market
from lpmanager.amm.fast.packing import limbs_of
from lpmanager.amm.fast.rows import (
    load_three,
    load_two,
    store_four,
    store_three,
    store_two,
)
from lpmanager.amm.fast.step import fee_terms

_0 = np.uint64(0)
_63 = np.uint64(63)
_ALL_ONES = np.uint64(2**64 - 1)
_UNLIMITED = limbs_of(UNLIMITED, 4)


@inlined
def _is_none(gained: Wide) -> Flag:
    return bool(gained[0] | gained[1] == _0)


@inlined
def _gain(market: Market, gained: Wide) -> Flag:
    """Change the active liquidity; False where it would be no uint128 any more."""
    l0, l1 = load_two(market.sums, LIQUIDITY)
    sign = _ALL_ONES if gained[1] >> _63 != _0 else _0
    l0, l1, overflow = add((l0, l1, _0), (gained[0], gained[1], sign))
    store_two(market.sums, LIQUIDITY, (l0, l1))
    return bool(overflow == _0)


@inlined
def _becomes_swap(market: Market, batch: Batch, legs: Legs, number: int) -> Flag:
    """Enter a leg as a swap; False where there is nothing to swap."""
    price, end = load_three(market.sums, PRICE), load_three(legs.prices, number)
    store_three(batch.limits, number, end)
    if legs.kinds[number] == TO:
        batch.zero_for_one[number] = less(end, price)
        store_four(batch.amounts_specified, number, _UNLIMITED)
        return not equal(price, end)
    zero_for_one = legs.kinds[number] == SELL0
    batch.zero_for_one[number] = zero_for_one
    amount = load_two(legs.amounts, number)
    store_two(batch.amounts_specified, number, amount)
    return not _is_none(amount) and is_ahead(end, price, zero_for_one)


@inlined
def _ends_row(legs: Legs, number: int) -> Flag:
    return number + 1 == len(legs.rows) or legs.rows[number + 1] != legs.rows[number]


def _loop(stamp: str) -> Callable[[Market, Batch, Legs, int, int], int]:
    """`follow_all`, not yet compiled; see `compiled_once` for the stamp."""

    def follow_all(market: Market, batch: Batch, legs: Legs, lowest: int, highest: int) -> int:
        """Carry the legs out, up to the end of the first row with a tick outside [lowest, highest).

        How many were; negative, less one, where the next cannot be, and then neither the market nor
        the batch is of any more use.
        """
        _ = stamp
        terms, count = fee_terms(market.fee_pips), len(legs.rows)
        for number in range(count):
            gained = load_two(legs.gained, number)
            if not _is_none(gained) and not _gain(market, gained):
                return -number - 1
            if _becomes_swap(market, batch, legs, number):
                if not swap_one(market, batch, number, terms):
                    return -number - 1
            else:
                store_three(batch.prices, number, load_three(market.sums, PRICE))
                store_two(batch.liquidities, number, load_two(market.sums, LIQUIDITY))
                batch.ticks[number] = market.place[TICK]
            tick = market.place[TICK]
            if not lowest <= tick < highest and _ends_row(legs, number):
                return number + 1
        return count

    return follow_all


follow_all = compiled_once(_loop, allocates=False)
