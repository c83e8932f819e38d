"""The variance of the next period, learned from those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lpmanager.risk.learned.boosting import Boosted, Rows, fit_boosted
from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.contest import Forecast
from lpmanager.risk.volatility.periods import Periods

#: How many periods back a forecast looks.
LOOKBACK = 48
MINIMUM_PERIODS = 300
#: The mean over so many periods is what the forecast is a multiple of.
_BASE = 12


@dataclass(frozen=True, slots=True)
class LearnedForecaster:
    """Boosted trees on logs of variances; a Forecaster of `contest`.

    A mean of logs lies below the log of the mean: how far is measured where it had not learned. The
    gamma deviance, which is QLIKE, would need no such step, but its Newton steps run away from a
    forecast that is far too high.
    """

    @property
    def name(self) -> str:
        return "boosted trees"

    def fit(self, history: Periods) -> Forecast | Missing:
        """Learns how the next variance stands to the mean of the last ones.

        Missing for too short a history, and where the price stands still half of the time.
        """
        if len(history) < MINIMUM_PERIODS:
            return Missing(
                f"boosted trees need {MINIMUM_PERIODS} periods of {history.period_s} s, found "
                f"{len(history)}"
            )
        moved = [each for each in history.variances if each > 0]
        if 2 * len(moved) < len(history):
            return Missing(
                "boosted trees need a price that moves in half of the periods; it stood still in "
                f"{len(history) - len(moved)} of {len(history)}"
            )
        lowest = min(moved)
        rows, base = _rows(history, lowest)
        targets = np.log(np.maximum(history.variances[LOOKBACK:], lowest) / base[:-1])
        boosted = fit_boosted(rows[:-1], targets, purge=LOOKBACK)
        level = float(np.exp(boosted.held_out_errors).mean())
        return _Learned(boosted, lowest, level).forecast


@dataclass(frozen=True, slots=True)
class _Learned:
    boosted: Boosted
    lowest: float
    level: float

    def forecast(self, periods: Periods, first: int) -> Sequence[float]:
        """All rows at once: a model takes about as long for one. ValueError where the first of them
        has fewer periods before it than a forecast looks back on."""
        if first < LOOKBACK:
            raise ValueError(f"boosted trees look back {LOOKBACK} periods, found {first}")
        rows, bases = zip(
            *(self._row(periods, number) for number in range(first, len(periods) + 1)), strict=True
        )
        multiples = self.boosted.predict(np.concatenate(rows))
        return [
            float(np.exp(multiple) * self.level * base)
            for multiple, base in zip(multiples, bases, strict=True)
        ]

    def _row(self, periods: Periods, number: int) -> tuple[Rows, float]:
        """What was known before a period, of nothing but the periods before it; and the variance
        that its forecast is a multiple of."""
        last = slice(number - LOOKBACK, number)
        before = Periods(
            period_s=periods.period_s,
            returns=periods.returns[last],
            variances=periods.variances[last],
        )
        row, base = _rows(before, self.lowest)
        return row, base[0]


def _rows(history: Periods, lowest: float) -> tuple[Rows, Rows]:
    """What was known before each period from number LOOKBACK on, that to come included; and the
    variance that its forecast is a multiple of.

    Variances are logs of multiples of that base, returns are in its root: no row tells how wild
    the market was when it was learned from.
    """
    variances = np.maximum(np.asarray(history.variances), lowest)
    windows = sliding_window_view(variances, LOOKBACK)
    base = windows[:, -_BASE:].mean(axis=1)
    logs = np.log(windows / base[:, None])
    scaled = sliding_window_view(np.asarray(history.returns), LOOKBACK) / np.sqrt(base)[:, None]
    columns = (
        logs[:, -1],
        logs[:, -2],
        logs[:, -3],
        logs[:, -6:].mean(axis=1),
        logs[:, -24:].mean(axis=1),
        logs.mean(axis=1),
        logs[:, -24:].std(axis=1),
        logs[:, -24],
        scaled[:, -1],
        np.abs(scaled[:, -1]),
        scaled[:, -6:].sum(axis=1),
        scaled[:, -24:].sum(axis=1),
    )
    return np.column_stack(columns), base
