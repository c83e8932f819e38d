"""A hedge that is set once: how many base tokens to be short against what the holdings may become.

`value` is what is held at today's `price`, `values` at each of `prices`, all in quote tokens and
equally likely; a price that is given twice counts twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lpmanager.risk.cvar import tail_loss
from lpmanager.risk.missing import Missing
from lpmanager.risk.plain import require_above_0

#: Each look at CVaR leaves 0.62 of where its least can be: after so many, less than a billionth.
_LOOKS = 45
_GOLDEN = (math.sqrt(5) - 1) / 2


def least_cvar_hedge(
    *,
    price: float,
    value: float,
    prices: Sequence[float],
    values: Sequence[float],
    confidence: float = 0.95,
) -> float | Missing:
    """Base tokens to be short so that the mean of the worst losses (CVaR) is smallest.

    Looked for by golden section, CVaR being convex in the hedge (Rockafellar and Uryasev 2000),
    from the least to the most that the holdings answer to any of the prices. Missing where there
    are too few prices for a tail. Raises ValueError where no price differs from today's.
    """
    moves, gains = _moves_and_gains(price, value, prices, values)
    unhedged = tail_loss(gains, confidence)
    if isinstance(unhedged, Missing):
        return unhedged

    def cvar(short: float) -> float:
        left = [gain - short * move for move, gain in zip(moves, gains, strict=True)]
        found = tail_loss(left, confidence)
        return math.inf if isinstance(found, Missing) else found.cvar

    slopes = [gain / move for move, gain in zip(moves, gains, strict=True) if move]
    return _least(cvar, min(slopes), max(slopes))


def _least(convex: Callable[[float], float], low: float, high: float) -> float:
    """Where a convex function is least between two places, by golden section: of the two looks at
    it each time, one is of the time before."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = convex(left), convex(right)
    for _ in range(_LOOKS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = convex(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = convex(right)
    return (low + high) / 2


def _moves_and_gains(
    price: float, value: float, prices: Sequence[float], values: Sequence[float]
) -> tuple[list[float], list[float]]:
    """How far each price is from today's, and what is gained there without a hedge."""
    require_above_0(price=price, **{f"price {at} of the grid": p for at, p in enumerate(prices)})
    if len(prices) != len(values) or not all(map(math.isfinite, (value, *values))):
        raise ValueError(f"expected a finite value for each of {len(prices)} prices")
    moves = [other - price for other in prices]
    if not any(moves):
        raise ValueError(f"a static hedge needs a price other than today's {price} in its grid")
    return moves, [after - value for after in values]
