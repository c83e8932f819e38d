"""What every measure asks of returns before it says anything."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lpmanager.model.units import duration
from lpmanager.risk.missing import Missing


def unfit(measure: str, returns: Sequence[float], step_s: int, needed: int) -> Missing | None:
    """Why `measure` cannot be taken from these returns of `step_s` seconds; None where it can.

    It needs so many of them, and a price that moved at all. Raises ValueError for a step below a
    second and for a return that is not a finite number.
    """
    if step_s < 1:
        raise ValueError(f"a step must be at least 1 s, found {step_s}")
    for number, change in enumerate(returns):
        if not math.isfinite(change):
            raise ValueError(f"return {number} of {len(returns)} is {change}")
    if len(returns) < needed:
        return Missing(
            f"{measure} needs {needed} returns of {step_s} s, found {len(returns)}; "
            f"limits.history_s of more than {duration(needed * step_s)} tells them"
        )
    if not any(returns):
        return Missing(
            f"{measure} needs a price that moves; it stood still in all "
            f"{len(returns)} returns of {step_s} s"
        )
    return None
