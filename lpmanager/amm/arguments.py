"""What the contract's ABI can take at all. Everything else is refused before the pool sees it."""

from __future__ import annotations

from operator import index

from lpmanager.amm.reverts import PoolRevert
from lpmanager.model import MAX_TICK, MIN_TICK, TickRange

UINT128_MAX = 2**128 - 1
_INT24_END = 2**23


def between(name: str, value: int, low: int, high: int) -> int:
    """`value` as a plain int. Raises ValueError outside [low, high], TypeError for no integer."""
    value = index(value)
    if not low <= value <= high:
        raise ValueError(f"{name} must be in [{low}, {high}], found {value}")
    return value


def uint(name: str, value: int, bits: int) -> int:
    """`value` as a plain int. Raises ValueError where that many unsigned bits do not hold it."""
    return between(name, value, 0, (1 << bits) - 1)


def int256(name: str, value: int) -> int:
    """`value` as a plain int. Raises ValueError where int256 does not hold it."""
    return between(name, value, -(2**255), 2**255 - 1)


def edges(tick_lower: int, tick_upper: int) -> tuple[int, int]:
    """A range's ticks as plain ints. Raises ValueError where int24 does not hold one."""
    return (
        between("tick_lower", tick_lower, -_INT24_END, _INT24_END - 1),
        between("tick_upper", tick_upper, -_INT24_END, _INT24_END - 1),
    )


def range_between(tick_lower: int, tick_upper: int) -> TickRange:
    """The range between two ticks. Raises PoolRevert (TLU, TLM, TUM) as the contract does."""
    if tick_lower >= tick_upper:
        raise PoolRevert("TLU")
    if tick_lower < MIN_TICK:
        raise PoolRevert("TLM")
    if tick_upper > MAX_TICK:
        raise PoolRevert("TUM")
    return TickRange(tick_lower, tick_upper)


def int128(liquidity: int) -> int:
    """A uint128 amount of liquidity that is about to get a sign. Raises PoolRevert."""
    if liquidity >= 2**127:
        raise PoolRevert("", f"liquidity {liquidity} does not fit int128")
    return liquidity
