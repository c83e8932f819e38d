"""A pool's liquidity by price, as floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from lpmanager.model import PoolState
from lpmanager.model.units import LOG_TICK
from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidityBand:
    """`liquidity` (raw) between two log prices: token1 for one token0, raw units, natural log."""

    lower: float
    upper: float
    liquidity: float

    def __post_init__(self) -> None:
        if not (self.lower < self.upper and 0 <= self.liquidity < math.inf):
            raise ValueError(f"a band needs lower < upper, and liquidity that is; found {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """What a swap along the bands pays in and takes out: raw units of either token."""

    paid: float
    taken: float


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


def swap_between(bands: Sequence[LiquidityBand], start: float, end: float) -> Swapped | Missing:
    """What it takes to move the log price from `start` to `end`, without fees.

    A rise pays token1 in and takes token0 out, a fall the other way. Missing where the bands do not
    reach so far.
    """
    low, high = min(start, end), max(start, end)
    if not bands or low < bands[0].lower or high > bands[-1].upper:
        known = f"[{bands[0].lower:.4f}, {bands[-1].upper:.4f}]" if bands else "nowhere"
        return Missing(
            f"liquidity is needed for log prices [{low:.4f}, {high:.4f}], and known in {known}"
        )
    token0 = token1 = 0.0
    for band in bands:
        a, b = max(low, band.lower), min(high, band.upper)
        if a < b:
            token0 += band.liquidity * (math.exp(-a / 2) - math.exp(-b / 2))
            token1 += band.liquidity * (math.exp(b / 2) - math.exp(a / 2))
    rises = end > start
    return Swapped(paid=token1 if rises else token0, taken=token0 if rises else token1)
