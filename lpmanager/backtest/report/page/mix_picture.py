"""What the value was made of."""

from __future__ import annotations

from lpmanager.backtest.report.findings import Findings, mix_finding
from lpmanager.backtest.report.page.over_time import MOST_SAMPLES, line, time_axis
from lpmanager.backtest.report.run import Curve, Numbers
from lpmanager.backtest.report.sampling import thinned
from lpmanager.page.picture import BASE, QUOTE, Picture, Trace, axis


def mix_picture(found: Findings) -> Picture:
    """The share of either token in the value, one on the other."""
    curve = thinned(found.run, MOST_SAMPLES)
    return Picture(
        key="mix",
        title=mix_finding(found),
        caption="Shares of the value, of which each token's is at the price of its time.",
        traces=[
            _area(found.base.symbol, curve, 100 * curve.weight, BASE),
            _area(found.symbol, curve, 100 * (1 - curve.weight), QUOTE),
        ],
        layout={
            "xaxis": time_axis(found.run),
            "yaxis": axis("share of the value in %", range=[0, 100]),
            "hovermode": "x unified",
        },
    )


def _area(name: str, curve: Curve, shares: Numbers, colour: str) -> Trace:
    area = line(name, curve.time, shares, colour)
    more = {"stackgroup": "value", "fillcolor": colour, "hovertemplate": "%{y:.1f} %"}
    return {**area, **more, "line": {"color": colour, "width": 0}}
