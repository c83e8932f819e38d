"""What positions earn and lose along a market's way, as curves are drawn of it. Floats.

s is the square root of raw token1 for one raw token0. Of liquidity L in [a, b], with s cut to it:
fees are L (1/s' - 1/s) f/(1-f) of token0 where the price falls, L (s' - s) f/(1-f) of token1 where
it rises; the loss to arbitrageurs (LVR) is what rebalancing the same tokens at each row's price
would have kept: x (s'^2 - s^2) - (V' - V) in token1, with the position's token0 x and value V
(Milionis et al., arXiv 2208.06046, in discrete steps).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.packing import Rows, to_floats
from lpmanager.backtest.replay.history import Stretch
from lpmanager.model import TickRange
from lpmanager.model.units import LOG_TICK

Floats = NDArray[np.float64]


class Way(NamedTuple):
    """Square roots of the prices that a stretch went through, and how far it went all in all: up,
    and down in the square root's inverse. Both are what liquidity everywhere earns by, and a band
    that the price did not leave."""

    roots: Floats
    down: float
    up: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, roots: Floats) -> Way:
        """The way along at least one price."""
        return cls(roots, *_down_and_up(roots), float(roots.min()), float(roots.max()))


class Band(NamedTuple):
    """Liquidity between two square roots of a price."""

    low: float
    high: float
    liquidity: float

    @classmethod
    def of(cls, span: TickRange, liquidity: float) -> Band:
        """Of a range of ticks."""
        return cls(root_at(span.lower), root_at(span.upper), liquidity)

    def amounts(self, root: float) -> tuple[float, float]:
        """Raw token0 and token1 at a price."""
        s = min(max(root, self.low), self.high)
        return self.liquidity * (1 / s - 1 / self.high), self.liquidity * (s - self.low)

    def fees(self, way: Way, fee: float) -> tuple[float, float]:
        """Raw token0 and token1 earned where the price goes this way; `fee` is a fraction."""
        down, up = way.down, way.up
        if way.lowest < self.low or self.high < way.highest:
            down, up = _down_and_up(np.clip(way.roots, self.low, self.high))
        earns = self.liquidity * fee / (1 - fee)
        return down * earns, up * earns

    def lvr(self, closes: Floats) -> Floats:
        """Raw token1 lost from each price to the next."""
        s = np.clip(closes, self.low, self.high)
        x = self.liquidity * (1 / s - 1 / self.high)
        value = x * closes**2 + self.liquidity * (s - self.low)
        lost: Floats = np.maximum(x[:-1] * np.diff(closes**2) - np.diff(value), 0.0)
        return lost


def _down_and_up(s: Floats) -> tuple[float, float]:
    inverse = 1 / s
    return (
        float(np.maximum(inverse[1:] - inverse[:-1], 0).sum()),
        float(np.maximum(s[1:] - s[:-1], 0).sum()),
    )


def root_at(tick: int) -> float:
    """The square root of the price at a tick."""
    return math.exp(tick * LOG_TICK / 2)


def roots_of(prices: Rows) -> Floats:
    """Square roots of prices from sqrtPriceX96 in limbs."""
    return to_floats(prices) / 2.0**96


def closes_of(stretch: Stretch, before: float) -> tuple[Way, Floats, NDArray[np.int64]]:
    """The way a stretch took, and the price each row with a swap left, which begin with `before`;
    and those rows."""
    roots = roots_of(stretch.went.prices)
    rows = stretch.legs.rows[: stretch.went.legs]
    last = np.append(rows[1:] != rows[:-1], True) if len(rows) else np.zeros(0, np.bool_)
    way = Way.of(np.concatenate(([before], roots)))
    return way, np.concatenate(([before], roots[last])), rows[last]
