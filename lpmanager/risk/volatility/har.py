"""Variance of the next period from its means over a short, a middle and a long while (Corsi 2009).

Needs numpy. The regression is of logs, which a few wild periods do not rule and which cannot
forecast a variance below 0 (Andersen, Bollerslev and Diebold 2007).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.har_model import Har

#: Horizons in periods of a day: day, week, month, in a market that does not close.
DAY_WEEK_MONTH = (1, 7, 30)

#: Horizons in periods of an hour.
HOUR_DAY_WEEK = (1, 24, 168)
HOUR_QUARTER_DAY = (1, 6, 24)

#: Periods to learn from, for each coefficient.
_PERIODS_EACH = 15


def fit_har(variances: Sequence[float], horizons: tuple[int, ...]) -> Har | Missing:
    """The regression by least squares on these realised variances, the newest last.

    A period in which the price stood still counts as the quietest in which it moved. Raises
    ValueError for a variance that is none and for horizons below one period.
    """
    if not horizons or min(horizons) < 1:
        raise ValueError(f"horizons must be at least one period, found {horizons}")
    values = np.asarray(variances, dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ValueError("a realised variance is not a finite number of at least 0")
    longest = max(horizons)
    needed = longest + _PERIODS_EACH * (len(horizons) + 1)
    if len(values) < needed:
        return Missing(f"HAR over {horizons} periods needs {needed} of them, found {len(values)}")
    moved = values[values > 0]
    if 2 * len(moved) < len(values):
        return Missing(
            f"HAR needs a price that moves in half of the periods; it stood still in "
            f"{len(values) - len(moved)} of {len(values)}"
        )
    logs = _logs(values, float(moved.min()))
    known = _regressors(logs, horizons)[:-1]
    coefficients = np.linalg.lstsq(known, logs[longest:], rcond=None)[0]
    return Har(
        horizons=horizons,
        constant=float(coefficients[0]),
        weights=tuple(coefficients[1:].tolist()),
        noise=float(np.var(logs[longest:] - known @ coefficients)),
        lowest=float(moved.min()),
        highest=float(moved.max()),
    )


def _logs(variances: Sequence[float] | NDArray[np.float64], lowest: float) -> NDArray[np.float64]:
    return np.log(np.maximum(np.asarray(variances, dtype=np.float64), lowest))


def _regressors(logs: NDArray[np.float64], horizons: tuple[int, ...]) -> NDArray[np.float64]:
    """A row for each period after the longest horizon, and one for the period to come: 1, and the
    mean of the logs before it over each horizon."""
    sums = np.concatenate(([0.0], np.cumsum(logs)))
    ends = np.arange(max(horizons), len(logs) + 1)
    means = [(sums[ends] - sums[ends - horizon]) / horizon for horizon in horizons]
    return np.column_stack([np.ones(len(ends)), *means])
