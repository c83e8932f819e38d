"""How soon a price leaves a range, and how surely it stays: a Brownian log price.

Distances are natural logs of price ratios, above 0 while the price is inside; `variance_rate` is
variance of the log price per second. Estimates in floats.
"""

from __future__ import annotations

import math

from lpmanager.model import TickRange
from lpmanager.model.units import LOG_TICK

#: An edge farther away than this many standard deviations is not reached (2e-23).
_FAR = 10

#: Standard deviations of the log price, the most over which the series can tell.
MAX_SPREAD = 3

#: Terms of the series smaller than e to the minus this are left out.
_NEGLIGIBLE = 45


def log_distances(tick: int, tick_range: TickRange) -> tuple[float, float]:
    """How far a price at a tick is from the lower and from the upper edge; negative beyond it."""
    return (tick - tick_range.lower) * LOG_TICK, (tick_range.upper - tick) * LOG_TICK


def expected_exit_seconds(*, to_lower: float, to_upper: float, variance_rate: float) -> float:
    """Mean time until a driftless log price first leaves: to_lower * to_upper / variance_rate
    (Feller 1971). 0 where it is outside already."""
    _require(variance_rate)
    if to_lower <= 0 or to_upper <= 0:
        return 0.0
    return to_lower * to_upper / variance_rate


def stay_probability(
    *, to_lower: float, to_upper: float, variance_rate: float, seconds: float
) -> float:
    """Chance that the price touches neither edge within `seconds`: the sine series of a Brownian
    motion between two absorbing edges (Darling and Siegert 1953). 0 where it is outside already.

    The price itself has no drift, so its log drifts by minus half the variance. Raises ValueError
    for a time in which the log price spreads by more than 3 (twentyfold): the series cannot tell.
    """
    _require(variance_rate)
    if not 0 <= seconds < math.inf:
        raise ValueError(f"a time must be finite and not negative, found {seconds} s")
    if to_lower <= 0 or to_upper <= 0:
        return 0.0
    if seconds == 0:
        return 1.0
    spread = math.sqrt(variance_rate * seconds)
    if spread > MAX_SPREAD:
        raise ValueError(f"in {seconds} s the log price spreads by {spread:.3g}; at most 3")
    # an edge out of reach, brought nearer, keeps the series short and its terms small
    reach = _FAR * spread + spread**2 / 2
    below, above = min(to_lower, reach), min(to_upper, reach)
    return min(1.0, max(0.0, _sine_series(below, below + above, spread)))


def _sine_series(start: float, width: float, spread: float) -> float:
    """Sum over the waves that are 0 on both edges: how much of each there is at the start, how it
    fades, and what it leaves inside, tilted by e**(-y/2) for the drift."""
    terms = []
    for n in range(1, 2 + int(math.sqrt(2 * _NEGLIGIBLE) * width / (math.pi * spread))):
        wave = n * math.pi / width
        sign = -1 if n % 2 else 1
        edges = math.exp(start / 2) - sign * math.exp((start - width) / 2)
        left = wave * edges / (wave**2 + 1 / 4)
        terms.append(math.sin(wave * start) * math.exp(-((wave * spread) ** 2) / 2) * left)
    return 2 / width * math.exp(-(spread**2) / 8) * math.fsum(terms)


def _require(variance_rate: float) -> None:
    if not (variance_rate > 0 and math.isfinite(variance_rate)):
        raise ValueError(f"a variance rate must be above 0 and finite, found {variance_rate}")
