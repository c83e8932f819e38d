"""Variance in which the past fades (J.P. Morgan RiskMetrics 1996)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lpmanager.risk.missing import Missing
from lpmanager.risk.returns import unfit

#: RiskMetrics' weight of the past, per step.
DECAY = 0.94

MINIMUM_RETURNS = 20


def decay_of_half_life(half_life_s: float, step_s: int) -> float:
    """The decay per step with which a return counts half as much after so many seconds."""
    if half_life_s <= 0 or step_s < 1:
        raise ValueError(
            f"half-life and step must be above 0, found {half_life_s} s and {step_s} s"
        )
    return float(0.5 ** (step_s / half_life_s))


def faded_means(values: Iterable[float], decay: float) -> Iterator[float]:
    """After each value, the mean of all so far, in which the one k steps back counts decay**k.

    The weights add up to 1 from the first value on, so nothing needs to be assumed before it.
    """
    if not 0 < decay < 1:
        raise ValueError(f"a decay must be between 0 and 1, found {decay}")
    total = weight = 0.0
    for value in values:
        total = decay * total + value
        weight = decay * weight + 1
        yield total / weight


def ewma_variance_rates(
    returns: Sequence[float], step_s: int, decay: float = DECAY
) -> tuple[float, ...] | Missing:
    """Variance of the log price per second as it was known after each return."""
    missing = unfit("EWMA variance", returns, step_s, MINIMUM_RETURNS)
    if missing is not None:
        return missing
    squares = (change * change / step_s for change in returns)
    return tuple(faded_means(squares, decay))


def ewma_variance_rate(
    returns: Sequence[float], step_s: int, decay: float = DECAY
) -> float | Missing:
    """Variance of the log price per second as it is known now."""
    rates = ewma_variance_rates(returns, step_s, decay)
    return rates if isinstance(rates, Missing) else rates[-1]
