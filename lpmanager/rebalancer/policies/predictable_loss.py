"""A range as wide as fees, predictable loss and the cost of moving it make best; or none at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from lpmanager.model import Target, WeightedRange
from lpmanager.model.price import Q96
from lpmanager.rebalancer.policies.base import base_still_good, keep, require_share
from lpmanager.rebalancer.ranges import around
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.missing import Missing
from lpmanager.risk.predictable_loss import (
    Width,
    best_width,
    concentration_of_moves,
    profitability,
    viability,
)

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictableLoss:
    """Provide in the width that is best after Cartea, Drissi and Monga, or stay out.

    Viability is what fees pay over what arbitrage takes, whatever the width. Nothing is placed
    before it is above `enter_at`, and all is taken out once it is below `leave_at`. The width
    weighs both against `move_cost`, the share of the value that is lost each time the price has
    left the range: gas, swap, and what is missed meanwhile. `drift_per_day` is the relative change
    of the base token's price that you expect, and leans the range to that side. Each side is kept
    within [`min_half_width_ticks`, `max_half_width_ticks`].

    The range stands while the price is inside; the width changes only when it is placed anew.
    """

    move_cost: Fraction
    min_half_width_ticks: int
    max_half_width_ticks: int
    drift_per_day: Fraction = Fraction(0)
    enter_at: Fraction = Fraction(1)
    leave_at: Fraction = Fraction(4, 5)
    deploy: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.min_half_width_ticks <= 0:
            raise ValueError(
                f"min_half_width_ticks must be positive, found {self.min_half_width_ticks}"
            )
        if self.max_half_width_ticks < self.min_half_width_ticks:
            raise ValueError(
                f"max_half_width_ticks must be at least min_half_width_ticks "
                f"{self.min_half_width_ticks}, found {self.max_half_width_ticks}"
            )
        if not 0 < self.leave_at <= self.enter_at:
            raise ValueError(
                f"leave_at must be above 0 and at most enter_at {self.enter_at}, found "
                f"{self.leave_at}"
            )
        require_share("move_cost", self.move_cost)
        require_share("deploy", self.deploy)

    def target(self, view: View) -> Target:
        """The held range while it pays and the price is inside, a new one, or none."""
        positions, tick = view.snapshot.positions, view.snapshot.state.tick
        if view.outlook is None:
            return keep(positions, "fees and volatility are unknown, so no width can be told")
        profit_rate = _profit_rate(view, view.outlook)
        pays = viability(profit_rate, view.outlook.variance_rate)
        if isinstance(pays, Missing):
            return keep(positions, pays.reason)
        least = self.leave_at if positions else self.enter_at
        if pays < least:
            return _out(
                f"fees pay {pays:.2f} of what arbitrage takes, less than {float(least):.2f}"
            )
        base = max(positions, key=lambda position: position.range.width, default=None)
        if base and base_still_good([base], tick, base.range.width // 2, Fraction(1)):
            return keep(positions, f"tick {tick} is in the range, and fees pay {pays:.2f}")
        width = self._width(profit_rate, view.outlook.variance_rate)
        if isinstance(width, Missing):
            return _out(width.reason)
        return self._placed(view, width, pays)

    def _width(self, profit_rate: float, variance_rate: float) -> Width | Missing:
        """Per day, in which the drift is told."""
        variance = variance_rate * _DAY_S
        return best_width(
            profit_rate=profit_rate * _DAY_S,
            variance_rate=variance,
            concentration=concentration_of_moves(variance, float(self.move_cost)),
            drift=float(self.drift_per_day),
        )

    def _placed(self, view: View, width: Width, pays: float) -> Target:
        snapshot = view.snapshot
        cheap, dear = self._kept_up(width.ticks_below), self._kept_up(width.ticks_above)
        base_is_0 = snapshot.price.base == snapshot.pool.token0
        below, above = (cheap, dear) if base_is_0 else (dear, cheap)
        wanted = around(snapshot.state.tick, below, above, snapshot.pool.tick_spacing)
        return Target(
            ranges=(WeightedRange(wanted, self.deploy),),
            swap=True,
            reason=f"fees pay {pays:.2f} of what arbitrage takes: best from {cheap} ticks below "
            f"the price to {dear} above",
        )

    def _kept_up(self, ticks: float) -> int:
        """Within the bounds, rounded up."""
        cut = min(ticks, float(self.max_half_width_ticks))
        return max(math.ceil(cut), self.min_half_width_ticks)


def _out(why: str) -> Target:
    return Target(ranges=(), swap=False, reason=f"stay out: {why}")


def _profit_rate(view: View, outlook: Outlook) -> float:
    """Fees a second over the value of liquidity; the same whichever token values are in."""
    sqrt_price = view.snapshot.state.sqrt_price_x96 / Q96
    fee_rate = outlook.fee_rate0 * sqrt_price**2 + outlook.fee_rate1
    return profitability(fee_rate, sqrt_price)
