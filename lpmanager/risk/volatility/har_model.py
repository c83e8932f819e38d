"""HAR once it is fitted: a forecast from it needs no library. `har` fits it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Har:
    """A fitted regression: ln of the next variance = constant + sum of weight times the mean ln
    over the horizon.

    `lowest` and `highest` variance learned from bound every forecast; `noise` is the variance of
    what the regression left unexplained, half of which takes a mean of logs to a mean. ValueError
    where that cannot be.
    """

    horizons: tuple[int, ...]
    constant: float
    weights: tuple[float, ...]
    noise: float
    lowest: float
    highest: float

    def __post_init__(self) -> None:
        if not self.horizons or min(self.horizons) < 1:
            raise ValueError(f"horizons must be at least one period, found {self.horizons}")
        if len(self.weights) != len(self.horizons):
            raise ValueError(f"{len(self.horizons)} horizons, but {len(self.weights)} weights")
        if not all(map(math.isfinite, (self.constant, self.noise, *self.weights))):
            raise ValueError("a coefficient of HAR is not a finite number")
        if self.noise < 0 or not 0 < self.lowest <= self.highest < math.inf:
            raise ValueError(
                f"HAR needs noise of at least 0 and bounds above 0, the lower first, found "
                f"{self.noise}, {self.lowest} and {self.highest}"
            )

    def forecast(self, variances: Sequence[float]) -> float:
        """The variance of the period after these, in their unit. ValueError where they are fewer
        than the longest horizon."""
        longest = max(self.horizons)
        if len(variances) < longest:
            raise ValueError(f"HAR looks back {longest} periods, found {len(variances)}")
        logs = [math.log(max(variance, self.lowest)) for variance in variances[-longest:]]
        log = self.constant + self.noise / 2
        for weight, horizon in zip(self.weights, self.horizons, strict=True):
            log += weight * math.fsum(logs[-horizon:]) / horizon
        if log >= math.log(self.highest):
            return self.highest
        return max(math.exp(log), self.lowest)
