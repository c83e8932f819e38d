"""The curve of a run cut down to what a picture can show, and ticks as prices for it.

Floats throughout: for pictures only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from lpmanager.backtest.report.run import Curve, Held, Numbers, Run
from lpmanager.model import PoolKey, Token

_TICK_BASE = 1.0001


def thinned(run: Run, most: int) -> Curve:
    """About `most` rows of the curve at the most: first and last, those next to moves, the highest
    and the lowest price of each stretch, none of them changed. All rows where they are no more."""
    curve = run.curve
    count = len(curve.time)
    if count <= most:
        return curve
    stretches = np.array_split(np.arange(count), max(most // 2, 1))
    extremes = [
        row + offset
        for stretch in stretches
        for row, offset in (
            (int(stretch[0]), int(curve.price[stretch].argmin())),
            (int(stretch[0]), int(curve.price[stretch].argmax())),
        )
    ]
    moves = np.searchsorted(curve.time, [move.time for move in run.moves][:most]).clip(0, count - 1)
    rows = np.unique(np.concatenate([[0, count - 1], extremes, moves]).astype(np.int64))
    return Curve(**{field.name: getattr(curve, field.name)[rows] for field in fields(Curve)})


def prices_of(pool: PoolKey, quote: Token, ticks: Iterable[float]) -> Numbers:
    """The prices at ticks, whole quote per whole base."""
    exponents = np.asarray(list(ticks), dtype=np.float64)
    if quote == pool.token1:
        scale = 10.0 ** (pool.token0.decimals - pool.token1.decimals)
        return np.power(_TICK_BASE, exponents) * scale
    scale = 10.0 ** (pool.token1.decimals - pool.token0.decimals)
    return np.power(_TICK_BASE, -exponents) * scale


def ticks_of(pool: PoolKey, quote: Token, prices: Numbers) -> Numbers:
    """Where prices lie among the ticks, not rounded."""
    at_zero = prices_of(pool, quote, [0.0])[0]
    ticks = np.log(prices / at_zero) / np.log(_TICK_BASE)
    return np.asarray(ticks if quote == pool.token1 else -ticks)


def band_of(run: Run, held: Held) -> tuple[float, float]:
    """The lowest and highest price of a position's range."""
    one, other = prices_of(run.pool, run.quote, (held.range.lower, held.range.upper))
    return min(one, other), max(one, other)


def closed_at(run: Run, held: Held) -> int:
    """When a position ended, which for one still open is the run's end."""
    return run.end if held.closed is None else held.closed


def seconds_at_each(run: Run) -> NDArray[np.float64]:
    """How long each sample stood until the next, in seconds; 0 for the last."""
    return np.diff(run.curve.time, append=run.curve.time[-1:]).astype(np.float64)
