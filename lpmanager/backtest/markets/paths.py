"""Random paths of a price, for generated markets: moves of its logarithm, step by step.

Time is in days: `sigma` is per square root of a day, `drift` the growth of the expected price per
day, and a step takes `days`. All is estimates (floats); the seed is the generator's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Moves = NDArray[np.float64]
LogPrices = NDArray[np.float64]
_Shape = int | tuple[int, ...]

#: Where the quadratic scheme gives way to the exponential one (Andersen 2008, between 1 and 2).
_PSI_BORDER = 1.5


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Heston:
    """A variance per day that returns to `mean` at the speed `reversion` (per day).

    dv = reversion (mean - v) dt + vol_of_vol sqrt(v) dW, correlated with the price's own noise.
    The variance may touch zero (2 reversion mean < vol_of_vol^2).
    """

    start: float
    mean: float
    reversion: float
    vol_of_vol: float
    correlation: float

    def __post_init__(self) -> None:
        if min(self.start, self.mean) < 0 or min(self.reversion, self.vol_of_vol) <= 0:
            raise ValueError(
                "variances must not be negative, and reversion and vol_of_vol must be positive; "
                f"found {self}"
            )
        if abs(self.correlation) > 1:
            raise ValueError(f"a correlation is in [-1, 1], found {self.correlation}")


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
    decay = math.exp(-heston.reversion * days)
    own = heston.vol_of_vol**2 * decay * (1 - decay) / heston.reversion
    steady = heston.mean * heston.vol_of_vol**2 * (1 - decay) ** 2 / (2 * heston.reversion)
    variance, path = heston.start, [heston.start]
    for step in range(steps):
        mean = heston.mean + (variance - heston.mean) * decay
        variance = _next_variance(mean, variance * own + steady, normal[step], uniform[step])
        path.append(variance)
    return np.array(path)


def _next_variance(mean: float, spread: float, normal: float, uniform: float) -> float:
    """A draw of this mean and variance that is never negative."""
    if mean == 0:
        return 0.0
    psi = spread / mean**2
    if psi <= _PSI_BORDER:
        inverse = 2 / psi
        root = inverse - 1 + math.sqrt(inverse * (inverse - 1))
        return mean / (1 + root) * (math.sqrt(root) + normal) ** 2
    at_zero = (psi - 1) / (psi + 1)
    if uniform <= at_zero:
        return 0.0
    return math.log((1 - at_zero) / (1 - uniform)) * mean / (1 - at_zero)


def heston_moves(
    random: np.random.Generator, steps: int, *, days: float, heston: Heston, drift: float = 0.0
) -> Moves:
    """Moves of the price under `variance_path`.

    Central discretisation of the same paper, section 4.2, without its martingale correction: the
    expected price drifts by an error of second order in the step.
    """
    path = variance_path(random, steps, days=days, heston=heston)
    before, after = path[:-1], path[1:]
    ratio = heston.correlation / heston.vol_of_vol
    between = days / 2 * (before + after)
    shared = ratio * (after - before - heston.reversion * (heston.mean * days - between))
    own = np.sqrt((1 - heston.correlation**2) * between) * random.standard_normal(steps)
    return np.asarray(drift * days - between / 2 + shared + own)


def within_fees(outside: LogPrices, fee: float) -> LogPrices:
    """Log prices of a pool that only arbitrage moves, from those outside; both start at 0.

    At each step (the last axis) the pool goes to the nearer edge of [p (1 - fee), p / (1 - fee)]
    around the price p outside, and stays where it is inside: what is left to gain is less than the
    fee. 0 <= fee < 1.
    """
    reach = -math.log1p(-fee)
    pool = np.empty_like(outside)
    price = np.zeros(outside.shape[:-1])
    for step in range(outside.shape[-1]):
        there = outside[..., step]
        price = np.minimum(np.maximum(price, there - reach), there + reach)
        pool[..., step] = price
    return pool
