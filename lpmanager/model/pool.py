"""A pool: what never changes of it, and its state at one block."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model.price import Price, valuation_price
from lpmanager.model.tick import Liquidity, SqrtPriceX96, TickRange
from lpmanager.model.token import Amount, Amounts, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolKey:
    """What never changes of a pool. `fee_pips` is in millionths (500 = 0.05 %)."""

    address: str
    token0: Token
    token1: Token
    fee_pips: int
    tick_spacing: int

    def amounts(self, raw0: int, raw1: int) -> Amounts:
        """Both raw amounts as typed amounts of this pool's tokens."""
        return Amounts(Amount(self.token0, raw0), Amount(self.token1, raw1))

    def token_named(self, name: str) -> Token | None:
        """The token of that symbol or address, in any case; None where not exactly one is it."""
        named = [
            token
            for token in (self.token0, self.token1)
            if name.lower() in (token.symbol.lower(), token.address.lower())
        ]
        return named[0] if len(named) == 1 else None

    def price(self, quote: Token, sqrt_price_x96: SqrtPriceX96) -> Price:
        """The valuation price of this pool's pair in `quote`."""
        return valuation_price(self.token0, self.token1, quote, sqrt_price_x96)

    def __str__(self) -> str:
        return f"{self.token0.symbol}/{self.token1.symbol} {self.fee_pips / 10_000:g}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class TickState:
    """An initialized tick. `liquidity_net` is added when the price crosses it upwards."""

    tick: int
    liquidity_gross: int
    liquidity_net: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """A pool at one block.

    `ticks` are all initialized ticks inside `known`, in rising order; outside `known` nothing is
    known, and a swap that would leave it raises instead of guessing.
    """

    sqrt_price_x96: SqrtPriceX96
    tick: int
    liquidity: Liquidity
    fee_growth_global0_x128: int
    fee_growth_global1_x128: int
    fee_protocol: int
    ticks: tuple[TickState, ...]
    known: TickRange
