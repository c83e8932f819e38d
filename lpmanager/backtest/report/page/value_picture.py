"""The value against what else could have been done with the deposit."""

from __future__ import annotations

from lpmanager.backtest.report.benchmarks import WAY_WORDS, Way
from lpmanager.backtest.report.findings import Findings, value_finding
from lpmanager.backtest.report.page.over_time import MOST_SAMPLES, line, time_axis
from lpmanager.backtest.report.sampling import thinned
from lpmanager.page.picture import FULL_RANGE, HODL, OURS, UNTOUCHED, Picture, axis

_LINES = (
    (Way.HODL, HODL, "dash"),
    (Way.FULL_RANGE, FULL_RANGE, "dashdot"),
    (Way.UNTOUCHED, UNTOUCHED, "dot"),
    (Way.RUN, OURS, "solid"),
)


def value_picture(found: Findings) -> Picture:
    """A line for each way; ours is drawn last, on top."""
    curve = thinned(found.run, MOST_SAMPLES)
    return Picture(
        key="value",
        title=value_finding(found),
        caption=(
            "HODL is the deposit, left alone. Full range is the same deposit over all prices, its "
            "fees kept and without gas. First ranges kept are this run's own, never moved. This "
            "run is after gas."
        ),
        traces=[
            line(WAY_WORDS[way], curve.time, getattr(curve, way.value), colour, dash)
            for way, colour, dash in _LINES
        ],
        layout={
            "xaxis": time_axis(found.run),
            "yaxis": axis(f"value in {found.symbol}"),
            "hovermode": "x unified",
        },
    )
