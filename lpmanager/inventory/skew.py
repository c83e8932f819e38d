"""Quotes that lean against the inventory, so that flow brings it back to where it should be.

Two classic answers to the same question. With q the inventory, g the risk aversion, sigma the
volatility, k how fast orders get fewer away from the price and A how many come at it:

    Avellaneda and Stoikov 2008, until a time T:
        reservation price s - q g sigma^2 (T - t), spread g sigma^2 (T - t) + (2 / g) ln(1 + g / k)
    Gueant, Lehalle and Fernandez-Tapia 2013, with no end:
        bid (1 / g) ln(1 + g / k) + (2 q + 1) / 2 * c below the price, ask with -(2 q - 1) above it,
        c = sigma sqrt(g / (2 k A) (1 + g / k)^(1 + k / g))

Both have one form: half a spread that pays for the order, and a term c for each unit of inventory
(g sigma^2 (T - t) in the first). `lean` is that form on a pool's ticks.
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


def reservation_price(
    *, price: float, inventory: float, aversion: float, variance_rate: float, remaining_s: float
) -> float:
    """The price at which one more or less is all the same (Avellaneda and Stoikov 2008).

    `variance_rate` is of the price itself per unit of the time that `remaining_s` is in.
    """
    _require(remaining_s >= 0 and variance_rate >= 0, "time and variance must not be negative")
    return price - inventory * aversion * variance_rate * remaining_s


def reservation_spread(
    *, aversion: float, variance_rate: float, remaining_s: float, decay: float
) -> float:
    """The whole spread around the reservation price, units as there; `decay` is per unit of price
    (Avellaneda and Stoikov 2008)."""
    _require(remaining_s >= 0 and variance_rate >= 0, "time and variance must not be negative")
    return aversion * variance_rate * remaining_s + 2 * _order_term(aversion, decay)


def steady_quotes(
    *, inventory: float, aversion: float, variance_rate: float, decay: float, intensity: float
) -> Quotes:
    """Quotes far from any end (Gueant, Lehalle and Fernandez-Tapia 2013), in the unit of the price.

    `intensity` is orders per unit of time at the price. Raises ValueError for numbers that are not
    above 0; the inventory may be any.
    """
    _require(intensity > 0 and variance_rate >= 0, "intensity must be above 0, variance not below")
    order = _order_term(aversion, decay)
    grown = (1 + aversion / decay) ** (1 + decay / aversion)
    unit = math.sqrt(variance_rate * aversion / (2 * decay * intensity) * grown)
    return lean(order, unit, inventory)


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


def _order_term(aversion: float, decay: float) -> float:
    """What pays for the order itself, on each side: (1 / g) ln(1 + g / k)."""
    _require(aversion > 0 and decay > 0, "aversion and decay must be above 0")
    return math.log1p(aversion / decay) / aversion


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
