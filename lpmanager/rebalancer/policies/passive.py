"""A base range around the price and a one-sided order beside it: re-ranges without a swap."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from lpmanager.model import Target, WeightedRange
from lpmanager.rebalancer.policies.base import base_still_good, keep, require_share
from lpmanager.rebalancer.ranges import centred, fill_down, order_beside
from lpmanager.rebalancer.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Passive:
    """Hold [t - w, t + w) and, with the token left over, an order beside the price.

    t is the tick at placing, w = `half_width_ticks`, the order is `order_width_ticks` wide and on
    the side of the heavier token: above the price it sells token0, below it sells token1. Flow
    rebalances the inventory, so nothing is ever paid for a swap. Both are placed anew once
    |tick - t| > `recentre_at` * w. The idea is Charm's Alpha Vaults'.
    """

    half_width_ticks: int
    order_width_ticks: int
    recentre_at: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        for name in ("half_width_ticks", "order_width_ticks"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, found {getattr(self, name)}")
        require_share("recentre_at", self.recentre_at)

    def target(self, view: View) -> Target:
        """The held ranges while the base is near enough, else a new base and order."""
        snapshot = view.snapshot
        tick, pool = snapshot.state.tick, snapshot.pool
        if base_still_good(
            snapshot.positions, tick, self.half_width_ticks, self.recentre_at, view.widening
        ):
            return keep(snapshot.positions, f"tick {tick} is near enough to the base's centre")
        base = centred(tick, self.half_width_ticks, pool.tick_spacing)
        held = view.inventory.holdings.total
        _, used = fill_down(pool, snapshot.state.sqrt_price_x96, base, held)
        order = order_beside(pool, tick, self.order_width_ticks, held - used, snapshot.price)
        return Target(
            ranges=(WeightedRange(base, Fraction(1)), WeightedRange(order, Fraction(1))),
            swap=False,
            reason=f"tick {tick}: base around the price, the heavier token in an order beside it",
        )
