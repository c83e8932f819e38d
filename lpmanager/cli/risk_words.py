"""Measures of risk in the words of a person, and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from lpmanager.cli.words import number
from lpmanager.model import Snapshot
from lpmanager.rebalancer.assessment import Measure, Unit
from lpmanager.risk.missing import Missing

_DAY_S = 86_400
_HOUR_S = 3_600

_SHOWN: Mapping[Unit, Callable[[float], str]] = {
    Unit.SHARE: lambda value: f"{value:.3%}",
    Unit.PER_YEAR: lambda value: f"{value:.1%} a year",
    Unit.A_YEAR: lambda value: f"{value:.1%} a year",
    Unit.RATIO: lambda value: f"{value:.2f} times",
    Unit.SECONDS: lambda value: _duration(value),
}


def measured(measure: Measure, snapshot: Snapshot) -> str:
    """The value with its unit; what it needs, where it is missing."""
    if isinstance(measure.value, Missing):
        return f"unknown: {measure.value.reason}"
    if isinstance(measure.value, str):
        return measure.value
    if measure.unit in (Unit.QUOTE, Unit.BASE):
        return f"{number(Fraction(measure.value))} {_symbol(measure.unit, snapshot)}"
    return _SHOWN[measure.unit](measure.value)


def measure_json(measure: Measure, snapshot: Snapshot) -> dict[str, Any]:
    """The same for programs: `value` is null where it is missing, and `missing` says why."""
    money = measure.unit in (Unit.QUOTE, Unit.BASE)
    missing = isinstance(measure.value, Missing)
    return {
        "question": measure.question.name.lower(),
        "name": measure.name,
        "value": None if missing else measure.value,
        "unit": _symbol(measure.unit, snapshot) if money else str(measure.unit),
        "missing": measure.value.reason if isinstance(measure.value, Missing) else None,
        "meaning": measure.meaning,
    }


def _symbol(unit: Unit, snapshot: Snapshot) -> str:
    price = snapshot.price
    return price.quote.symbol if unit is Unit.QUOTE else price.base.symbol


def _duration(seconds: float) -> str:
    if seconds >= _DAY_S:
        return f"{seconds / _DAY_S:.1f} days"
    return f"{seconds / _HOUR_S:.1f} h" if seconds >= _HOUR_S else f"{seconds:.0f} s"
