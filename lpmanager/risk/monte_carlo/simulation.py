"""Draws paths, and plays what a campaign has at stake along them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpmanager.model.units import DAY_S
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.monte_carlo.kernel import fill, play
from lpmanager.risk.monte_carlo.random_paths import (
    Jumps,
    Moves,
    gbm_moves,
    jump_moves,
    moves_under,
    step_terms,
)
from lpmanager.risk.stake import Stake

Results = NDArray[np.float64]

#: Paths drawn at once. Another number would be another stream of random numbers.
_CHUNK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Diffusion:
    """A log price with normal moves, and jumps where there are any.

    `variance_rate`: of the log price per second, without jumps. `drift_rate`: growth of the
    expected price per second, jumps included.
    """

    variance_rate: float
    drift_rate: float = 0.0
    jumps: Jumps | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.variance_rate < math.inf or not math.isfinite(self.drift_rate):
            raise ValueError(
                "a variance is finite and not negative, and a drift finite; found "
                f"{self.variance_rate} and {self.drift_rate} per second"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How much is simulated: `paths` of `steps` even steps over `horizon_s` seconds."""

    horizon_s: float
    seed: int
    paths: int = 100_000
    steps: int = 48

    def __post_init__(self) -> None:
        if not 0 < self.horizon_s < math.inf or self.paths < 1 or self.steps < 1:
            raise ValueError(f"paths, steps and a finite horizon must be positive, found {self}")

    @property
    def days(self) -> float:
        """One step, in days."""
        return self.horizon_s / self.steps / DAY_S


def simulated_results(stake: Stake, dynamics: Diffusion | Heston, draw: Draw) -> Results:
    """One result of the stake per path, in quote tokens.

    A result is the change of value, plus the fees of the time in range, less the gas; nothing is
    rebalanced on the way. Whether a range is active is looked at after each step, and half of the
    step belongs to either end. The price of `Heston` has no drift.

    The same seed gives the same results on every machine, up to the last bits of exponentials and
    logarithms, as long as numpy draws the same numbers.
    """
    random = np.random.default_rng(draw.seed)
    ranges = np.array(
        [(r.liquidity, r.sqrt_lower, r.sqrt_upper) for r in stake.ranges], dtype=np.float64
    ).reshape(-1, 3)
    terms = (stake.sqrt_price, stake.base, stake.quote)
    earned = stake.fee_rate * draw.horizon_s / draw.steps
    results = np.empty(draw.paths)
    done = 0
    for moves in _chunks(random, dynamics, draw):
        play(moves, ranges, *terms, earned, results[done : done + len(moves)])
        done += len(moves)
    return results - stake.value(stake.sqrt_price) - stake.gas


def simulated_returns(dynamics: Diffusion | Heston, draw: Draw) -> Results:
    """The move of the log price over the whole horizon, one per path, in the order drawn."""
    random = np.random.default_rng(draw.seed)
    return np.concatenate([moves.sum(axis=1) for moves in _chunks(random, dynamics, draw)])


def _chunks(
    random: np.random.Generator, dynamics: Diffusion | Heston, draw: Draw
) -> Iterator[Moves]:
    """Moves of the log price, (paths, steps), until there are as many paths as asked for."""
    for done in range(0, draw.paths, _CHUNK):
        shape = (min(_CHUNK, draw.paths - done), draw.steps)
        if isinstance(dynamics, Heston):
            variances = variance_paths(random, shape, days=draw.days, heston=dynamics)
            yield moves_under(random, variances, days=draw.days, heston=dynamics)
        else:
            yield _diffusion_moves(random, shape, draw.days, dynamics)


def _diffusion_moves(
    random: np.random.Generator, shape: tuple[int, int], days: float, diffusion: Diffusion
) -> Moves:
    sigma, drift = math.sqrt(diffusion.variance_rate * DAY_S), diffusion.drift_rate * DAY_S
    if diffusion.jumps is None:
        return gbm_moves(random, shape, days=days, sigma=sigma, drift=drift)
    return jump_moves(random, shape, days=days, sigma=sigma, jumps=diffusion.jumps, drift=drift)


def variance_paths(
    random: np.random.Generator, shape: tuple[int, int], *, days: float, heston: Heston
) -> NDArray[np.float64]:
    """As `random_paths.variance_path`, many at once: (paths, steps + 1) variances per day."""
    decay, own, steady = step_terms(days, heston)
    variances = np.empty((shape[0], shape[1] + 1))
    variances[:, 0] = heston.start
    normal, uniform = random.standard_normal(shape), random.random(shape)
    fill(variances, normal, uniform, heston.mean, decay, own, steady)
    return variances
