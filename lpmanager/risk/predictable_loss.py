"""The best width of a range between fees, predictable loss and the risk of being left.

Cartea, Drissi and Monga (arXiv 2309.08431), for log utility. A range reaches from
sqrt(P) * (1 - below / 2) to sqrt(P) / (1 - above / 2), and its width is below + above. Of its value
it earns 4 * pi / width a second, loses variance / (2 * width) to arbitrage, and
concentration / width^2 because the price leaves it: what narrow ranges pay for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lpmanager.model.units import LOG_TICK
from lpmanager.risk.missing import Missing
from lpmanager.risk.plain import require_above_0, require_finite, require_not_below_0


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """A range around the price, in the paper's terms: both parts above 0."""

    below: float
    above: float

    @property
    def total(self) -> float:
        """Its width."""
        return self.below + self.above

    @property
    def ticks_below(self) -> float:
        """How many ticks the lower edge is below the price; infinite where that is at 0."""
        return _ticks(self.below)

    @property
    def ticks_above(self) -> float:
        """How many ticks the upper edge is above the price; infinite where there is none."""
        return _ticks(self.above)


def _ticks(part: float) -> float:
    return -2 * math.log(1 - part / 2) / LOG_TICK if part < 2 else math.inf


def of_ticks(*, below: int, above: int) -> Width:
    """The range whose edges are so many ticks below and above the price."""
    return Width(below=_part(below), above=_part(above))


def _part(ticks: int) -> float:
    return -2 * math.expm1(-ticks * LOG_TICK / 2)


def profitability(fee_rate: float, sqrt_price: float) -> float:
    """pi: fees a second over the value 2 * sqrt(P) of a unit of liquidity over all prices.

    `fee_rate` is per second and unit of active liquidity, in the unit of `lvr`.
    """
    require_not_below_0(fee_rate=fee_rate)
    require_above_0(sqrt_price=sqrt_price)
    return fee_rate / (2 * sqrt_price)


def shared_profitability(profit_rate: float, *, width: float, own: float) -> float:
    """What is left of pi for each unit of liquidity once ours is in too, in a range of that width.

    `own` is our liquidity over that of the others in a range of width 1: in one of another width
    it is own / width.
    """
    require_above_0(width=width)
    require_not_below_0(profit_rate=profit_rate, own=own)
    return profit_rate * width / (width + own)


def viability(profit_rate: float, variance_rate: float) -> float | Missing:
    """pi over variance / 8: below 1, fees do not pay for what arbitrage takes, whatever the width.

    Missing where the price does not move.
    """
    require_not_below_0(profit_rate=profit_rate, variance_rate=variance_rate)
    if variance_rate == 0:
        return Missing("viability needs a price that moves, its variance is 0")
    return 8 * profit_rate / variance_rate


def concentration_of_moves(variance_rate: float, move_cost: float) -> float:
    """The concentration term of a range that is placed anew, for a share `move_cost` of its value,
    whenever a driftless price has left it.

    From its middle a range of that width is left after (width / 2)^2 / variance seconds on average,
    so it loses 4 * variance * move_cost / width^2 a second. In `move_cost` are gas and swap, and
    what is missed until the move is made: so this is how gas comes in here, where the paper takes
    it from the fees.
    """
    require_not_below_0(variance_rate=variance_rate, move_cost=move_cost)
    return 4 * variance_rate * move_cost


def best_width(
    *,
    profit_rate: float,
    variance_rate: float,
    concentration: float,
    drift: float = 0.0,
    own: float = 0.0,
) -> Width | Missing:
    """The width of most expected log wealth, (2 g + mu^2 s) / (4 pi - s / 2 + mu (mu - s / 2)), and
    its parts above, 1/2 + mu / width of it, and below.

    `profit_rate` is pi of the others' liquidity alone, `variance_rate` s, `concentration` g and
    `drift` mu, of the price, all for one unit of time. With `own` (see `shared_profitability`) it
    is the width that is best at what pi is once a range of this width is in. Missing where no width
    pays, and where the drift would put the price outside.
    """
    require_above_0(concentration=concentration)
    require_not_below_0(profit_rate=profit_rate, variance_rate=variance_rate, own=own)
    require_finite(drift=drift)
    s = variance_rate
    taken = s / 2 - drift * (drift - s / 2)
    gain = 4 * profit_rate - taken
    if gain <= 0:
        return Missing(
            f"no width pays: fees make {4 * profit_rate:.3g} of a range of width 1, arbitrage "
            f"and drift take {taken:.3g}"
        )
    # width = risk / (4 pi width / (width + own) - taken), solved for the width
    risk = 2 * concentration + drift**2 * s
    half = (risk + taken * own) / 2
    width = (half + math.sqrt(half**2 + gain * risk * own)) / gain
    if abs(drift) >= width / 2:
        return Missing(f"a drift of {drift:.3g} is beyond half the best width {width:.3g}")
    return Width(below=width / 2 - drift, above=width / 2 + drift)
