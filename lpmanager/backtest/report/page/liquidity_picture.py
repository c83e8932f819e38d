"""Where the liquidity stood, against where the price was."""

from __future__ import annotations

from lpmanager.backtest.report.coverage import Coverage, coverage_of
from lpmanager.backtest.report.findings import Findings, liquidity_finding
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.report.wording import percent
from lpmanager.page.picture import OURS, OURS_SOFT, PRICE, PRICE_SOFT, Picture, Trace, axis, drawn


def liquidity_picture(found: Findings) -> Picture | None:
    """Both as histograms over price; None where no liquidity was ever placed."""
    coverage = coverage_of(found.run)
    if coverage is None:
        return None
    return Picture(
        key="liquidity",
        title=liquidity_finding(coverage),
        caption=_caption(coverage),
        traces=[
            _steps("our liquidity, weighted by time", coverage, coverage.liquidity_time, OURS),
            _steps("time at this price", coverage, coverage.price_time, PRICE),
        ],
        layout={
            "xaxis": axis(found.price_unit),
            "yaxis": axis("share of all in %", rangemode="tozero"),
            "hovermode": "x unified",
        },
    )


def _caption(coverage: Coverage) -> str:
    told = "Both are shares by bucket of price; the price is that of the samples."
    if coverage.outside < 0.0005:
        return told
    return f"{told} {percent(coverage.outside)} of the liquidity stood beyond what is shown."


def _steps(name: str, coverage: Coverage, shares: Numbers, colour: str) -> Trace:
    """A step for each bucket, down to 0 behind the last."""
    heights = drawn(100 * shares)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": drawn(coverage.edges),
        "y": [*heights, 0.0],
        "line": {"color": colour, "width": 1.5, "shape": "hv"},
        "fill": "tozeroy",
        "fillcolor": OURS_SOFT if colour == OURS else PRICE_SOFT,
        "hovertemplate": "%{y:.2f} %",
    }
