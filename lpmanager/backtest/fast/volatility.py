"""The volatility that each row of a market would see, for policies that go by it."""

from __future__ import annotations

import numpy as np

from lpmanager.backtest.fast.columns import CLOSE, FastRows
from lpmanager.backtest.report.run import Numbers
from lpmanager.risk.outlook import MINIMUM_RETURNS, MINIMUM_SAMPLES
from lpmanager.risk.volatility.realised import STEP_S


def variance_rates(rows: FastRows, history_s: int) -> Numbers:
    """Variance of the log price per second over the last `history_s` seconds, after each row.

    As `lpmanager.risk.assess` has it: realised, from returns of five minutes that end at the row,
    in the share of the window that begins with its first close. NaN where it would be Missing: too
    few closes or returns in the window, or a price that stood still. A row knows its time to the
    second, where a swap of a snapshot knows its block.
    """
    ends = np.flatnonzero(np.diff(rows.time, append=rows.time[-1] + 1))
    time, price = rows.time[ends], 2 * np.log(rows.numbers[CLOSE, ends])
    since = np.maximum(time - history_s, rows.start_time)
    first = np.searchsorted(time, since, side="right")
    steps = np.maximum(time - time[np.minimum(first, len(time) - 1)], 0) // STEP_S
    squares, after = np.zeros(len(ends)), price
    for step in range(1, int(steps.max()) + 1):
        place = np.searchsorted(time, time - step * STEP_S, side="right") - 1
        before = np.where(step <= steps, price[place], after)
        squares += (after - before) ** 2
        after = before
    samples = np.arange(len(ends)) - first + 1
    enough = (samples >= MINIMUM_SAMPLES) & (steps >= MINIMUM_RETURNS) & (squares > 0)
    rates = np.full(len(ends) + 1, np.nan)
    share = np.minimum((steps + 1) / np.maximum((time - since) // STEP_S, 1), 1.0)
    rates[1:][enough] = squares[enough] / (steps[enough] * STEP_S) * share[enough]
    found: Numbers = rates[np.searchsorted(ends, np.arange(len(rows.time)), side="right")]
    return found
