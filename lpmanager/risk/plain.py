"""What every formula asks of the plain numbers it is given."""

from __future__ import annotations

import math


def require_above_0(**numbers: float) -> None:
    """Raise ValueError, by its name, for the first number that is not finite and above 0."""
    for name, number in numbers.items():
        if not (math.isfinite(number) and number > 0):
            raise ValueError(f"{name} must be a finite number above 0, found {number}")


def require_not_below_0(**numbers: float) -> None:
    """Raise ValueError, by its name, for the first number that is not finite or is below 0."""
    for name, number in numbers.items():
        if not (math.isfinite(number) and number >= 0):
            raise ValueError(f"{name} must be a finite number and not below 0, found {number}")


def require_finite(**numbers: float) -> None:
    """Raise ValueError, by its name, for the first number that is not finite."""
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise ValueError(f"{name} must be a finite number, found {number}")
