"""The parameters of Heston's model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Heston:
    """A variance per day that returns to `mean` at the speed `reversion` (per day).

    dv = reversion (mean - v) dt + vol_of_vol sqrt(v) dW, correlated with the price's own noise.
    The variance may touch zero (2 reversion mean < vol_of_vol^2).
    """

    start: float
    mean: float
    reversion: float
    vol_of_vol: float
    correlation: float

    def __post_init__(self) -> None:
        if min(self.start, self.mean) < 0 or min(self.reversion, self.vol_of_vol) <= 0:
            raise ValueError(
                "variances must not be negative, and reversion and vol_of_vol must be positive; "
                f"found {self}"
            )
        if abs(self.correlation) > 1:
            raise ValueError(f"a correlation is in [-1, 1], found {self.correlation}")
