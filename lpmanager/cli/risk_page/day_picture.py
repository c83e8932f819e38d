"""What a day may bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lpmanager.cli.risk_page.untold import Untold
from lpmanager.cli.risk_page.wording import money, percent
from lpmanager.page.picture import HODL, LVR, OURS, PRICE, Picture, Trace, axis, label
from lpmanager.rebalancer import View
from lpmanager.rebalancer.assessment import HOLDS_NOTHING
from lpmanager.rebalancer.at_stake import stake_now
from lpmanager.rebalancer.day_of import day_of, day_words
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.missing import Missing
from lpmanager.risk.tomorrow import distribution_tomorrow

if TYPE_CHECKING:
    from lpmanager.risk.monte_carlo.distribution import Distribution

_TITLE = "What a day may bring"


def day_picture(key: str, view: View, appetite: Appetite) -> Picture | Untold:
    """The simulated results of a day as a histogram, with VaR and CVaR marked."""
    if isinstance(view.outlook, Missing):
        return Untold(title=_TITLE, reason=view.outlook.reason)
    model = day_of(view, view.outlook, appetite)
    if isinstance(model, Missing):
        return Untold(title=_TITLE, reason=model.reason)
    stake = stake_now(view, view.outlook)
    if stake.value(stake.sqrt_price) <= 0:
        return Untold(title=_TITLE, reason=HOLDS_NOTHING.reason)
    found = distribution_tomorrow(stake, model)
    if isinstance(found, Missing):
        return Untold(title=_TITLE, reason=found.reason)
    symbol, tail = view.snapshot.quote.symbol, found.tail
    one_in, worst = f"{1 / (1 - tail.confidence):.0f}", percent(1 - tail.confidence)
    shares = [100 * count / tail.results for count in found.counts]
    return Picture(
        key=key,
        title=(
            f"One day in {one_in} {_loses(tail.value_at_risk, symbol)} or "
            f"{'more' if tail.value_at_risk >= 0 else 'less'}; on average, such a day "
            f"{_loses(tail.cvar, symbol)}"
        ),
        caption=(
            f"{tail.results:,} simulated days of a driftless price, {day_words(appetite)}: change "
            "of value and fees, less gas, nothing rebalanced. CVaR is the mean of the worst "
            f"{worst} of days; where they begin is the value at risk (VaR)."
        ),
        traces=[
            _bars("a day's result", found, shares, OURS, worst=False),
            _bars(f"the worst {worst} of days", found, shares, LVR, worst=True),
            _mark("VaR", tail.value_at_risk, symbol, max(shares), PRICE, "dash"),
            _mark("CVaR", tail.cvar, symbol, max(shares), HODL, "dot"),
        ],
        layout={
            "barmode": "overlay",
            "bargap": 0,
            "xaxis": axis(f"result of a day in {symbol}", zeroline=True),
            "yaxis": axis("share of days in %", rangemode="tozero"),
        },
    )


def _loses(loss: float, symbol: str) -> str:
    return f"{'loses' if loss >= 0 else 'gains'} {money(abs(loss), symbol)}"


def _bars(
    name: str, found: Distribution, shares: Sequence[float], colour: str, *, worst: bool
) -> Trace:
    """The bins on one side of the value at risk, by their middle."""
    bins = [
        (low, high, share)
        for low, high, share in zip(found.edges, found.edges[1:], shares, strict=False)
        if ((low + high) / 2 <= -found.tail.value_at_risk) is worst
    ]
    return {
        "type": "bar",
        "name": name,
        "x": [(low + high) / 2 for low, high, _ in bins],
        "width": [high - low for low, high, _ in bins],
        "y": [share for *_, share in bins],
        "marker": {"color": colour},
        "hovertemplate": "about %{x:,.4g}: %{y:.2f} % of days<extra></extra>",
    }


def _mark(name: str, loss: float, symbol: str, top: float, colour: str, dash: str) -> Trace:
    """A line from the bottom to the top at a loss."""
    words = label(f"{name}: {_loses(loss, symbol)}")
    return {
        "type": "scatter",
        "mode": "lines",
        "name": words,
        "x": [-loss, -loss],
        "y": [0, top],
        "line": {"color": colour, "width": 2.5, "dash": dash},
        "hovertemplate": f"{words}<extra></extra>",
    }
