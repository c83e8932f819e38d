"""Open positions and what they earn, as the compiled loops see them: a column for each position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lpmanager.backtest.fast.prices import sqrt_prices
from lpmanager.backtest.markets.market import Times
from lpmanager.backtest.report.run import Numbers
from lpmanager.model import TickRange

#: Rows of `Held.edges`, and the first two of `Held.numbers`; its third.
LOWER, UPPER = range(2)
LIQUIDITY = 2

#: Rows of what positions earned, in raw units of the tokens; lost to arbitrage, in raw quote units
#: at the prices of the time; and how many seconds the price was in their ranges.
FEES0, FEES1, LOST, SECONDS = range(4)
Earned = Numbers


class Held(NamedTuple):
    """Ranges [lower, upper): `edges` (2, k) are their ticks; `numbers` (3, k) the sqrt prices of
    these, above 0, and the liquidity. A place whose liquidity is 0 is empty."""

    edges: Times
    numbers: Numbers


def held(ranges: Sequence[TickRange], liquidities: Sequence[float]) -> Held:
    """Positions of this liquidity in these ranges."""
    edges = np.array([[r.lower for r in ranges], [r.upper for r in ranges]], np.int64)
    prices = sqrt_prices(edges)
    return Held(edges, np.stack((*prices, np.array(liquidities, np.float64))))


def nothing_earned(positions: int) -> Earned:
    """The beginning for so many positions: (4, k) zeros."""
    return np.zeros((4, positions))
