"""Variance as it was: from returns over even steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from lpmanager.risk.missing import Missing
from lpmanager.risk.returns import unfit

#: Five minutes: long enough that a price which arbitrage pushes to and fro between two blocks is
#: not taken for one that moves (Liu, Patton and Sheppard 2015).
STEP_S = 300

#: Fewer returns than this give a variance that may as well be half or twice as large.
MINIMUM_RETURNS = 20


def realised_variance_rate(
    returns: Sequence[float], step_s: int = STEP_S, *, needed: int = MINIMUM_RETURNS
) -> float | Missing:
    """Realised variance of the log price per second: the mean squared return over its step
    (Andersen, Bollerslev, Diebold and Labys 2001). Jumps are part of it. Missing for fewer than
    `needed` returns."""
    missing = unfit("realised variance", returns, step_s, needed)
    if missing is not None:
        return missing
    return math.fsum(change * change for change in returns) / (len(returns) * step_s)


def bipower_variance_rate(returns: Sequence[float], step_s: int = STEP_S) -> float | Missing:
    """Bipower variation per second: the variance without jumps, because a jump has a plain
    neighbour (Barndorff-Nielsen and Shephard 2004).

    Warning: steps in which the price stood still pull it down; where they are many (few trades),
    it is too low.
    """
    missing = unfit("bipower variation", returns, step_s, MINIMUM_RETURNS)
    if missing is not None:
        return missing
    products = math.fsum(abs(before * after) for before, after in pairwise(returns))
    return math.pi / 2 * products / ((len(returns) - 1) * step_s)
