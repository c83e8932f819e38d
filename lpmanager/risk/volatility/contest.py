"""Which forecaster of variance is to be believed: all of them on the same history, out of sample.

Walk-forward: each forecasts period i from the periods before it, and is fitted again from time to
time on what it has seen by then. It never gets hold of anything later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.periods import Periods
from lpmanager.risk.volatility.scoring import mean_qlike

#: Forecasts the variance of period `first` and of every later one up to that after the last of
#: those given, in their unit; each from the periods before it alone.
Forecast = Callable[[Periods, int], Sequence[float]]

#: Fewer scored periods than this do not tell one forecaster from another.
MINIMUM_SCORED = 50


class Forecaster(Protocol):
    """A way to forecast. One with inputs of its own finds their rows by the periods' numbers."""

    @property
    def name(self) -> str:
        """What people call it."""

    def fit(self, history: Periods) -> Forecast | Missing:
        """The forecast as learned from these periods alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`qlike` is the mean out-of-sample loss; lower is better, 0 is perfect."""

    name: str
    qlike: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Scores, the best first; who could not take part, and why; and on how many periods."""

    scores: tuple[Score, ...]
    left_out: tuple[tuple[str, Missing], ...]
    scored: int

    @property
    def winner(self) -> str:
        """Who had the lowest loss."""
        return self.scores[0].name


def contest(
    periods: Periods, forecasters: Sequence[Forecaster], *, first: int, refit_every: int
) -> Contest | Missing:
    """All forecasters on the same periods, from number `first` on. See `walk_forward`."""
    moved = [variance for variance in periods.variances[first:] if variance > 0]
    if len(moved) < MINIMUM_SCORED:
        return Missing(
            f"a contest needs {MINIMUM_SCORED} periods of {periods.period_s} s with a price that "
            f"moves after the first {first}, found {len(moved)}"
        )
    scores: list[Score] = []
    left_out: list[tuple[str, Missing]] = []
    for forecaster in forecasters:
        forecasts = walk_forward(periods, forecaster, first=first, refit_every=refit_every)
        loss = (
            forecasts
            if isinstance(forecasts, Missing)
            else mean_qlike(periods.variances[first:], forecasts)
        )
        if isinstance(loss, Missing):
            left_out.append((forecaster.name, loss))
        else:
            scores.append(Score(name=forecaster.name, qlike=loss))
    if not scores:
        reasons = "; ".join(f"{name}: {missing.reason}" for name, missing in left_out)
        return Missing(f"no forecaster could take part: {reasons or 'none was given'}")
    return Contest(
        scores=tuple(sorted(scores, key=lambda score: score.qlike)),
        left_out=tuple(left_out),
        scored=len(moved),
    )


def walk_forward(
    periods: Periods, forecaster: Forecaster, *, first: int, refit_every: int
) -> tuple[float, ...] | Missing:
    """Its forecasts of the periods `first`, `first` + 1, ..., fitted at `first` and after every
    `refit_every` periods, each time on all that was over by then.

    Missing where it cannot be fitted, or forecasts what is no variance.
    """
    if first < 1 or refit_every < 1:
        raise ValueError(f"first and refit_every must be at least 1: {first}, {refit_every}")
    forecasts: list[float] = []
    for start in range(first, len(periods), refit_every):
        forecast = forecaster.fit(periods.first(start))
        if isinstance(forecast, Missing):
            return forecast
        last = min(start + refit_every, len(periods)) - 1
        stretch = forecast(periods.first(last), start)
        for number, variance in zip(range(start, last + 1), stretch, strict=True):
            if not (variance > 0 and math.isfinite(variance)):
                return Missing(f"it forecast a variance of {variance} for period {number}")
            forecasts.append(variance)
    return tuple(forecasts)


def next_of(forecast: Forecast, periods: Periods) -> float:
    """The variance of the period that follows these."""
    (variance,) = forecast(periods, len(periods))
    return variance


def one_by_one(rule: Callable[[Periods], float]) -> Forecast:
    """The forecast by a rule that tells the period after those it is given, and that is given no
    more than the periods before."""
    return lambda periods, first: [
        rule(periods.first(number)) for number in range(first, len(periods) + 1)
    ]
