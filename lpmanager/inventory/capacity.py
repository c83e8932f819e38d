"""How much a position can still trade each way before its range ends."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from lpmanager.amm import amounts_between_down, range_bounds
from lpmanager.model import Amount, Amounts, Liquidity, PoolKey, Position, SqrtPriceX96, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What a position can still do, without fees, rounded down.

    As the price of the base token rises to the end of the range, it sells `base_left` for
    `base_sells_for`; as it falls to the other end, it buys `quote_buys` with `quote_left`.
    `*_used` is the share of that side's whole capacity already spent, in [0, 1]; None where the
    position has no capacity at all.
    """

    base_left: Amount
    base_sells_for: Amount
    base_used: Fraction | None
    quote_left: Amount
    quote_buys: Amount
    quote_used: Fraction | None


def position_capacity(
    pool: PoolKey, quote: Token, sqrt_price_x96: SqrtPriceX96, position: Position
) -> Capacity:
    """The capacity of a position at a price, exact from its amounts there and at both edges."""
    low, high = range_bounds(position.range)
    return capacity_between(pool, quote, sqrt_price_x96, low, high, position.liquidity)


def capacity_between(
    pool: PoolKey,
    quote: Token,
    sqrt_price_x96: SqrtPriceX96,
    low: SqrtPriceX96,
    high: SqrtPriceX96,
    liquidity: Liquidity,
) -> Capacity:
    """As `position_capacity`, for bounds that need not be on ticks."""

    def amounts_at(price: SqrtPriceX96) -> Amounts:
        return pool.amounts(*amounts_between_down(price, low, high, liquidity))

    now, all0, all1 = amounts_at(sqrt_price_x96), amounts_at(low), amounts_at(high)
    if quote == pool.token1:
        base, whole_base = now.amount0, all0.amount0
        quoted, whole_quote = now.amount1, all1.amount1
    else:
        base, whole_base = now.amount1, all1.amount1
        quoted, whole_quote = now.amount0, all0.amount0
    return Capacity(
        base_left=base,
        base_sells_for=whole_quote - quoted,
        base_used=_used(base, whole_base),
        quote_left=quoted,
        quote_buys=whole_base - base,
        quote_used=_used(quoted, whole_quote),
    )


def _used(left: Amount, whole: Amount) -> Fraction | None:
    return 1 - Fraction(left.raw, whole.raw) if whole.raw else None
