"""Just-in-time liquidity: minted for one swap and burned behind it, it takes the fees of others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from lpmanager.model import Flow, SwapColumns
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.vpin import signed_volumes

#: How many swaps before a block and after it say what liquidity is usual there.
NEIGHBOURS = 3

#: Liquidity beyond so many times the usual came for the swap.
TIMES_USUAL = 2.0

MINIMUM_BLOCKS = 2 * NEIGHBOURS + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JustInTime:
    """`share` of the volume, in [0, 1], that met liquidity brought for it; so many `swaps`."""

    share: float
    swaps: int


def just_in_time(flow: Flow, times_usual: float = TIMES_USUAL) -> JustInTime | Missing:
    """An estimate from swaps alone: volume that met more than `times_usual` the median liquidity of
    the swaps before and after its block.

    Warning: mints and burns would tell for certain, and a snapshot has none. Where the price goes
    into a thicker part of the book and back it looks the same, and just-in-time liquidity that is
    less than what was there goes unnoticed.
    """
    if times_usual <= 1:
        raise ValueError(f"times_usual must be above 1, found {times_usual}")
    swaps = SwapColumns.of(flow.swaps)
    blocks = len(set(swaps.block_numbers))
    if blocks < MINIMUM_BLOCKS:
        return Missing(
            f"just-in-time liquidity needs {MINIMUM_BLOCKS} blocks with swaps, found {blocks}"
        )
    volumes = [abs(volume) for volume in signed_volumes(flow)]
    traded = sum(volumes)
    if traded <= 0:
        return Missing(f"just-in-time liquidity needs volume, found 0 in {len(swaps)} swaps")
    met = [
        volume
        for volume, liquidity, usual in zip(
            volumes, swaps.liquidities, _usual_liquidity(swaps), strict=True
        )
        if liquidity > times_usual * usual
    ]
    return JustInTime(share=sum(met) / traded, swaps=len(met))


def _usual_liquidity(swaps: SwapColumns) -> Iterator[float]:
    """For each swap the median liquidity of those just before and just after its block."""
    first, liquidities = 0, swaps.liquidities
    for _, together in groupby(swaps.block_numbers):
        behind = first + len(list(together))
        before = liquidities[max(first - NEIGHBOURS, 0) : first]
        usual = median((*before, *liquidities[behind : behind + NEIGHBOURS]))
        yield from [usual] * (behind - first)
        first = behind
