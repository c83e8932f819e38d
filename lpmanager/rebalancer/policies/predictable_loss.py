"""A range as wide as fees, predictable loss and the cost of moving it make best; or none at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from lpmanager.inventory.skew import Quotes
from lpmanager.model import Target, WeightedRange
from lpmanager.model.price import Q96
from lpmanager.model.units import DAY_S
from lpmanager.rebalancer.economics import active_of, gas_cost, gas_units
from lpmanager.rebalancer.policies.base import base_still_good, keep, require_share
from lpmanager.rebalancer.ranges import around
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.missing import Missing
from lpmanager.risk.predictable_loss import (
    Width,
    best_width,
    concentration_of_moves,
    of_ticks,
    profitability,
    shared_profitability,
    viability,
)

#: What a move does: out of the range that was left, into the ratio of the next, and into it.
_MOVE = ("withdraw", "swap", "mint")


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictableLoss:
    """Provide in the width that is best after Cartea, Drissi and Monga, or stay out.

    Viability is what fees pay over what arbitrage takes, whatever the width. Nothing is placed
    before it is at least `enter_at`, with the fees that are left once what would be placed shares
    them; and all is taken out once it is below `leave_at`. The width weighs both against what is
    lost each time the price has left the range: `move_cost`, the share of the value that the swap
    costs and that is missed meanwhile, and the gas of a move at its price now, over that value.
    `drift_per_day` is the relative change of the base token's price that you expect, and leans the
    range to that side. Each side is kept within [`min_half_width_ticks`, `max_half_width_ticks`].

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
        if isinstance(view.outlook, Missing):
            return keep(positions, f"no width can be told: {view.outlook.reason}")
        pays = viability(_profit_rate(view, view.outlook), view.outlook.variance_rate)
        if isinstance(pays, Missing):
            return keep(positions, pays.reason)
        least = self._least(view)
        if pays < least:
            return _out(f"fees pay {pays:.2f} of what arbitrage takes, less than {least:.2f}")
        base = max(positions, key=lambda position: position.range.width, default=None)
        if base and base_still_good([base], tick, base.range.width // 2, Fraction(1)):
            return keep(positions, f"tick {tick} is in the range, and fees pay {pays:.2f}")
        terms = self._terms(view, view.outlook)
        if isinstance(terms, Missing):
            return keep(positions, terms.reason)
        sides = self._sides(terms, least)
        return _out(sides.reason) if isinstance(sides, Missing) else self._placed(view, sides)

    def quotes(self, view: View) -> Quotes | Missing:
        """The best width around the price of now, in ticks; Missing where none pays."""
        if isinstance(view.outlook, Missing):
            return view.outlook
        pays = viability(_profit_rate(view, view.outlook), view.outlook.variance_rate)
        terms = pays if isinstance(pays, Missing) else self._terms(view, view.outlook)
        sides = terms if isinstance(terms, Missing) else self._sides(terms, self._least(view))
        return sides if isinstance(sides, Missing) else Quotes(bid=sides.cheap, ask=sides.dear)

    def _least(self, view: View) -> float:
        """The viability that it asks for now."""
        return float(self.leave_at if view.snapshot.positions else self.enter_at)

    def _terms(self, view: View, outlook: Outlook) -> _Terms | Missing:
        """What a range would be placed on now; Missing where part of it is not known."""
        snapshot = view.snapshot
        if snapshot.native_price is None:
            return Missing("nothing tells the price of gas, so no width can be told")
        held = ((each.position.range, each.position.liquidity) for each in view.inventory.positions)
        others = snapshot.state.liquidity - active_of(held, snapshot.state.tick)
        value = float(view.inventory.value * self.deploy)
        if others <= 0 or value <= 0:
            return Missing("a width needs something to place, and active liquidity of others")
        gas = gas_units(snapshot.vault).of_up(_MOVE) * snapshot.gas_price
        return _Terms(
            profit_rate=_profit_rate(view, outlook) * snapshot.state.liquidity / others,
            variance_rate=outlook.variance_rate,
            move_cost=float(self.move_cost) + float(gas_cost(snapshot, gas)) / value,
            own=2 * value / math.sqrt(snapshot.price.ratio) / others,
        )

    def _sides(self, terms: _Terms, least: float) -> _Sides | Missing:
        """What to place; Missing where no width pays at least so many times what arbitrage takes,
        with the fees that are left once it is in."""
        width = self._best(terms)
        if isinstance(width, Missing):
            return width
        cheap, dear = self._kept_up(width.ticks_below), self._kept_up(width.ticks_above)
        pays = terms.viability_with(of_ticks(below=cheap, above=dear))
        if isinstance(pays, Missing):
            return pays
        if pays < least:
            return Missing(
                f"once they are shared with what would be placed, fees pay {pays:.2f} of what "
                f"arbitrage takes, less than {least:.2f}"
            )
        return _Sides(cheap=cheap, dear=dear, pays=pays)

    def _best(self, terms: _Terms) -> Width | Missing:
        """Per day, in which the drift is told."""
        variance = terms.variance_rate * DAY_S
        return best_width(
            profit_rate=terms.profit_rate * DAY_S,
            variance_rate=variance,
            concentration=concentration_of_moves(variance, terms.move_cost),
            drift=float(self.drift_per_day),
            own=terms.own,
        )

    def _placed(self, view: View, sides: _Sides) -> Target:
        snapshot = view.snapshot
        base_is_0 = snapshot.price.base == snapshot.pool.token0
        below, above = (sides.cheap, sides.dear) if base_is_0 else (sides.dear, sides.cheap)
        wanted = around(snapshot.state.tick, below, above, snapshot.pool.tick_spacing)
        return Target(
            ranges=(WeightedRange(wanted, self.deploy),),
            swap=True,
            reason=f"fees pay {sides.pays:.2f} of what arbitrage takes: best from {sides.cheap} "
            f"ticks below the price to {sides.dear} above",
        )

    def _kept_up(self, ticks: float) -> int:
        """Within the bounds, rounded up."""
        cut = min(ticks, float(self.max_half_width_ticks))
        return max(math.ceil(cut), self.min_half_width_ticks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """`profit_rate` is pi of the others' liquidity alone, `move_cost` the share of what is placed
    that a move takes, gas in it, and `own` as in `shared_profitability`."""

    profit_rate: float
    variance_rate: float
    move_cost: float
    own: float

    def viability_with(self, width: Width) -> float | Missing:
        """Viability once a range of that width is in."""
        shared = shared_profitability(self.profit_rate, width=width.total, own=self.own)
        return viability(shared, self.variance_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """Ticks to where base is cheaper, and to where it is dearer, and what viability is there."""

    cheap: int
    dear: int
    pays: float


def _out(why: str) -> Target:
    return Target(ranges=(), swap=False, reason=f"stay out: {why}")


def _profit_rate(view: View, outlook: Outlook) -> float:
    """Fees a second over the value of liquidity; the same whichever token values are in."""
    sqrt_price = view.snapshot.state.sqrt_price_x96 / Q96
    fee_rate = outlook.fee_rate0 * sqrt_price**2 + outlook.fee_rate1
    return profitability(fee_rate, sqrt_price)
