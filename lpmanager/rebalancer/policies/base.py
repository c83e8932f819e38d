"""What a policy is, and the rule by which the built-in ones let a range stand."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol, runtime_checkable

from lpmanager.inventory.skew import Quotes
from lpmanager.model import Position, Target, TickRange, WeightedRange
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import ONE
from lpmanager.risk.missing import Missing


class Policy(Protocol):
    """Says what ranges it wants; never how to get there.

    A policy of your own is a frozen dataclass whose fields are its options, named in the
    configuration as "module:Class".
    """

    def target(self, view: View) -> Target:
        """The wanted ranges. Pure: the same view gives the same target."""
        ...


@runtime_checkable
class Quoting(Protocol):
    """A policy that tells how it would quote; one that does not has no such method."""

    def quotes(self, view: View) -> Quotes | Missing | None:
        """Ticks from the price to the edges of the range that it would place now, whether or not it
        lets another stand; None where it has nothing to tell."""
        ...


def require_share(name: str, value: Fraction) -> None:
    """Raise ValueError unless `value` is in (0, 1]."""
    if not 0 < value <= 1:
        raise ValueError(f"{name} must be in (0, 1], found {value}")


def base_still_good(
    positions: Iterable[Position],
    tick: int,
    half_width: int,
    recentre_at: Fraction,
    widening: Fraction | None = ONE,
) -> bool:
    """Whether a held range as wide as wanted still has the price near enough to its centre.

    "Near enough" is within `recentre_at` of the half-width, and inside the range. The half-width
    is the wanted one, or that of the range itself as far as `widening` (see View) explains it.
    """
    return any(
        position.range.width >= 2 * half_width
        and tick in position.range
        and abs(tick - position.range.centre)
        <= recentre_at * _half_width_held(position.range, half_width, widening)
        for position in positions
    )


def _half_width_held(held: TickRange, wanted: int, widening: Fraction | None) -> Fraction:
    own = Fraction(held.width, 2)
    return own if widening is None else min(own, wanted * widening)


def keep(positions: Iterable[Position], reason: str) -> Target:
    """The target of changing nothing."""
    ranges = tuple(WeightedRange(p.range, Fraction(1)) for p in positions)
    return Target(ranges=ranges, swap=False, reason=reason)
