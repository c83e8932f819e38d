"""Measures of risk in the words of a person, and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from lpmanager.cli.words import number
from lpmanager.model import Snapshot
from lpmanager.model.units import duration
from lpmanager.rebalancer.assessment import Measure, Unit
from lpmanager.risk.missing import Missing

#: What the gates of `Assessed.not_asked` are called.
NOT_ASKED = "limits that this did not come to ask, for what is held as it is"

_SHOWN: Mapping[Unit, Callable[[float], str]] = {
    Unit.SHARE: lambda value: f"{value:z.3%}",
    Unit.PER_YEAR: lambda value: f"{value:z.1%} a year",
    Unit.A_YEAR: lambda value: f"{value:z.1%} a year",
    Unit.PER_DAY: lambda value: f"{value:z.2f} a day",
    Unit.RATIO: lambda value: f"{value:z.2f} times",
    Unit.SECONDS: duration,
    Unit.TICKS: lambda value: f"{value:z,.0f} ticks",
}


def measured(measure: Measure, snapshot: Snapshot) -> str:
    """The value with its unit; what it needs, where it is missing."""
    if isinstance(measure.value, Missing):
        return f"unknown: {measure.value.reason}"
    if isinstance(measure.value, str):
        return measure.value
    if measure.unit in _SHOWN:
        return _SHOWN[measure.unit](measure.value)
    return f"{number(Fraction(measure.value))} {_unit(measure.unit, snapshot)}"


def measure_json(measure: Measure, snapshot: Snapshot) -> dict[str, Any]:
    """The same for programs: `value` is null where it is missing, and `missing` says why."""
    missing = isinstance(measure.value, Missing)
    return {
        "question": measure.question.name.lower(),
        "name": measure.name,
        "value": None if missing else measure.value,
        "unit": _unit(measure.unit, snapshot),
        "missing": measure.value.reason if isinstance(measure.value, Missing) else None,
        "meaning": measure.meaning,
    }


def _unit(unit: Unit, snapshot: Snapshot) -> str:
    """The unit, with the pool's own tokens in the place of base and quote."""
    base, quote = snapshot.price.base.symbol, snapshot.price.quote.symbol
    of_tokens = {Unit.QUOTE: quote, Unit.BASE: base, Unit.BASE_PER_PRICE: f"{base} per {quote}"}
    return of_tokens.get(unit, str(unit))
