"""The toxic share of the next period's volume, learned from the flow before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lpmanager.risk.learned.boosting import Rows, fit_boosted
from lpmanager.risk.learned.toxic_share import FlowPeriods, ToxicityContest
from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.ewma import DECAY, faded_means

LOOKBACK = 24
MINIMUM_PERIODS = 300


def toxicity_contest(flow: FlowPeriods, *, refit_every: int = 24) -> ToxicityContest | Missing:
    """Boosted trees against the fading mean, purged walk-forward over the newer half.

    Each forecast of a period is from periods whose shares were known when it began, and each model
    was fitted to such alone. Missing for too short a history.
    """
    count = len(flow)
    if count < MINIMUM_PERIODS:
        return Missing(
            f"learned toxicity needs {MINIMUM_PERIODS} periods of {flow.period_s} s, found {count}"
        )
    if refit_every < 1:
        raise ValueError(f"a model is fitted every 1 or more periods, found {refit_every}")
    rows = _rows(flow)
    shares = np.asarray(flow.toxic_shares)
    first = count // 2
    learned = [_forecasts(flow, rows, at, refit_every) for at in range(first, count, refit_every)]
    found = np.concatenate(learned)[: count - first]
    faded = np.fromiter(faded_means(shares, DECAY), dtype=np.float64)
    ewma = faded[first - 1 - flow.unknown : count - 1 - flow.unknown]
    return ToxicityContest(
        learned=float(np.mean((found - shares[first:]) ** 2)),
        ewma=float(np.mean((ewma - shares[first:]) ** 2)),
        scored=count - first,
        next_share=float(_forecasts(flow, rows, count, 1)[0]),
        next_faded=float(faded[count - 1 - flow.unknown]),
    )


def _forecasts(flow: FlowPeriods, rows: Rows, at: int, length: int) -> Rows:
    """Forecasts of the periods from `at` on, by a model fitted to what was known when that began.

    Row i is of period i + LOOKBACK + `unknown`.
    """
    shift = LOOKBACK + flow.unknown
    known = at - flow.unknown
    targets = np.asarray(flow.toxic_shares[shift:known])
    boosted = fit_boosted(rows[: known - shift], targets, purge=shift)
    return np.clip(boosted.predict(rows[at - shift : at - shift + length]), 0.0, 1.0)


def _rows(flow: FlowPeriods) -> Rows:
    """What is known before each period, that to come included; its newest share is `unknown` + 1
    periods old."""
    shares = _windows(flow.toxic_shares)
    columns = (
        shares[:, -1],
        shares[:, -2],
        shares[:, -6:].mean(axis=1),
        shares.mean(axis=1),
        shares.std(axis=1),
        _newest_to_mean(flow.volumes),
        _newest_to_mean(flow.variances),
    )
    return np.column_stack(columns)


def _newest_to_mean(values: Sequence[float]) -> Rows:
    """In (0, 1) where both are above 0, and 0 where nothing was lately, or ever."""
    windows = _windows(values)
    newest, mean = windows[:, -1], windows.mean(axis=1)
    both = newest + mean
    return np.asarray(np.divide(newest, both, out=np.zeros_like(both), where=both > 0))


def _windows(values: Sequence[float]) -> Rows:
    return sliding_window_view(np.asarray(values, dtype=np.float64), LOOKBACK)
