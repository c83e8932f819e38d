"""What a fall of the price within one block would take."""

from __future__ import annotations

from lpmanager.cli.risk_page.untold import Untold
from lpmanager.cli.risk_page.wording import money, percent
from lpmanager.page.picture import LVR, Height, Picture, axis, label
from lpmanager.rebalancer import View
from lpmanager.rebalancer.assessment import HOLDS_NOTHING
from lpmanager.rebalancer.at_stake import stake_held
from lpmanager.risk.ladder import FALLS, Rung, ladder

_TITLE = "What a crash would take"


def crash_picture(key: str, view: View) -> Picture | Untold:
    """A bar for each fall of the ladder."""
    stake, price = stake_held(view), view.snapshot.price
    if stake.value(stake.sqrt_price) <= 0:
        return Untold(title=_TITLE, reason=HOLDS_NOTHING.reason)
    rungs, symbol = ladder(stake, moves=FALLS), price.quote.symbol
    worst = rungs[-1]
    return Picture(
        key=key,
        title=(
            f"{price.base.symbol} falling by {-100 * worst.move:.0f} % at once would take "
            f"{percent(-worst.change)}"
        ),
        caption=(
            "Within one block, before anybody can act; fees and gas left out. A range buys the "
            "falling token all the way down."
        ),
        traces=[
            {
                "type": "bar",
                "x": list(range(len(rungs))),
                "y": [100 * rung.change for rung in rungs],
                "marker": {"color": LVR},
                "text": [percent(rung.change) for rung in rungs],
                "textposition": "outside",
                "constraintext": "none",
                "cliponaxis": False,
                "hovertext": [_told(rung, symbol, price.base.symbol) for rung in rungs],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        ],
        layout={
            "xaxis": {
                "tickvals": list(range(len(rungs))),
                "ticktext": [f"{rung.move:+.0%}".replace("%", " %") for rung in rungs],
                "showgrid": False,
                "zeroline": False,
                "side": "top",
                "title": {"text": label(f"move of the price of {price.base.symbol}")},
            },
            "yaxis": axis("change of value in %", range=[115 * worst.change, 0]),
            "showlegend": False,
        },
        height=Height.LOW,
    )


def _told(rung: Rung, symbol: str, base: str) -> str:
    return label(
        f"{money(rung.value, symbol)} left, {percent(rung.base_weight)} of it in {base}, "
        f"at {money(rung.price, symbol)}"
    )
