"""Bars that lie, each with its name before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lpmanager.page.picture import PAPER, Height, Layout, Trace, label

_FEW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`told` stands at the bar, `more` is shown to who points at it."""

    name: str
    value: float
    colour: str
    told: str
    more: str


def lying_bars(bars: Sequence[Bar]) -> Trace:
    """The bars, the first on top; `rows_axis` has their names."""
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(bars))),
        "x": [bar.value for bar in bars],
        "marker": {"color": [bar.colour for bar in bars]},
        "text": [label(bar.told) for bar in bars],
        "textposition": "auto",
        "constraintext": "none",
        "insidetextfont": {"color": PAPER},
        "hovertext": [label(bar.more) for bar in bars],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def height_for(bars: Sequence[Bar]) -> Height:
    """So that a few bars are not thick, and more of them not thin."""
    return Height.LOW if len(bars) <= _FEW else Height.USUAL


def rows_axis(names: Sequence[str]) -> Layout:
    """The axis of bars that lie: a name for each, the first on top. Bars are drawn at 0, 1, ...,
    since two of the same name would be one."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [label(name) for name in names],
        "range": [len(names) - 0.4, -0.6],
        "showgrid": False,
        "ticks": "outside",
        "ticklen": 6,
        "tickcolor": "rgba(0, 0, 0, 0)",
        "zeroline": False,
    }
