"""Quotes that lean against the inventory, so that flow brings it back to where it should be.

Two classic answers to the same question. With q the inventory, g the risk aversion, sigma the
volatility, k how fast orders get fewer away from the price and A how many come at it:

    Avellaneda and Stoikov 2008, until a time T:
        reservation price s - q g sigma^2 (T - t), spread g sigma^2 (T - t) + (2 / g) ln(1 + g / k)
    Gueant, Lehalle and Fernandez-Tapia 2013, with no end:
        bid (1 / g) ln(1 + g / k) + (2 q + 1) / 2 * c below the price, ask with -(2 q - 1) above it,
        c = sigma sqrt(g / (2 k A) (1 + g / k)^(1 + k / g))

Both are one form, `lean`: a half-width w = (1 / g) ln(1 + g / k) that pays for the order, and a
unit that each unit of inventory shifts the centre by: g sigma^2 (T - t) in the first, c in the
second. On a pool w is what is chosen, and k follows from it: k = g / (e^(g w) - 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """How far below the price base tokens are bought and how far above it they are sold.

    In the unit of the price or in ticks, as the function says; "above" is where base is dearer.
    """

    bid: float
    ask: float

    @property
    def centre_shift(self) -> float:
        """How far the middle of the two is from the price, negative below it."""
        return (self.ask - self.bid) / 2


def reservation_unit(*, aversion: float, variance_rate: float, remaining_s: float) -> float:
    """How far a unit of inventory moves the price at which one more or less is all the same
    (Avellaneda and Stoikov 2008), in the unit of the price.

    `variance_rate` is of the price itself per unit of the time that `remaining_s` is in.
    """
    _require(aversion >= 0, "the aversion must not be negative")
    _require(remaining_s >= 0 and variance_rate >= 0, "time and variance must not be negative")
    return aversion * variance_rate * remaining_s


def steady_unit(
    *, half_width: float, aversion: float, variance_rate: float, intensity: float
) -> float:
    """The same far from any end (Gueant, Lehalle and Fernandez-Tapia 2013).

    `half_width` is w, from which k follows, and `intensity` orders of a unit of inventory per unit
    of time at the price. Raises ValueError for numbers that are not above 0, but for a variance
    of 0, and OverflowError for an aversion of hundreds of half-widths.
    """
    _require(half_width > 0 and aversion > 0, "half-width and aversion must be above 0")
    _require(intensity > 0 and variance_rate >= 0, "intensity must be above 0, variance not below")
    decay = aversion / math.expm1(aversion * half_width)
    grown = (1 + aversion / decay) ** (1 + decay / aversion)
    return math.sqrt(variance_rate * aversion / (2 * decay * intensity) * grown)


def lean(half_width: float, unit: float, q: float) -> Quotes:
    """Half-widths that lean by `unit` for an inventory q of 1: (2 q + 1) / 2 units more for buying
    and (2 q - 1) / 2 less for selling.

    `half_width` and `unit` share a unit of length (ticks, or price). The centre shifts by
    -q * unit, and both together are 2 * half_width + unit wide whatever q is. Raises ValueError
    where that would put a side beyond the price.
    """
    _require(half_width > 0 and unit >= 0, "the half-width must be above 0, the unit not below")
    quotes = Quotes(
        bid=half_width + (2 * q + 1) / 2 * unit, ask=half_width - (2 * q - 1) / 2 * unit
    )
    _require(
        min(quotes.bid, quotes.ask) > 0,
        f"an inventory of {q} leans by more than the half-width {half_width} leaves room for",
    )
    return quotes


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
