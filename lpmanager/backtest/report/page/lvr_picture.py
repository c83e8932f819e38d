"""Fees against what arbitrage took (LVR)."""

from __future__ import annotations

import numpy as np

from lpmanager.backtest.report.findings import Findings, lvr_finding
from lpmanager.backtest.report.page.over_time import MOST_SAMPLES, line, time_axis
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.report.sampling import thinned
from lpmanager.page.picture import FEES, LVR, PRICE, Height, Picture, axis

#: Until so much of the whole LVR was lost, the ratio is of little and jumps about; not drawn.
_LEAST_SHARE = 0.02


def lvr_picture(found: Findings) -> Picture:
    """Both since the start, and below them the one over the other."""
    curve = thinned(found.run, MOST_SAMPLES)
    ratio = line("fees / LVR", curve.time, _ratio(curve.fees, curve.lvr), PRICE)
    return Picture(
        key="lvr",
        height=Height.TALL,
        title=lvr_finding(found),
        caption=(
            "Above: earned and lost since the start, at the prices of their time. Below: the one "
            "over the other; under 1, liquidity was sold too cheap. LVR is what an arbitrageur "
            "gains who trades the position to the market's price, before fees."
        ),
        traces=[
            line("fees", curve.time, curve.fees, FEES),
            line("LVR", curve.time, curve.lvr, LVR, "dash"),
            {**ratio, "yaxis": "y2"},
        ],
        layout={
            "xaxis": {**time_axis(found.run), "anchor": "y2"},
            "yaxis": axis(found.symbol, domain=[0.42, 1], rangemode="tozero"),
            "yaxis2": axis("fees / LVR", domain=[0, 0.32], rangemode="tozero"),
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "yref": "y2",
                    "y0": 1,
                    "y1": 1,
                    "line": {"color": LVR, "width": 1, "dash": "dot"},
                }
            ],
            "hovermode": "x unified",
        },
    )


def _ratio(fees: Numbers, lvr: Numbers) -> Numbers:
    enough = lvr > max(_LEAST_SHARE * float(lvr[-1]), 0.0)
    return np.asarray(np.divide(fees, lvr, out=np.full(len(lvr), np.nan), where=enough))
