"""The price of a market over time, as measures of risk take it."""

from __future__ import annotations

import numpy as np

from lpmanager.amm.fast.packing import to_floats
from lpmanager.backtest.markets.market import Bars, Market
from lpmanager.model.units import LOG_TICK
from lpmanager.risk.price_path import PricePath

_Q96 = 2.0**96


def market_path(market: Market) -> PricePath:
    """The price after each event, or at the close of each bar, to its tick; of several at one time
    the last."""
    rows = market.rows
    if isinstance(rows, Bars):
        times, logs = rows.time + rows.step_s, rows.close * LOG_TICK
    else:
        times, logs = rows.time, 2 * np.log(to_floats(rows.sqrt_price) / _Q96)
    last = np.append(times[1:] != times[:-1], True)
    return PricePath(tuple(times[last].tolist()), tuple(logs[last].tolist()))
