"""What the pool's recent swaps say about fees and volatility."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from lpmanager.model import Snapshot, SwapColumns

#: Fewer blocks with swaps than this say nothing about volatility.
MINIMUM_SAMPLES = 10

_PIPS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Estimates (floats) from the flow before the snapshot.

    `fee_rate0`, `fee_rate1`: raw token units earned per unit of active liquidity per second.
    `variance_rate`: variance of the log price per second. `samples`: blocks with swaps used.
    """

    fee_rate0: float
    fee_rate1: float
    variance_rate: float
    samples: int
    seconds: int


def assess(snapshot: Snapshot) -> Outlook | None:
    """The Outlook, or None where there is too little history to say anything."""
    flow = snapshot.flow
    if flow is None:
        return None
    swaps = SwapColumns.of(flow.swaps)
    closes = _block_closes(swaps)
    if len(closes) < MINIMUM_SAMPLES:
        return None
    fee0, fee1 = _fees_per_liquidity(swaps, snapshot.pool.fee_pips, snapshot.state.fee_protocol)
    # log P = 2 log sqrtP; the X96 scale falls out of the ratio
    squares = (4 * math.log(after / before) ** 2 for before, after in pairwise(closes))
    return Outlook(
        fee_rate0=fee0 / flow.seconds,
        fee_rate1=fee1 / flow.seconds,
        variance_rate=sum(squares) / flow.seconds,
        samples=len(closes),
        seconds=flow.seconds,
    )


def _block_closes(swaps: SwapColumns) -> list[int]:
    """The last sqrtPriceX96 of every block with a swap: bid-ask bounce inside a block is noise."""
    return list(dict(zip(swaps.block_numbers, swaps.sqrt_prices_x96, strict=True)).values())


def _fees_per_liquidity(
    swaps: SwapColumns, fee_pips: int, fee_protocol: int
) -> tuple[float, float]:
    """Fees the swaps paid to one unit of the liquidity active after each of them."""
    earned0 = earned1 = 0.0
    kept0, kept1 = _providers_share(fee_protocol & 0xF), _providers_share(fee_protocol >> 4)
    for amount0, amount1, liquidity in zip(
        swaps.amounts0, swaps.amounts1, swaps.liquidities, strict=True
    ):
        if liquidity <= 0:
            continue
        if amount0 > 0:
            earned0 += amount0 * fee_pips / _PIPS * kept0 / liquidity
        elif amount1 > 0:
            earned1 += amount1 * fee_pips / _PIPS * kept1 / liquidity
    return earned0, earned1


def _providers_share(protocol_denominator: int) -> float:
    """The pool's owner takes 1/denominator of the fees; 0 means nothing."""
    return 1.0 if protocol_denominator == 0 else 1 - 1 / protocol_denominator
