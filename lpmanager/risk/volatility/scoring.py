"""How good forecasts of variance were."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lpmanager.risk.missing import Missing


def qlike(realised: float, forecast: float) -> float:
    """QLIKE loss of one forecast (Patton 2011): realised / forecast - ln(realised / forecast) - 1.

    0 where the forecast was right, and larger for too low than for as much too high. It ranks
    forecasts rightly though the realised variance is itself measured with noise. Both in the same
    unit and above 0: ValueError otherwise.
    """
    for name, value in (("realised variance", realised), ("forecast", forecast)):
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"a {name} must be above 0 and finite, found {value}")
    ratio = realised / forecast
    return ratio - math.log(ratio) - 1


def mean_qlike(realised: Sequence[float], forecasts: Sequence[float]) -> float | Missing:
    """Mean QLIKE over the periods in which the price moved.

    A period in which it stood still has no finite loss whatever the forecast, and is not scored.
    """
    losses = [qlike(r, f) for r, f in zip(realised, forecasts, strict=True) if r != 0]
    if not losses:
        return Missing(f"QLIKE needs a period in which the price moved, found 0 of {len(realised)}")
    return math.fsum(losses) / len(losses)
