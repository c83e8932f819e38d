"""A pool's liquidity by price, as floats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise

from lpmanager.model import PoolState
from lpmanager.model.units import LOG_TICK


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidityBand:
    """`liquidity` (raw) between two log prices: token1 for one token0, raw units, natural log."""

    lower: float
    upper: float
    liquidity: float

    def __post_init__(self) -> None:
        if not (self.lower < self.upper and 0 <= self.liquidity < math.inf):
            raise ValueError(f"a band needs lower < upper, and liquidity that is; found {self}")


def bands_of(state: PoolState) -> tuple[LiquidityBand, ...]:
    """The liquidity between the known ticks, in rising order and without gaps."""
    inside = [each for each in state.ticks if each.tick in state.known]
    lowest = state.liquidity - sum(t.liquidity_net for t in inside if t.tick <= state.tick)
    edges = (state.known.lower, *(each.tick for each in inside), state.known.upper)
    levels = accumulate((each.liquidity_net for each in inside), initial=lowest)
    return tuple(
        LiquidityBand(lower=lower * LOG_TICK, upper=upper * LOG_TICK, liquidity=float(liquidity))
        for (lower, upper), liquidity in zip(pairwise(edges), levels, strict=True)
        if lower < upper
    )
