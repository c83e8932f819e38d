"""GARCH(1,1) once it is fitted: a forecast from it needs no library. `garch` fits it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Garch:
    """Next variance = constant + shock * (return - mean)**2 + persistence * this variance.

    Variances are per period, of the log price. `start`: the variance with which a filter begins,
    by default that of the returns it was fitted on. `freedom`: degrees of freedom of the shocks.
    ValueError where that cannot be.
    """

    mean: float
    constant: float
    shock: float
    persistence: float
    freedom: float
    start: float

    def __post_init__(self) -> None:
        told = (self.mean, self.constant, self.shock, self.persistence, self.freedom, self.start)
        if not all(map(math.isfinite, told)):
            raise ValueError("a coefficient of GARCH is not a finite number")
        if min(self.constant, self.start) <= 0 or min(self.shock, self.persistence) < 0:
            raise ValueError(
                "GARCH needs a constant and a start above 0, and a shock and a persistence of at "
                f"least 0, found {self.constant}, {self.start}, {self.shock}, {self.persistence}"
            )

    def filtered(self, returns: Sequence[float]) -> tuple[float, ...]:
        """The variance of each period as it was expected from the returns before it, and last that
        of the period to come."""
        variances = [self.start]
        for change in returns:
            surprise = change - self.mean
            variances.append(
                self.constant + self.shock * surprise * surprise + self.persistence * variances[-1]
            )
        return tuple(variances)

    def forecast(self, returns: Sequence[float]) -> float:
        """The variance of the period after these returns."""
        return self.filtered(returns)[-1]
