"""What all campaigns together hold of each token."""

from __future__ import annotations

from lpmanager.cli.portfolio_words import WHOLE, failing_with
from lpmanager.cli.risk_page.lying_bars import Bar, height_for, lying_bars, rows_axis
from lpmanager.cli.risk_page.untold import Untold
from lpmanager.cli.risk_page.wording import money, percent
from lpmanager.page.picture import OURS, Picture, axis
from lpmanager.rebalancer.assessment.portfolio import Whole
from lpmanager.risk.contagion.exposures import Kind
from lpmanager.risk.missing import Missing


def together_picture(key: str, together: Whole | Missing) -> Picture | Untold:
    """A bar for each token, as a share of all that is held."""
    if isinstance(together, Missing):
        return Untold(title=WHOLE, reason=together.reason)
    value = money(together.exposures.net, together.money)
    bars = [
        Bar(
            name=factor.name,
            value=100 * share,
            colour=OURS,
            told=percent(share),
            more=f"{percent(share)}; fails with it: {failing_with(factor, together)}",
        )
        for factor, share in together.exposures.shares.items()
        if factor.kind is Kind.TOKEN
    ]
    return Picture(
        key=key,
        title=f"All campaigns hold {value}, by token",
        caption="Exposure by token of all campaigns together, at the prices of their pools.",
        traces=[lying_bars(bars)],
        layout={
            "xaxis": axis(f"share of {value} in %", rangemode="tozero"),
            "yaxis": rows_axis([bar.name for bar in bars]),
            "showlegend": False,
        },
        height=height_for(bars),
    )
