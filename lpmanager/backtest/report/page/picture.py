"""What a picture on the page is made of: traces and layout as plotly.js takes them.

Colours are names of CSS variables of page.css, one for each thing in all pictures; page.js puts in
what they stand for in light and in dark.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from lpmanager.backtest.report.run import Numbers, Run, Times

Trace = dict[str, Any]
Layout = dict[str, Any]

#: Rows of the curve that a line shows at the most.
MOST_SAMPLES = 4_000

OURS = "var(--ours)"
OURS_SOFT = "var(--ours-soft)"
HODL = "var(--hodl)"
FULL_RANGE = "var(--full-range)"
UNTOUCHED = "var(--untouched)"
PRICE = "var(--price)"
PRICE_SOFT = "var(--price-soft)"
FEES = "var(--fees)"
LVR = "var(--lvr)"
IMPERMANENT_LOSS = "var(--impermanent-loss)"
COSTS = "var(--costs)"
HEDGE = "var(--hedge)"
BASE = "var(--base)"
QUOTE = "var(--quote)"
GRID = "var(--grid)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture, the finding above it, and what is seen in it below."""

    key: str
    title: str
    caption: str
    traces: list[Trace]
    layout: Layout


def label(text: str) -> str:
    """Text that comes from elsewhere, so that plotly.js shows it as it is: it reads tags."""
    return html.escape(text)


def when(time: Times) -> list[int]:
    """Unix seconds as an axis of dates takes them, in milliseconds."""
    return [int(t) * 1_000 for t in time]


def drawn(values: Numbers) -> list[float | None]:
    """Numbers to six digits or more, with a gap where one is not known."""
    return [None if value != value else float(f"{value:.9g}") for value in values]


def line(name: str, time: Times, values: Numbers, colour: str, dash: str = "solid") -> Trace:
    """A line over time."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(name),
        "x": when(time),
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


def axis(title: str, **more: object) -> Layout:
    """An axis of numbers with its unit in the title."""
    return {"title": {"text": label(title)}, "gridcolor": GRID, "zerolinecolor": GRID, **more}
