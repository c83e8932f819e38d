"""What a campaign holds of each token, and where."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.cli.risk_page.lying_bars import rows_axis
from lpmanager.cli.risk_page.untold import Untold
from lpmanager.cli.risk_page.wording import money, percent
from lpmanager.model import Amounts
from lpmanager.page.picture import FEES, OURS, UNTOUCHED, Height, Picture, Trace, axis
from lpmanager.rebalancer import View


def exposure_picture(key: str, view: View) -> Picture | Untold:
    """A bar for each token: in ranges, idle, and as fees not collected, each by its value."""
    inventory, price = view.inventory, view.snapshot.price
    if inventory.weight is None:
        return Untold(title="Exposure by token", reason="the campaign holds nothing")
    holdings, symbol = inventory.holdings, price.quote.symbol
    value = money(_whole(view, inventory.value), symbol)
    return Picture(
        key=key,
        title=f"{percent(float(inventory.weight))} of {value} is in {price.base.symbol}",
        caption=f"Exposure by token: all that is held, valued in {symbol} at the pool's price.",
        traces=[
            _bars(view, "in ranges", holdings.principal, OURS),
            _bars(view, "idle", holdings.wallet, UNTOUCHED),
            _bars(view, "fees not collected", holdings.uncollected, FEES),
        ],
        layout={
            "barmode": "stack",
            "xaxis": axis(f"value in {symbol}", rangemode="tozero"),
            "yaxis": rows_axis([price.base.symbol, price.quote.symbol]),
        },
        height=Height.LOW,
    )


def _bars(view: View, name: str, held: Amounts, colour: str) -> Trace:
    price = view.snapshot.price
    both = (held.amount0, held.amount1)
    base, quote = both if held.amount0.token == price.base else both[::-1]
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": [0, 1],
        "x": [_whole(view, price.value_of(amount)) for amount in (base, quote)],
        "marker": {"color": colour},
        "hovertemplate": f"{name}: %{{x:,.6~r}}<extra></extra>",
    }


def _whole(view: View, raw: Fraction) -> float:
    return float(raw / 10**view.snapshot.quote.decimals)
