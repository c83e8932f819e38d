"""The parameters of Heston's model, a day and a year."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from lpmanager.risk.plain import require_finite

YEAR_DAYS = 365
#: Less of the variance's noise than this, as a share of it in a day, is lost in the rounding of
#: floats; and what goes with so little is nothing.
_LEAST_NOISE = 1e-8


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
        require_finite(**asdict(self))
        if min(self.start, self.mean) < 0 or min(self.reversion, self.vol_of_vol) <= 0:
            raise ValueError(
                "variances must not be negative, and reversion and vol_of_vol must be positive; "
                f"found {self}"
            )
        if abs(self.correlation) > 1:
            raise ValueError(f"a correlation is in [-1, 1], found {self.correlation}")

    def mean_variance(self, days: float) -> float:
        """The variance per day that is expected on average over so many days from the start."""
        return self.mean + (self.start - self.mean) * mean_decay(self.reversion * days)

    @property
    def is_certain(self) -> bool:
        """Is the noise of the variance too little to be told? Then the variance goes the way of its
        mean, and the correlation with it means nothing."""
        return self.vol_of_vol <= _LEAST_NOISE * math.sqrt(max(self.start, self.mean))


def mean_decay(passed: float) -> float:
    """The mean of exp(-s) for s from 0 to `passed`."""
    return -math.expm1(-passed) / passed if passed else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyHeston:
    """The same in years of 365 days, as option chains and QuantLib tell it, by its usual letters.

    `v0` and `theta`: the variance now and its mean. `kappa`: the speed at which it returns.
    `sigma`: its own volatility. `rho`: the correlation of its noise with the price's.
    """

    v0: float
    theta: float
    kappa: float
    sigma: float
    rho: float

    @property
    def daily(self) -> Heston:
        """What paths are made of. Raises ValueError for what is no model."""
        return Heston(
            start=self.v0 / YEAR_DAYS,
            mean=self.theta / YEAR_DAYS,
            reversion=self.kappa / YEAR_DAYS,
            vol_of_vol=self.sigma / YEAR_DAYS,
            correlation=self.rho,
        )


def yearly(model: Heston) -> YearlyHeston:
    """The model in years."""
    return YearlyHeston(
        v0=model.start * YEAR_DAYS,
        theta=model.mean * YEAR_DAYS,
        kappa=model.reversion * YEAR_DAYS,
        sigma=model.vol_of_vol * YEAR_DAYS,
        rho=model.correlation,
    )
