"""Where the liquidity stood, and where the price was, over the same buckets of price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lpmanager.backtest.report.run import Numbers, Run
from lpmanager.backtest.report.sampling import closed_at, prices_of, seconds_at_each, ticks_of
from lpmanager.model import TickRange

_BUCKETS = 60
#: How far beyond the prices reached, as a share of their spread in ticks, the buckets go.
_MARGIN = 0.25
_LEAST_MARGIN_TICKS = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Shares by bucket of price.

    `edges` are n + 1 rising prices. `price_time` adds up to 1 and counts the time between samples
    at the price of the first; `liquidity_time` is liquidity times time, as shares of all of it, so
    that it adds up to less than 1 by what stood `outside` of the buckets. `reached` is the share
    of it between the lowest and the highest price sampled, `covered` that of the time in which the
    price was in a range that was held at any time.
    """

    edges: Numbers
    price_time: Numbers
    liquidity_time: Numbers
    outside: float
    reached: float
    covered: float


def coverage_of(run: Run) -> Coverage | None:
    """Where the liquidity stood against where the price was; None where none was ever placed.

    Liquidity counts in its own unit at every tick of its range.
    """
    ticks, seconds = ticks_of(run.pool, run.quote, run.curve.price), seconds_at_each(run)
    low, high = float(ticks.min()), float(ticks.max())
    margin = max((high - low) * _MARGIN, _LEAST_MARGIN_TICKS)
    edges = np.linspace(low - margin, high + margin, _BUCKETS + 1)
    standing, was_held = np.zeros(_BUCKETS), np.zeros(len(ticks), bool)
    reached = whole = 0.0
    for held in run.held:
        weight = float(held.liquidity) * (closed_at(run, held) - held.opened)
        whole += weight * held.range.width
        standing += weight * _ticks_in(held.range, edges)
        was_held |= (ticks >= held.range.lower) & (ticks < held.range.upper)
        reached += weight * float(_ticks_in(held.range, np.array([low, high + 1]))[0])
    if whole <= 0 or seconds.sum() <= 0:
        return None
    at_prices, _ = np.histogram(ticks, bins=edges, weights=seconds)
    prices = prices_of(run.pool, run.quote, edges)
    rising = slice(None) if prices[0] < prices[-1] else slice(None, None, -1)
    return Coverage(
        edges=prices[rising],
        price_time=(at_prices / seconds.sum())[rising],
        liquidity_time=(standing / whole)[rising],
        outside=max(1 - float(standing.sum()) / whole, 0.0),
        reached=reached / whole,
        covered=float(seconds[was_held].sum() / seconds.sum()),
    )


def _ticks_in(span: TickRange, edges: Numbers) -> Numbers:
    """How many ticks of a range lie in each bucket."""
    inside = np.minimum(edges[1:], span.upper) - np.maximum(edges[:-1], span.lower)
    return np.asarray(np.clip(inside, 0, None))
