"""What a campaign has at stake, and what a move of the price makes of it: estimates in floats.

All is in whole tokens, with P the quote tokens for one base token, whichever of the two is the
pool's token0, as in `lpmanager.inventory.exposure`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lpmanager.risk.held_range import HeldRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """Ranges at a price, with what lies beside them: `base` and `quote` tokens, debts negative.

    `fee_rate`: quote tokens earned per unit of liquidity per second in range. `gas`: what has to be
    paid over the horizon, in quote tokens.
    """

    sqrt_price: float
    ranges: tuple[HeldRange, ...]
    base: float
    quote: float
    fee_rate: float
    gas: float

    def __post_init__(self) -> None:
        if not 0 < self.sqrt_price < math.inf:
            raise ValueError(f"a price is positive and finite, found a root of {self.sqrt_price}")
        if not all(map(math.isfinite, (self.base, self.quote))):
            raise ValueError(f"holdings are finite numbers, found {self.base} and {self.quote}")
        if not (0 <= self.fee_rate < math.inf and 0 <= self.gas < math.inf):
            raise ValueError(
                f"fees and gas are finite and not negative, found {self.fee_rate} and {self.gas}"
            )

    def value(self, sqrt_price: float) -> float:
        """All of it in quote tokens at a price, without fees to come and gas."""
        held = self.base * sqrt_price**2 + self.quote
        return held + sum(each.value(sqrt_price) for each in self.ranges)

    def base_at(self, sqrt_price: float) -> float:
        """All base tokens at a price."""
        return self.base + sum(each.base(sqrt_price) for each in self.ranges)


def historical_results(
    stake: Stake, returns: Iterable[float], horizon_s: float
) -> tuple[float, ...]:
    """What the stake would have made of past returns, each over `horizon_s`: quote tokens.

    `returns` are differences of the log price (quote per base). A result is the change of value,
    plus fees, less gas, without rebalancing. Fees are counted for the share of the straight way in
    log price that lies in the range, which stands for the way that a single return does not tell.
    """
    if not 0 <= horizon_s < math.inf:
        raise ValueError(f"a horizon is finite and not negative, found {horizon_s} s")
    now, start = stake.value(stake.sqrt_price), 2 * math.log(stake.sqrt_price)
    results = []
    for each in returns:
        at_end = math.exp((start + each) / 2)
        shares = (r.liquidity * _share_inside(r, start, start + each) for r in stake.ranges)
        fees = stake.fee_rate * horizon_s * sum(shares)
        results.append(stake.value(at_end) - now + fees - stake.gas)
    return tuple(results)


def _share_inside(held: HeldRange, start: float, end: float) -> float:
    """The share of the straight way between two log prices that lies in the range."""
    lower, upper = 2 * math.log(held.sqrt_lower), 2 * math.log(held.sqrt_upper)
    low, high = min(start, end), max(start, end)
    if low == high:
        return float(lower <= start < upper)
    return max(min(high, upper) - max(low, lower), 0.0) / (high - low)
