"""How long a price stays inside a range: the time a position earns."""

from __future__ import annotations

import math

from lpmanager.model import TickRange
from lpmanager.model.units import LOG_TICK

_STEPS = 64


def expected_seconds_in_range(
    tick: int, tick_range: TickRange, variance_rate: float, horizon_s: int
) -> float:
    """Expected seconds, of the next `horizon_s`, that the price spends in the range.

    The log price is a driftless Brownian motion of `variance_rate` per second starting at `tick`;
    it may leave the range and come back, so a price outside also has its chance of reversion.
    Integral over time of the probability to be inside, midpoint rule in the square root of time
    (where the integrand is smooth at 0). An estimate (float).
    """
    if variance_rate < 0 or horizon_s < 0:
        raise ValueError("variance and horizon must not be negative")
    if variance_rate == 0 or horizon_s == 0:
        return float(horizon_s) if tick in tick_range else 0.0
    below = (tick_range.lower - tick) * LOG_TICK
    above = (tick_range.upper - tick) * LOG_TICK
    root = math.sqrt(horizon_s)
    total = 0.0
    for step in range(_STEPS):
        s = (step + 0.5) / _STEPS * root
        spread = s * math.sqrt(2 * variance_rate)
        inside = 0.5 * (math.erf(above / spread) - math.erf(below / spread))
        total += inside * 2 * s
    return total * root / _STEPS
