"""What fees bring, against what arbitrage takes."""

from __future__ import annotations

from collections.abc import Sequence

from lpmanager.cli.risk_page.lying_bars import Bar, height_for, lying_bars, rows_axis
from lpmanager.cli.risk_page.untold import Untold
from lpmanager.cli.risk_page.wording import percent, unknowns
from lpmanager.page.picture import FEES, LVR, Picture, axis
from lpmanager.rebalancer import View
from lpmanager.rebalancer.assessment import Measure
from lpmanager.rebalancer.risk_gates import pay_of
from lpmanager.risk.missing import Missing

_TITLE = "Fees over LVR"
_COLOURS = {"fees": FEES, "LVR": LVR}


def pay_picture(key: str, view: View, measures: Sequence[Measure]) -> Picture | Untold:
    """A bar for what is earned and one for what is lost, as rates a year of the value."""
    if isinstance(view.outlook, Missing):
        return Untold(title=_TITLE, reason=view.outlook.reason)
    asked = [m for m in measures if m.name in _COLOURS]
    known = [(m, m.value) for m in asked if isinstance(m.value, float)]
    ratio = pay_of(view, view.outlook)
    if not known:
        return Untold(title=_title(ratio), reason=unknowns(asked).strip())
    bars = [
        Bar(
            name=m.name,
            value=100 * value,
            colour=_COLOURS[m.name],
            told=percent(value),
            more=f"{percent(value)}: {m.meaning}",
        )
        for m, value in known
    ]
    return Picture(
        key=key,
        title=_title(ratio),
        caption=_caption(known, ratio) + unknowns(asked),
        traces=[lying_bars(bars)],
        layout={
            "xaxis": axis("% of the value a year, at the rate of now", rangemode="tozero"),
            "yaxis": rows_axis([bar.name for bar in bars]),
            "showlegend": False,
        },
        height=height_for(bars),
    )


def _title(ratio: float | Missing) -> str:
    if isinstance(ratio, Missing):
        return _TITLE
    return f"The pool's fees are {ratio:.2f} times what arbitrage takes (LVR)"


def _caption(known: Sequence[tuple[Measure, float]], ratio: float | Missing) -> str:
    told = "LVR is what an arbitrageur gains who trades the position to the market's price."
    if isinstance(ratio, Missing):
        told = f"{told} The one over the other is not known: {ratio.reason}."
    if not any(value for _, value in known):
        told = f"{told} Nothing is in range now: the campaign earns nothing, and loses nothing."
    return told
