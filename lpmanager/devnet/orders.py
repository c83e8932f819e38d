"""What a market wants done in a block: orders as data, and the calldata of each."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.abi import Function
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

#: The prices a pool cannot reach; a swap's limit must lie strictly between them.
_LOWEST_SQRT_PRICE_X96 = 4295128739
_HIGHEST_SQRT_PRICE_X96 = 1461446703485210103287273052203988822378723970342

_SWAP = Function("swap(address,bool,int256,uint160)")
_FOLLOW = Function("follow(address,bool,uint256,uint160)")
_KEEP_WITHIN = Function("keepWithin(address,uint160,uint160)")
_MINT = Function("mint(address,int24,int24,uint128)")
_BURN = Function("burn(address,int24,int24,uint128)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Sell exactly `raw_in` of token0 (`zero_for_one`) or of token1, at any price."""

    zero_for_one: bool
    raw_in: int

    def calldata(self, pool: str) -> bytes:
        """The trader's call for this order."""
        limit = _LOWEST_SQRT_PRICE_X96 + 1 if self.zero_for_one else _HIGHEST_SQRT_PRICE_X96 - 1
        return _SWAP.encode(pool, self.zero_for_one, self.raw_in, limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Bring the pool's price to `target`; where it is there already, sell `raw_in`."""

    zero_for_one: bool
    raw_in: int
    target: SqrtPriceX96

    def calldata(self, pool: str) -> bytes:
        """The trader's call for this order."""
        return _FOLLOW.encode(pool, self.zero_for_one, self.raw_in, self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepWithin:
    """Trade the pool to the nearer of two prices where it is outside them; else do nothing."""

    low: SqrtPriceX96
    high: SqrtPriceX96

    def calldata(self, pool: str) -> bytes:
        """The trader's call for this order."""
        return _KEEP_WITHIN.encode(pool, self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLiquidity:
    """Mint liquidity in a range."""

    range: TickRange
    liquidity: Liquidity

    def calldata(self, pool: str) -> bytes:
        """The trader's call for this order."""
        return _MINT.encode(pool, self.range.lower, self.range.upper, self.liquidity)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLiquidity:
    """Burn liquidity minted before, and collect."""

    range: TickRange
    liquidity: Liquidity

    def calldata(self, pool: str) -> bytes:
        """The trader's call for this order."""
        return _BURN.encode(pool, self.range.lower, self.range.upper, self.liquidity)


Order = Trade | Follow | KeepWithin | AddLiquidity | RemoveLiquidity


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOrders:
    """The orders of one block, in order, and its time in Unix seconds.

    `expected_sqrt_price_x96` is the price the pool should have afterwards, where that is known.
    """

    timestamp: int
    orders: tuple[Order, ...]
    expected_sqrt_price_x96: SqrtPriceX96 | None
