"""The forecasters of variance that come with the program, as a contest takes them.

Needs numpy and arch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.contest import Forecast, Forecaster, one_by_one
from lpmanager.risk.volatility.ewma import DECAY, MINIMUM_RETURNS, faded_means
from lpmanager.risk.volatility.garch import fit_garch
from lpmanager.risk.volatility.har import HOUR_DAY_WEEK, HOUR_QUARTER_DAY, fit_har
from lpmanager.risk.volatility.periods import Periods


@dataclass(frozen=True, slots=True)
class EwmaForecaster:
    """Realised variances of the past, fading by `decay` each period."""

    decay: float = DECAY

    @property
    def name(self) -> str:
        return f"EWMA {self.decay:g}"

    def fit(self, history: Periods) -> Forecast | Missing:
        if len(history) < MINIMUM_RETURNS:
            return Missing(f"EWMA needs {MINIMUM_RETURNS} periods, found {len(history)}")
        return self._forecast

    def _forecast(self, periods: Periods, first: int) -> Sequence[float]:
        return tuple(faded_means(periods.variances, self.decay))[first - 1 :]


@dataclass(frozen=True, slots=True)
class LastHourForecaster(EwmaForecaster):
    """The next hour like the last one: what decides where nothing else is asked for (`assess`).

    Hours before it count for a hair, so that one in which the price stood still forecasts a
    variance above 0; whoever does so loses accordingly.
    """

    decay: float = 1e-9

    @property
    def name(self) -> str:
        return "last hour"


@dataclass(frozen=True, slots=True)
class HarForecaster:
    """HAR over these horizons, in periods."""

    horizons: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"HAR {'/'.join(map(str, self.horizons))}"

    def fit(self, history: Periods) -> Forecast | Missing:
        fitted = fit_har(history.variances, self.horizons)
        if isinstance(fitted, Missing):
            return fitted
        return one_by_one(lambda later: fitted.forecast(later.variances))


@dataclass(frozen=True, slots=True)
class GarchForecaster:
    """GARCH(1,1) with Student's t on the periods' returns."""

    @property
    def name(self) -> str:
        return "GARCH(1,1)-t"

    def fit(self, history: Periods) -> Forecast | Missing:
        fitted = fit_garch(history.returns)
        if isinstance(fitted, Missing):
            return fitted
        return lambda later, first: fitted.filtered(later.returns)[first:]


def hourly_forecasters() -> tuple[Forecaster, ...]:
    """All of them, for periods of an hour."""
    return (
        LastHourForecaster(),
        EwmaForecaster(),
        HarForecaster(HOUR_QUARTER_DAY),
        HarForecaster(HOUR_DAY_WEEK),
        GarchForecaster(),
    )
