"""A range that leans against the inventory, so that flow and not swaps bring it back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from lpmanager.inventory.skew import Quotes, lean, reservation_unit, steady_unit
from lpmanager.model import Position, Target, TickRange, WeightedRange
from lpmanager.model.units import DAY_S, LOG_TICK
from lpmanager.rebalancer.economics import gas_cost, gas_units
from lpmanager.rebalancer.policies.base import keep, require_share
from lpmanager.rebalancer.ranges import around, fill_down, order_beside
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.missing import Missing

#: The lean of a full inventory, in half-widths, at most: a quarter of one is then left to the side
#: that sells, so that the price stays inside.
MOST_LEAN = Fraction(3, 2)

#: Beyond it the lean of steady quotes is its most at any volatility that there is.
_MOST_STEADY_AVERSION = 100


_NOTHING_LEANS = "the inventory or the volatility is unknown, so nothing leans"


@dataclass(frozen=True, slots=True, kw_only=True)
class InventorySkew:
    """Buy far and sell near while there is too much of the base token, and the other way round.

    q is the imbalance over `max_imbalance`, cut to [-1, 1]; w is `half_width_ticks`; c is the lean
    of a full inventory, at most 1.5 w. The range reaches w + c / 2 + q c to where base is cheaper
    and w + c / 2 - q c to where it is dearer: as wide for every q, the centre shifted by -q c. What
    is there fills it; what is left over is an order beside the price, as wide as the side that it
    is on. Nothing is ever paid for a swap.

    These are the quotes of Avellaneda and Stoikov (2008) in ticks: w stands for what pays for the
    order, (1 / g) ln(1 + g / k), and c is g sigma^2 T, with T = `horizon_s` always ahead. Their g
    is `aversion` over sigma sqrt(T), so that c is `aversion` deviations of the price whatever the
    volatility. With `fills_per_day` they are those of Gueant, Lehalle and Fernandez-Tapia (2013),
    which know no horizon: it is their A, how often in a day the flow at the price would trade a
    full inventory, and their g is `aversion` over w. More fills lean less, as flow brings back
    sooner what is too much.

    The range is placed anew once the price has left it, or is further than `replace_at` * w from
    where it should be in it. That is judged by the range's own width, so that a flickering
    volatility moves nothing; where limits may have widened the range, its width tells the lean only
    so far, and the volatility of now the rest. While the price is inside, the range waits until gas
    is at most `max_gas_share` of the fees that it has earned so far. With `one_sided`, beyond
    `max_imbalance`, which is then below 1, only the order is placed.

    Warning: flow that only goes one way brings nothing back, and an aversion of 0 does not lean.
    """

    half_width_ticks: int
    aversion: Fraction = Fraction(3)
    horizon_s: int = 86_400
    replace_at: Fraction = Fraction(1, 2)
    max_imbalance: Fraction = Fraction(1)
    max_gas_share: Fraction = Fraction(1, 5)
    one_sided: bool = False
    fills_per_day: Fraction | None = None

    def __post_init__(self) -> None:
        for name in ("half_width_ticks", "horizon_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, found {getattr(self, name)}")
        if self.aversion < 0:
            raise ValueError(f"aversion must not be negative, found {self.aversion}")
        if self.fills_per_day is not None:
            self._require_steady(self.fills_per_day)
        require_share("replace_at", self.replace_at)
        require_share("max_imbalance", self.max_imbalance)
        require_share("max_gas_share", self.max_gas_share)
        if self.one_sided and self.max_imbalance == 1:
            raise ValueError(
                "one_sided needs a max_imbalance below 1, found 1: no imbalance is beyond that"
            )

    def target(self, view: View) -> Target:
        """The held ranges while they lean as they should, else new ones."""
        positions, load = view.snapshot.positions, self._load(view)
        if load is None or isinstance(view.outlook, Missing):
            return keep(positions, _NOTHING_LEANS)
        q, only_order = _cut(load), self._offers_one_side(load)
        if self._stands(view, view.outlook, q, only_order):
            return keep(positions, f"the range leans as an inventory of {q:+z.2f} asks for")
        if self._waits_for_fees(view):
            return keep(positions, "the range has not earned the gas of moving it yet")
        quotes = self._quotes(view.outlook, q)
        ranges = _order(view, quotes, q) if only_order else _range_and_order(view, quotes, q)
        return Target(
            ranges=tuple(WeightedRange(wanted, Fraction(1)) for wanted in ranges),
            swap=False,
            reason=f"inventory {q:+z.2f} of [-1, 1]: buy down to {quotes.bid:.0f} ticks, sell up "
            f"to {quotes.ask:.0f}",
            forgoes=Fraction(1),
        )

    def quotes(self, view: View) -> Quotes | Missing:
        """What it would quote for the inventory and volatility of now, in ticks."""
        load = self._load(view)
        if isinstance(view.outlook, Missing):
            return view.outlook
        if load is None:
            return Missing(_NOTHING_LEANS)
        if self._offers_one_side(load):
            return Missing("beyond max_imbalance it only offers an order beside the price")
        return self._quotes(view.outlook, _cut(load))

    def _quotes(self, outlook: Outlook, q: float) -> Quotes:
        return lean(self.half_width_ticks, self.lean_ticks(outlook.variance_rate), q)

    def _load(self, view: View) -> Fraction | None:
        """The imbalance in full inventories; beyond [-1, 1] where it is more than one."""
        imbalance = view.inventory.imbalance
        return None if imbalance is None else imbalance / self.max_imbalance

    def _offers_one_side(self, load: Fraction) -> bool:
        return self.one_sided and abs(load) > 1

    def lean_ticks(self, variance_rate: float) -> float:
        """How far a full inventory shifts the centre, for a variance of the log price a second."""
        variance = variance_rate / LOG_TICK**2
        return min(self._unit(variance), self._most_lean)

    def _unit(self, variance_rate: float) -> float:
        """The same of one paper or the other, for a variance of the tick a second."""
        aversion, width = float(self.aversion), float(self.half_width_ticks)
        if self.fills_per_day is not None:
            return steady_unit(
                half_width=width,
                aversion=aversion / width,
                variance_rate=variance_rate,
                intensity=float(self.fills_per_day) / DAY_S,
            )
        # A length in deviations of the price over the horizon, whose variance is 1.
        unit = reservation_unit(
            aversion=aversion, variance_rate=1 / self.horizon_s, remaining_s=self.horizon_s
        )
        return unit * math.sqrt(variance_rate * self.horizon_s)

    def _require_steady(self, fills: Fraction) -> None:
        if fills <= 0:
            raise ValueError(f"fills_per_day must be positive, found {fills}")
        if not 0 < self.aversion <= _MOST_STEADY_AVERSION:
            raise ValueError(
                f"aversion must be in (0, {_MOST_STEADY_AVERSION}] where fills_per_day is given, "
                f"found {self.aversion}"
            )

    @property
    def _most_lean(self) -> float:
        return float(MOST_LEAN * self.half_width_ticks)

    def _stands(self, view: View, outlook: Outlook, q: float, only_order: bool) -> bool:
        """Whether the price is where it should be in the widest held range, or, where an order is
        all there is, near enough to it."""
        positions, tick = view.snapshot.positions, view.snapshot.state.tick
        held = _widest(positions)
        if held is None:
            return False
        room = self.replace_at * self.half_width_ticks
        if tick not in held:
            return len(positions) == 1 and _distance(tick, held) <= room
        if only_order or held.width < 2 * self.half_width_ticks:
            return False
        to_bid = tick - held.lower if _base_is_0(view) else held.upper - tick
        return abs(held.width / 2 + q * self._lean_held(view, outlook, held) - to_bid) <= room

    def _lean_held(self, view: View, outlook: Outlook, held: TickRange) -> float:
        """What of a range's width is lean: all beyond 2 w, but for what may have been widened; of
        what either may be, as much as the volatility of now asks for."""
        most = min(held.width - 2 * self.half_width_ticks, self._most_lean)
        placed = 0.0 if view.widening is None else float(held.width / view.widening)
        least = max(placed - 2 * self.half_width_ticks, 0.0)
        return min(max(self.lean_ticks(outlook.variance_rate), least), most)

    def _waits_for_fees(self, view: View) -> bool:
        """Whether the price is inside and fees have not yet paid for the gas of a move."""
        snapshot, held = view.snapshot, _widest(view.snapshot.positions)
        if held is None or snapshot.state.tick not in held:
            return False
        kinds = ["mint", "mint", *("withdraw" for _ in snapshot.positions)]
        gas = gas_cost(snapshot, gas_units(snapshot.vault).of_up(kinds) * snapshot.gas_price)
        earned = snapshot.price.value(view.inventory.holdings.uncollected)
        return earned * self.max_gas_share < gas


def _cut(load: Fraction) -> float:
    """q, in [-1, 1]."""
    return float(min(max(load, Fraction(-1)), Fraction(1)))


def _widest(positions: Sequence[Position]) -> TickRange | None:
    return max((p.range for p in positions), key=lambda held: held.width, default=None)


def _base_is_0(view: View) -> bool:
    """Whether base gets dearer as the tick rises."""
    return view.snapshot.price.base == view.snapshot.pool.token0


def _distance(tick: int, held: TickRange) -> int:
    """Ticks from the price to a range beside it."""
    return held.lower - tick if tick < held.lower else tick - held.upper + 1


def _range_and_order(view: View, quotes: Quotes, q: float) -> tuple[TickRange, ...]:
    snapshot = view.snapshot
    pool, tick = snapshot.pool, snapshot.state.tick
    sides = (quotes.bid, quotes.ask) if _base_is_0(view) else (quotes.ask, quotes.bid)
    below, above = (math.ceil(side) for side in sides)
    leaning = around(tick, below, above, pool.tick_spacing)
    held = view.inventory.holdings.total
    _, used = fill_down(pool, snapshot.state.sqrt_price_x96, leaning, held)
    order = order_beside(pool, tick, _order_width(quotes, q), held - used, snapshot.price)
    return leaning, order


def _order(view: View, quotes: Quotes, q: float) -> tuple[TickRange, ...]:
    snapshot = view.snapshot
    held = view.inventory.holdings.total
    width = _order_width(quotes, q)
    return (order_beside(snapshot.pool, snapshot.state.tick, width, held, snapshot.price),)


def _order_width(quotes: Quotes, q: float) -> int:
    """The heavier token's side, in ticks."""
    return math.ceil(quotes.ask if q > 0 else quotes.bid)
