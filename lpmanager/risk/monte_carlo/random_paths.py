"""Random paths of a price, for generated markets and Monte Carlo: moves of its log, step by step.

Time is in days: `sigma` is per square root of a day, `drift` the growth of the expected price per
day, and a step takes `days`. All is estimates (floats); the seed is the generator's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpmanager.risk.heston.model import Heston, mean_decay

Moves = NDArray[np.float64]
_Shape = int | tuple[int, ...]

#: Where the quadratic scheme gives way to the exponential one (Andersen 2008, between 1 and 2).
_PSI_BORDER = 1.5
#: Below this the quadratic scheme is a normal draw to eight digits, and its terms leave the floats.
_PSI_NORMAL = 1e-16


def gbm_moves(
    random: np.random.Generator, shape: _Shape, *, days: float, sigma: float, drift: float = 0.0
) -> Moves:
    """Moves of a geometric Brownian motion; exact for any step."""
    normal = random.standard_normal(shape)
    return (drift - sigma**2 / 2) * days + sigma * math.sqrt(days) * normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Jumps:
    """Jumps at random times: how many a day; mean and deviation of the price's logarithm in one."""

    per_day: float
    mean: float
    deviation: float

    @property
    def growth(self) -> float:
        """By what share one jump raises the price, on average."""
        return math.expm1(self.mean + self.deviation**2 / 2)


def jump_moves(
    random: np.random.Generator,
    shape: _Shape,
    *,
    days: float,
    sigma: float,
    jumps: Jumps,
    drift: float = 0.0,
) -> Moves:
    """Moves of Merton's jump diffusion (1976); `drift` is that of the price with its jumps."""
    rest = drift - jumps.per_day * jumps.growth
    moves = gbm_moves(random, shape, days=days, sigma=sigma, drift=rest)
    count = random.poisson(jumps.per_day * days, shape)
    normal = random.standard_normal(shape)
    return np.asarray(moves + count * jumps.mean + np.sqrt(count) * jumps.deviation * normal)


def variance_path(
    random: np.random.Generator, steps: int, *, days: float, heston: Heston
) -> NDArray[np.float64]:
    """The variance at the start and after each step: `steps` + 1 numbers.

    Mean and variance of every step are those of the process itself: the quadratic-exponential
    scheme of Andersen, "Simple and efficient simulation of the Heston stochastic volatility model"
    (2008), section 3.2.
    """
    normal = random.standard_normal(steps).tolist()
    uniform = random.random(steps).tolist()
    decay, own, steady = step_terms(days, heston)
    variance, path = heston.start, [heston.start]
    for step in range(steps):
        mean = heston.mean + (variance - heston.mean) * decay
        variance = next_variance(mean, variance * own + steady, normal[step], uniform[step])
        path.append(variance)
    return np.array(path)


def step_terms(days: float, heston: Heston) -> tuple[float, float, float]:
    """How a step takes a variance v: its mean is `mean` + (v - `mean`) decay, and its variance
    v own + steady."""
    passed = heston.reversion * days
    decay, noise = math.exp(-passed), heston.vol_of_vol**2 * days * mean_decay(passed)
    return decay, noise * decay, heston.mean * noise * -math.expm1(-passed) / 2


def next_variance(mean: float, spread: float, normal: float, uniform: float) -> float:
    """A draw of this mean and variance (`spread`) that is never negative.

    One step of `variance_path`, from a standard normal draw and a uniform one in [0, 1).
    """
    if mean == 0:
        return 0.0
    psi = spread / mean / mean
    if psi < _PSI_NORMAL:
        return mean + math.sqrt(spread) * normal
    if psi <= _PSI_BORDER:
        inverse = 2 / psi
        root = inverse - 1 + math.sqrt(inverse * (inverse - 1))
        return mean / (1 + root) * (math.sqrt(root) + normal) ** 2
    above_zero = 2 / (psi + 1)
    if 1 - uniform >= above_zero:
        return 0.0
    return math.log(above_zero / (1 - uniform)) * mean / above_zero


def heston_moves(
    random: np.random.Generator, steps: int, *, days: float, heston: Heston, drift: float = 0.0
) -> Moves:
    """Moves of the price under `variance_path`; see `moves_under`."""
    path = variance_path(random, steps, days=days, heston=heston)
    return moves_under(random, path, days=days, heston=heston, drift=drift)


def moves_under(
    random: np.random.Generator,
    path: NDArray[np.float64],
    *,
    days: float,
    heston: Heston,
    drift: float = 0.0,
) -> Moves:
    """Moves of the price under given variances, whose last axis is time; one fewer than those.

    The variance of a step is the middle of those at its ends, as in the same paper, section 4.2.
    The noise that the price shares with the variance is what the variance's own surprise in the
    step tells of it: with a variance v over the step, their covariance over the surprise's variance
    is 2 / (1 + decay) / vol_of_vol, and `told` the share of the shared noise's variance v days that
    this explains. The paper takes the surprise from the middle too, whose error is then divided by
    vol_of_vol: a drift of its own where that is small. No martingale correction: the expected price
    drifts by an error of second order in the step.
    """
    before, after = path[..., :-1], path[..., 1:]
    between = days / 2 * (before + after)
    normal = random.standard_normal(between.shape)
    if heston.is_certain:
        return np.asarray(drift * days - between / 2 + np.sqrt(between) * normal)
    passed = heston.reversion * days
    decay = math.exp(-passed)
    told = 2 * mean_decay(passed) / (1 + decay)
    surprise = after - (heston.mean + (before - heston.mean) * decay)
    shared = heston.correlation * 2 / (1 + decay) * surprise / heston.vol_of_vol
    own = np.sqrt((1 - told * heston.correlation**2) * between) * normal
    return np.asarray(drift * days - between / 2 + shared + own)
