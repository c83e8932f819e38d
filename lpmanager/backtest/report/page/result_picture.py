"""The result as a waterfall: from nothing, term by term, to what was gained or lost."""

from __future__ import annotations

from decimal import Decimal

from lpmanager.backtest.report.findings import Findings, result_change, result_finding
from lpmanager.backtest.report.wording import signed
from lpmanager.page.picture import (
    COSTS,
    FEES,
    HEDGE,
    HODL,
    IMPERMANENT_LOSS,
    OURS,
    PRICE,
    Layout,
    Picture,
    axis,
)

#: Term, sign, what stands below its bar, and its colour.
_STEPS = (
    ("hodl", 1, "price move<br>(HODL)", HODL),
    ("impermanent_loss", 1, "impermanent<br>loss", IMPERMANENT_LOSS),
    ("fees", 1, "fees", FEES),
    ("swap_cost", -1, "swaps", COSTS),
    ("gas", -1, "gas", COSTS),
    ("hedge", 1, "hedges", HEDGE),
    ("rounding", -1, "rounding", COSTS),
)
_TOTAL = "result"
#: A term below this share of the largest is not seen, and has no bar.
_LEAST_SHARE = Decimal("0.0005")


def result_picture(found: Findings) -> Picture:
    """A bar for each term that can be seen, each from where the last one ended."""
    result = found.run.result
    known = [step for step in _STEPS if step[0] in result]
    least = _LEAST_SHARE * max(abs(result[term]) for term, *_ in known)
    steps = [
        (words, float(sign * result[term]), colour)
        for term, sign, words, colour in known
        if abs(result[term]) > least
    ]
    total = float(result_change(result))
    bases, reached = [], 0.0
    for _, change, _ in steps:
        bases.append(reached)
        reached += change
    names = [words for words, _, _ in steps] + [_TOTAL]
    changes = [change for _, change, _ in steps] + [total]
    ends = [base + change for base, change in zip(bases, changes, strict=False)]
    return Picture(
        key="result",
        title=result_finding(found),
        caption=(
            "Each term is measured on its own; together they are the result exactly. The price "
            "move is what holding the deposit would have brought. Terms too small to be seen are "
            "in the table alone."
        ),
        traces=[
            {
                "type": "bar",
                "x": names,
                "y": changes,
                "base": [*bases, 0.0],
                "marker": {"color": [colour for _, _, colour in steps] + [OURS]},
                "text": [signed(change) for change in changes],
                "textposition": "outside",
                "constraintext": "none",
                "cliponaxis": False,
                "hovertemplate": "%{x}: %{text}<extra></extra>",
            },
        ],
        layout={
            "xaxis": {"type": "category", "tickangle": 0, "automargin": True},
            "yaxis": axis(f"{found.symbol}, gained or lost", zeroline=True),
            "shapes": [_level(at, end) for at, end in enumerate(ends)],
            "showlegend": False,
        },
    )


def _level(bar: int, end: float) -> Layout:
    """A line behind the bars, from the end of one to the beginning of the next."""
    return {
        "type": "line",
        "layer": "below",
        "xref": "x",
        "x0": bar,
        "x1": bar + 1,
        "yref": "y",
        "y0": end,
        "y1": end,
        "line": {"color": PRICE, "width": 1, "dash": "dot"},
    }
