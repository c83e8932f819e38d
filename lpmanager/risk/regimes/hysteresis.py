"""Calm, usual or turbulent: recent volatility against its own long mean.

Entering a regime takes more than staying in it, so that an estimate which wavers about a threshold
does not make the regime flicker. The regime follows from the returns alone, oldest first: it needs
no memory between two looks, and never anything later than the return it is told for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from lpmanager.risk.missing import Missing
from lpmanager.risk.returns import unfit
from lpmanager.risk.volatility.ewma import decay_of_half_life, faded_means

HALF_LIFE_S = 3_600

#: Half-lives of history without which recent and long volatility are all but the same.
_HALF_LIVES = 4


class Regime(StrEnum):
    """How wild the market is, by its own standards."""

    CALM = "calm"
    USUAL = "usual"
    TURBULENT = "turbulent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Ratios of recent to long volatility at which a regime is entered, and at which it is left."""

    enter_calm: float = 0.6
    leave_calm: float = 0.75
    leave_turbulent: float = 1.3
    enter_turbulent: float = 1.6

    def __post_init__(self) -> None:
        rising = (self.enter_calm, self.leave_calm, self.leave_turbulent, self.enter_turbulent)
        if not all(low < high for low, high in pairwise((0.0, *rising, math.inf))):
            raise ValueError(f"thresholds must rise from above 0, found {rising}")

    def next(self, regime: Regime, ratio: float) -> Regime:
        """The regime after one in which the ratio was this."""
        calm_below = self.leave_calm if regime is Regime.CALM else self.enter_calm
        wild_above = self.leave_turbulent if regime is Regime.TURBULENT else self.enter_turbulent
        if ratio < calm_below:
            return Regime.CALM
        return Regime.TURBULENT if ratio > wild_above else Regime.USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeReading:
    """The regime, the ratio of recent to long volatility, and for how many seconds it has lasted
    in the returns looked at."""

    regime: Regime
    ratio: float
    lasted_s: int


def regimes_of(
    returns: Sequence[float],
    step_s: int,
    *,
    half_life_s: int = HALF_LIFE_S,
    thresholds: Thresholds | None = None,
) -> tuple[RegimeReading, ...] | Missing:
    """The regime as it was known after each return of `step_s` seconds. It begins as usual.

    Recent volatility is an EWMA of the squared returns with this half-life; the long one is the
    mean of all so far.
    """
    needed = math.ceil(_HALF_LIVES * half_life_s / step_s) if step_s > 0 else 0
    missing = unfit("the volatility regime", returns, step_s, needed)
    if missing is not None:
        return missing
    thresholds = thresholds or Thresholds()
    readings: list[RegimeReading] = []
    regime, lasted_s = Regime.USUAL, 0
    for ratio in _ratios(returns, decay_of_half_life(half_life_s, step_s)):
        now = thresholds.next(regime, ratio)
        lasted_s = lasted_s + step_s if now is regime else step_s
        regime = now
        readings.append(RegimeReading(regime=regime, ratio=ratio, lasted_s=lasted_s))
    return tuple(readings)


def regime_now(
    returns: Sequence[float],
    step_s: int,
    *,
    half_life_s: int = HALF_LIFE_S,
    thresholds: Thresholds | None = None,
) -> RegimeReading | Missing:
    """The regime after the last of the returns. See `regimes_of`."""
    readings = regimes_of(returns, step_s, half_life_s=half_life_s, thresholds=thresholds)
    return readings if isinstance(readings, Missing) else readings[-1]


def _ratios(returns: Sequence[float], decay: float) -> list[float]:
    """Recent over long volatility after each return; 1 until the price has moved."""
    squares = [change * change for change in returns]
    total, ratios = 0.0, []
    for number, recent in enumerate(faded_means(squares, decay), start=1):
        total += squares[number - 1]
        ratios.append(math.sqrt(recent * number / total) if total > 0 else 1.0)
    return ratios
