"""The volatility that fees pay for, against the volatility that is."""

from __future__ import annotations

from collections.abc import Sequence

from lpmanager.cli.risk_page.lying_bars import Bar, height_for, lying_bars, rows_axis
from lpmanager.cli.risk_page.untold import Untold
from lpmanager.cli.risk_page.wording import percent, unknowns
from lpmanager.page.picture import FEES, PRICE, Picture, axis
from lpmanager.rebalancer.assessment import Measure, Question, Unit

_TITLE = "Implied against realised volatility"


def volatility_picture(key: str, measures: Sequence[Measure]) -> Picture | Untold:
    """A bar for each volatility that is known; the one that fees imply first."""
    asked = [m for m in measures if m.unit is Unit.PER_YEAR]
    asked.sort(key=lambda m: m.question is not Question.PAY)
    known = [(m, m.value) for m in asked if isinstance(m.value, float)]
    if not known:
        return Untold(title=_TITLE, reason=unknowns(asked).strip())
    bars = [
        Bar(
            name=m.name,
            value=100 * value,
            colour=FEES if m.question is Question.PAY else PRICE,
            told=percent(value),
            more=f"{percent(value)}: {m.meaning}",
        )
        for m, value in known
    ]
    return Picture(
        key=key,
        title=_title(known),
        caption=(
            "Where the implied one is the higher, fees pay for more than arbitrage takes (LVR). "
            f"Per square root of a year.{unknowns(asked)}"
        ),
        traces=[lying_bars(bars)],
        layout={
            "xaxis": axis("volatility in % a year", rangemode="tozero"),
            "yaxis": rows_axis([bar.name for bar in bars]),
            "showlegend": False,
        },
        height=height_for(bars),
    )


def _title(known: Sequence[tuple[Measure, float]]) -> str:
    implied = [value for m, value in known if m.question is Question.PAY]
    market = [value for m, value in known if m.question is Question.MARKET]
    if not (implied and market):
        return _TITLE
    return (
        f"Fees pay for a volatility of {percent(implied[0])} a year; the price's is "
        f"{percent(market[0])}"
    )
