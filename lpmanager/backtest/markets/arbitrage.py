"""The price of a pool that only arbitrage moves, from the prices outside."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LogPrices = NDArray[np.float64]


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
