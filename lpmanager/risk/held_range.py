"""Liquidity in a range, as estimates of risk take it: floats in whole tokens of quote per base."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lpmanager.amm import range_bounds
from lpmanager.model import Liquidity, PoolKey, TickRange, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRange:
    """Liquidity in a range, in whole-token units of quote per base (`inventory.exposure`)."""

    liquidity: float
    sqrt_lower: float
    sqrt_upper: float

    def __post_init__(self) -> None:
        if not (self.liquidity >= 0 and 0 < self.sqrt_lower < self.sqrt_upper < math.inf):
            raise ValueError(f"no range to hold liquidity in: {self}")

    def base(self, sqrt_price: float) -> float:
        """The base tokens it holds at a price: L (1 / sqrt P - 1 / sqrt b) inside the range."""
        return self.liquidity * (1 / self._inside(sqrt_price) - 1 / self.sqrt_upper)

    def value(self, sqrt_price: float) -> float:
        """What it holds, in quote tokens: L (2 sqrt P - sqrt a - P / sqrt b) inside the range."""
        quote = self.liquidity * (self._inside(sqrt_price) - self.sqrt_lower)
        return self.base(sqrt_price) * sqrt_price**2 + quote

    def _inside(self, sqrt_price: float) -> float:
        return min(max(sqrt_price, self.sqrt_lower), self.sqrt_upper)


def held_range(
    pool: PoolKey, quote: Token, tick_range: TickRange, liquidity: Liquidity
) -> HeldRange:
    """Liquidity of a pool as estimates take it, whichever of the pool's tokens is the quote."""
    lower, upper = sorted(
        math.sqrt(pool.price(quote, bound).per_whole) for bound in range_bounds(tick_range)
    )
    decimals = pool.token0.decimals + pool.token1.decimals
    return HeldRange(liquidity=liquidity / 10 ** (decimals / 2), sqrt_lower=lower, sqrt_upper=upper)
