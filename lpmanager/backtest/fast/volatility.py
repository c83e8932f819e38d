"""The volatility that each row of a market would see, for policies that go by it."""

from __future__ import annotations

import numpy as np

from lpmanager.backtest.fast.columns import CLOSE, FastRows
from lpmanager.backtest.report.run import Numbers
from lpmanager.risk.outlook import MINIMUM_SAMPLES


def variance_rates(rows: FastRows, history_s: int) -> Numbers:
    """Variance of the log price per second over the last `history_s` seconds, after each row.

    As `lpmanager.risk.assess` has it: the squares of the moves from one block's close to the next
    inside the window, by its length, which the market's beginning cuts. NaN where the window has
    fewer closes than `MINIMUM_SAMPLES`.
    """
    ends = np.flatnonzero(np.diff(rows.time, append=rows.time[-1] + 1))
    time, close = rows.time[ends], rows.numbers[CLOSE, ends]
    moves = np.diff(np.log(close), prepend=np.log(close[0]))
    total = np.cumsum(4 * moves * moves)
    since = np.maximum(time - history_s, rows.start_time)
    first = np.searchsorted(time, since, side="right")
    enough = (np.arange(len(ends)) - first + 1 >= MINIMUM_SAMPLES) & (time > since)
    rates = np.full(len(ends) + 1, np.nan)
    inside = total[enough] - total[first[enough]]
    rates[1:][enough] = inside / (time - since)[enough]
    found: Numbers = rates[np.searchsorted(ends, np.arange(len(rows.time)), side="right")]
    return found
