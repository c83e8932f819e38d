"""A market's way through a pool, in legs: to a price, or by selling an amount."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.batch import Batch
from lpmanager.amm.fast.packing import Rows

#: Kinds of legs: swap whatever it takes to reach a price; sell token0, or token1, at most so far.
TO, SELL0, SELL1 = 0, 1, 2

#: A swap of this much in is never used up: the most that an int256 holds.
UNLIMITED = 2**255 - 1


class Legs(NamedTuple):
    """Columns, a row for each leg.

    `rows` says to which row of a market a leg belongs, never falling. `amounts` (two limbs) is what
    is sold, 0 for none and for `TO`; `prices` (three limbs) the sqrtPriceX96 to reach, or at which
    a sale ends. `gained` (two limbs in two's complement) is what the active liquidity of others
    changes by just before the leg, where it is taken as recorded.
    """

    kinds: NDArray[np.int8]
    rows: NDArray[np.int64]
    amounts: Rows
    prices: Rows
    gained: Rows


class Followed(NamedTuple):
    """How far a pool was followed, and what each of its legs did, in limbs.

    `legs` were carried out. Amounts are as the pool sees them (four limbs in two's complement);
    price, liquidity and tick are those after the leg.
    """

    legs: int
    amounts0: Rows
    amounts1: Rows
    prices: Rows
    liquidities: Rows
    ticks: NDArray[np.int64]


def room_for(legs: Legs) -> Batch:
    """A batch that the legs become swaps of; a leg with nothing to swap leaves zeros."""
    count = len(legs.kinds)
    return Batch(
        np.zeros(count, np.bool_),
        np.zeros((count, 4), np.uint64),
        np.zeros((count, 3), np.uint64),
        np.zeros((count, 4), np.uint64),
        np.zeros((count, 4), np.uint64),
        np.zeros((count, 3), np.uint64),
        np.zeros((count, 2), np.uint64),
        np.zeros(count, np.int64),
    )


def followed(batch: Batch, legs: int) -> Followed:
    """What came of the first so many legs."""
    return Followed(
        legs,
        batch.amounts0[:legs],
        batch.amounts1[:legs],
        batch.prices[:legs],
        batch.liquidities[:legs],
        batch.ticks[:legs],
    )
