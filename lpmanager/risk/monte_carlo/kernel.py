"""The loops over paths, compiled."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.jit import compiled_once, inlined
from lpmanager.risk.monte_carlo.random_paths import next_variance

_Numbers = NDArray[np.float64]
Play = Callable[[_Numbers, _Numbers, float, float, float, float, _Numbers], None]
Fill = Callable[[_Numbers, _Numbers, _Numbers, float, float, float, float], None]

_next_variance = inlined(next_variance)


def _play(stamp: str) -> Play:
    """`play`, not yet compiled; see `compiled_once` for the stamp."""

    def play(
        moves: _Numbers,
        ranges: _Numbers,
        sqrt_price: float,
        base: float,
        quote: float,
        earned: float,
        results: _Numbers,
    ) -> None:
        """Writes for each path what is held at its end, with the fees of the way.

        `moves` is (paths, steps), `ranges` rows of liquidity and the two square roots of the price;
        `earned`: quote tokens per unit of liquidity in a step that is spent in range.
        """
        _ = stamp
        start = 2 * math.log(sqrt_price)
        edges = 2 * np.log(ranges[:, 1:])
        fees_at_start = 0.0
        for r in range(len(ranges)):
            if edges[r, 0] <= start < edges[r, 1]:
                fees_at_start += ranges[r, 0]
        for path in range(len(moves)):
            price = start
            before, active = fees_at_start, 0.0
            for step in range(moves.shape[1]):
                price += moves[path, step]
                after = 0.0
                for r in range(len(ranges)):
                    if edges[r, 0] <= price < edges[r, 1]:
                        after += ranges[r, 0]
                active += (before + after) / 2
                before = after
            root = math.exp(price / 2)
            value = base * root * root + quote + earned * active
            for r in range(len(ranges)):
                inside = min(max(root, ranges[r, 1]), ranges[r, 2])
                value += ranges[r, 0] * (
                    (1 / inside - 1 / ranges[r, 2]) * root * root + inside - ranges[r, 1]
                )
            results[path] = value

    return play


def _fill(stamp: str) -> Fill:
    """`fill`, not yet compiled; see `compiled_once` for the stamp."""

    def fill(
        variances: _Numbers,
        normal: _Numbers,
        uniform: _Numbers,
        level: float,
        decay: float,
        own: float,
        steady: float,
    ) -> None:
        """Writes the variances after each step beside those at the start; (paths, steps + 1)."""
        _ = stamp
        for path in range(len(variances)):
            variance = variances[path, 0]
            for step in range(normal.shape[1]):
                mean = level + (variance - level) * decay
                spread = variance * own + steady
                variance = _next_variance(mean, spread, normal[path, step], uniform[path, step])
                variances[path, step + 1] = variance

    return fill


_HERE = Path(__file__).parent
play = compiled_once(_play, _HERE)
fill = compiled_once(_fill, _HERE)
