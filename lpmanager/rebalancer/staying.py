"""The chance that a range is not left within a day, and ranges wide enough for it."""

from __future__ import annotations

import math
from bisect import bisect_left
from fractions import Fraction

from lpmanager.model import MAX_TICK, TickRange
from lpmanager.rebalancer.ranges import around
from lpmanager.risk.gap import MAX_SPREAD, log_distances, stay_probability
from lpmanager.risk.missing import Missing
from lpmanager.risk.tomorrow import HORIZON_S


def stay_chance(tick: int, tick_range: TickRange, variance_rate: float) -> float | Missing:
    """The chance that a price at a tick never leaves the range within a day, for a driftless price
    of this variance of its log per second. 1 for a price that does not move; 0 outside."""
    if variance_rate == 0:
        return float(tick in tick_range)
    spread = math.sqrt(variance_rate * HORIZON_S)
    if spread > MAX_SPREAD:
        return Missing(
            f"a price that spreads by {math.exp(min(spread, 700)):,.0f} times a day cannot be told"
        )
    to_lower, to_upper = log_distances(tick, tick_range)
    return stay_probability(
        to_lower=to_lower, to_upper=to_upper, variance_rate=variance_rate, seconds=HORIZON_S
    )


def widened_to_stay(
    tick: int, tick_range: TickRange, variance_rate: float, least: Fraction, spacing: int
) -> TickRange:
    """The narrowest range around the same centre, on the grid, whose chance to stay is at least
    `least`; the range itself where it stays so surely, and where its chance cannot be told.

    All usable ticks where nothing is wide enough; a gate judges what came of it.
    """
    chance = stay_chance(tick, tick_range, variance_rate)
    if isinstance(chance, Missing) or chance >= least:
        return tick_range

    def wider(steps: int) -> TickRange:
        reach = math.ceil(tick_range.width / 2) + steps * spacing
        return around(tick_range.centre, reach, reach, spacing)

    def stays(steps: int) -> bool:
        found = stay_chance(tick, wider(steps), variance_rate)
        return not isinstance(found, Missing) and found >= least

    return wider(bisect_left(range(2 * MAX_TICK // spacing), True, key=stays))
