"""Lines over the time of a run."""

from __future__ import annotations

from lpmanager.backtest.report.run import Numbers, Run, Times
from lpmanager.page.picture import GRID, Layout, Trace, drawn, label

#: Rows of the curve that a line shows at the most.
MOST_SAMPLES = 4_000


def line(name: str, time: Times, values: Numbers, colour: str, dash: str = "solid") -> Trace:
    """A line over time."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(name),
        "x": _when(time),
        "y": drawn(values),
        "line": {"color": colour, "width": 2, "dash": dash},
    }


def time_axis(run: Run) -> Layout:
    """The axis of time, the same in all pictures."""
    return {
        "type": "date",
        "title": {"text": "time (UTC)"},
        "gridcolor": GRID,
        "range": [run.start * 1_000, run.end * 1_000],
    }


def _when(time: Times) -> list[int]:
    """Unix seconds as an axis of dates takes them, in milliseconds."""
    return [int(t) * 1_000 for t in time]
