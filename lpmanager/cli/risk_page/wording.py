"""Numbers in the page's pictures, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from lpmanager.cli.words import number
from lpmanager.rebalancer.assessment import Measure
from lpmanager.risk.missing import Missing


def money(value: float, symbol: str) -> str:
    """Whole tokens, rounded: "1,234.50 USDC"."""
    return f"{number(Fraction(value))} {symbol}"


def percent(share: float) -> str:
    """A share of 1 in percent: "12.3 %"."""
    return f"{share:z.1%}".replace("%", " %")


def unknowns(measures: Iterable[Measure]) -> str:
    """A sentence with those that are not known and why; nothing where all are."""
    told = [f"{m.name} ({m.value.reason})" for m in measures if isinstance(m.value, Missing)]
    return f" Not drawn, for it is not known: {'; '.join(told)}." if told else ""
