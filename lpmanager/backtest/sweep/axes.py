"""The options that a sweep tries, and all their combinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import product
from math import prod

from lpmanager.errors import UsageError

#: More strategies than this are a mistyped step.
MOST_POINTS = 1_000_000

Value = int | Decimal
#: A value for each option that is swept.
Point = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An option and the values it is tried with."""

    name: str
    values: tuple[Value, ...]


def axes_from(texts: Sequence[str]) -> tuple[Axis, ...]:
    """Axes from "name=1,2,5" or "name=FROM:TO:STEP", the end included. Raises UsageError."""
    axes = [_axis(text) for text in texts]
    names = [axis.name for axis in axes]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"--grid: {name} is given twice; give all its values at once")
    count = prod(len(axis.values) for axis in axes)
    if count > MOST_POINTS:
        raise UsageError(
            f"--grid: makes {count:,} strategies; at most {MOST_POINTS:,} are swept: take wider "
            "steps, or --optimize"
        )
    return tuple(axes)


def points_of(axes: Sequence[Axis]) -> list[Point]:
    """All combinations; the last axis changes fastest."""
    names = [axis.name for axis in axes]
    return [
        dict(zip(names, values, strict=True)) for values in product(*(axis.values for axis in axes))
    ]


def _axis(text: str) -> Axis:
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise UsageError(
            f"--grid: {text!r}: expected NAME=VALUE,VALUE or NAME=FROM:TO:STEP, as in "
            "half_width_ticks=100:1000:50"
        )
    if ":" in values:
        return Axis(name=name, values=_stepped(text, values.split(":")))
    return Axis(name=name, values=tuple(_number(text, value) for value in values.split(",")))


def _stepped(text: str, parts: Sequence[str]) -> tuple[Value, ...]:
    if len(parts) != 3:
        raise UsageError(f"--grid: {text!r}: expected FROM:TO:STEP, found {len(parts)} numbers")
    low, high, step = (Decimal(_number(text, part)) for part in parts)
    if step <= 0 or high < low:
        raise UsageError(f"--grid: {text!r}: expected FROM not above TO, and a STEP above 0")
    count = int((high - low) // step) + 1
    if count > MOST_POINTS:
        raise UsageError(f"--grid: {text!r}: makes {count:,} values; take wider steps")
    return tuple(_plain(low + step * number) for number in range(count))


def _number(text: str, part: str) -> Value:
    try:
        value = Decimal(part.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise UsageError(f"--grid: {text!r}: {part!r} is not a number")
    return _plain(value)


def _plain(value: Decimal) -> Value:
    """Whole numbers as ints, which options of ticks and seconds want."""
    return int(value) if value == value.to_integral_value() else value.normalize()
