"""The price against the ranges that were held."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lpmanager.backtest.report.findings import Findings, price_finding
from lpmanager.backtest.report.page.over_time import MOST_SAMPLES, line, time_axis
from lpmanager.backtest.report.run import Curve, Move
from lpmanager.backtest.report.sampling import band_of, closed_at, thinned
from lpmanager.backtest.report.statistics import changed_ranges
from lpmanager.backtest.report.wording import money, number
from lpmanager.page.picture import OURS, OURS_SOFT, PRICE, Picture, Trace, axis, label

#: How far beyond the prices, as a share of their spread, an edge of a range is still shown.
_REACH = 0.6
_MARGIN = 0.06
#: The least spread shown, as a share of the price.
_LEAST_SPREAD = 0.002


def price_picture(found: Findings) -> Picture:
    """The price, a ribbon for each range while it was held, and a mark at each move."""
    run = found.run
    curve = thinned(run, MOST_SAMPLES)
    low, high = _shown_prices(found, curve)
    ribbons = _ribbons(found, low, high)
    price = line(f"price, {found.price_unit}", curve.time, curve.price, PRICE)
    price["line"]["width"] = 1.5
    return Picture(
        key="price",
        title=price_finding(found),
        caption=(
            "The ribbon is the range held: where the price is outside of it, the position earns "
            "nothing. Marks are moves; point at one for its reason and its cost."
        ),
        traces=[*ribbons, price, *_marks(found)],
        layout={
            "xaxis": time_axis(run),
            "yaxis": axis(found.price_unit, range=[low, high]),
            "hovermode": "closest",
        },
    )


def _shown_prices(found: Findings, curve: Curve) -> tuple[float, float]:
    """All prices, and the edges of ranges where they are not far away."""
    low, high = float(curve.price.min()), float(curve.price.max())
    spread = max(high - low, high * _LEAST_SPREAD)
    edges = [edge for held in found.run.held for edge in band_of(found.run, held)]
    near = [edge for edge in edges if low - _REACH * spread <= edge <= high + _REACH * spread]
    low, high = min([low, *near]), max([high, *near])
    margin = _MARGIN * max(high - low, spread)
    return low - margin, high + margin


def _ribbons(found: Findings, low: float, high: float) -> list[Trace]:
    """One trace of rectangles, cut to what is shown."""
    x: list[int | None] = []
    y: list[float | None] = []
    for held in found.run.held:
        bottom, top = (float(np.clip(edge, low, high)) for edge in band_of(found.run, held))
        opened, closed = held.opened * 1_000, closed_at(found.run, held) * 1_000
        x += [opened, closed, closed, opened, opened, None]
        y += [bottom, bottom, top, top, bottom, None]
    if not x:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "range held",
            "x": x,
            "y": y,
            "fill": "toself",
            "fillcolor": OURS_SOFT,
            "line": {"color": OURS, "width": 0.5},
            "hoverinfo": "skip",
        }
    ]


def _marks(found: Findings) -> list[Trace]:
    """Moves that changed the ranges, and those that did not, each kind as its own trace."""
    told = tuple(zip(found.run.moves, changed_ranges(found.run.moves), strict=True))
    kinds = (
        ("range moved", "triangle-up", [move for move, changed in told if changed]),
        ("range kept, tokens swapped", "diamond", [move for move, changed in told if not changed]),
    )
    return [_mark_trace(found, name, symbol, some) for name, symbol, some in kinds if some]


def _mark_trace(found: Findings, name: str, symbol: str, moves: Sequence[Move]) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [move.time * 1_000 for move in moves],
        "y": [move.price for move in moves],
        "marker": {
            "symbol": symbol,
            "size": 8,
            "color": OURS,
            "line": {"color": PRICE, "width": 1},
        },
        "text": [_told(found, move) for move in moves],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _told(found: Findings, move: Move) -> str:
    gas, swap = (money(cost, found.symbol) for cost in (move.gas_quote, move.swap_cost_quote))
    costs = f"gas {gas}, swap {swap}"
    at = f"at {number(move.price)} {found.price_unit}"
    return "<br>".join(label(text) for text in (move.reason, at, costs))
