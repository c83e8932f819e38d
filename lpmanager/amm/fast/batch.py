"""Swaps as the compiled loop takes them, and what it says of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.columns import LimbColumn
from lpmanager.amm.fast.orders import Orders
from lpmanager.amm.fast.packing import Rows, to_limbs
from lpmanager.amm.fast.swaps import Swaps
from lpmanager.amm.tick_math import MAX_SQRT_PRICE, MIN_SQRT_PRICE

_FURTHEST_DOWN, _FURTHEST_UP = MIN_SQRT_PRICE + 1, MAX_SQRT_PRICE - 1


class Batch(NamedTuple):
    """Swaps to carry out and, from `amounts0` on, what came of them, a row for each swap."""

    zero_for_one: NDArray[np.bool_]
    amounts_specified: Rows
    limits: Rows
    amounts0: Rows
    amounts1: Rows
    prices: Rows
    liquidities: Rows
    ticks: NDArray[np.int64]


def batch_of(orders: Orders) -> Batch:
    """The swaps as arrays. Raises OverflowError where the contract's ABI could not take one."""
    zero_for_one = np.array(orders.zero_for_one, dtype=np.bool_)
    count = len(zero_for_one)
    return Batch(
        zero_for_one,
        to_limbs(orders.amounts_specified, 4, signed=True),
        _limits(zero_for_one, orders.sqrt_price_limits_x96),
        np.empty((count, 4), np.uint64),
        np.empty((count, 4), np.uint64),
        np.empty((count, 3), np.uint64),
        np.empty((count, 2), np.uint64),
        np.empty(count, np.int64),
    )


def swaps_of(batch: Batch) -> Swaps:
    """What came of the swaps; the integers are made when they are read."""
    return Swaps(
        amount0=LimbColumn(batch.amounts0, signed=True),
        amount1=LimbColumn(batch.amounts1, signed=True),
        sqrt_price_x96=LimbColumn(batch.prices),
        liquidity=LimbColumn(batch.liquidities),
        tick=LimbColumn(batch.ticks.view(np.uint64).reshape(-1, 1), signed=True),
    )


def _limits(zero_for_one: NDArray[np.bool_], limits: Sequence[int | None] | None) -> Rows:
    """A limit for each swap: where none is asked for, as far as prices go."""
    if limits is None:
        return to_limbs([_FURTHEST_UP, _FURTHEST_DOWN], 3)[zero_for_one.view(np.int8)]
    return to_limbs(
        [
            (_FURTHEST_DOWN if down else _FURTHEST_UP) if limit is None else limit
            for down, limit in zip(zero_for_one.tolist(), limits, strict=True)
        ],
        3,
    )
