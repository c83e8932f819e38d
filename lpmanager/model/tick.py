"""Ticks and ranges of them: the grid on which concentrated liquidity lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

SqrtPriceX96 = NewType("SqrtPriceX96", int)
"""Square root of (raw token1 per raw token0), times 2**96, as the pool stores it."""

Liquidity = NewType("Liquidity", int)
"""Liquidity in the pool's own unit (uint128)."""

MIN_TICK = -887272
MAX_TICK = 887272


def floor_to_spacing(tick: int, spacing: int) -> int:
    """The highest usable tick at or below `tick` (towards negative infinity)."""
    return tick // spacing * spacing


def ceil_to_spacing(tick: int, spacing: int) -> int:
    """The lowest usable tick at or above `tick` (towards positive infinity)."""
    return -(-tick // spacing) * spacing


def min_usable_tick(spacing: int) -> int:
    """The lowest tick a position may use."""
    return ceil_to_spacing(MIN_TICK, spacing)


def max_usable_tick(spacing: int) -> int:
    """The highest tick a position may use."""
    return floor_to_spacing(MAX_TICK, spacing)


@dataclass(frozen=True, slots=True)
class TickRange:
    """The half-open range [lower, upper) of ticks in which a position's liquidity is active."""

    lower: int
    upper: int

    def __post_init__(self) -> None:
        if self.lower >= self.upper:
            raise ValueError(f"inverted range: lower {self.lower} must be below upper {self.upper}")
        if self.lower < MIN_TICK or self.upper > MAX_TICK:
            raise ValueError(f"range {self} leaves [{MIN_TICK}, {MAX_TICK}]")

    def __contains__(self, tick: int) -> bool:
        return self.lower <= tick < self.upper

    def __str__(self) -> str:
        return f"[{self.lower}, {self.upper})"

    @property
    def width(self) -> int:
        """Width in ticks."""
        return self.upper - self.lower

    @property
    def centre(self) -> int:
        """The middle tick, rounded down."""
        return (self.lower + self.upper) // 2

    def require_spacing(self, spacing: int) -> None:
        """Raise ValueError, naming the nearest usable ticks, where an edge is off the spacing."""
        for name, tick in (("lower", self.lower), ("upper", self.upper)):
            if tick % spacing:
                below, above = floor_to_spacing(tick, spacing), ceil_to_spacing(tick, spacing)
                raise ValueError(
                    f"{name} tick {tick} is not a multiple of the pool's tickSpacing {spacing}; "
                    f"the nearest are {below} and {above}"
                )
