"""One range of fixed width around the price."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from lpmanager.model import Target, WeightedRange
from lpmanager.rebalancer.policies.base import base_still_good, keep, require_share
from lpmanager.rebalancer.ranges import centred
from lpmanager.rebalancer.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedWidth:
    """Hold [t - w, t + w), t the tick when it was placed, w = `half_width_ticks`.

    Re-centre once |tick - t| > `recentre_at` * w, or the price has left the range; then bring the
    tokens into the new range's ratio by a swap. `deploy` is the share of the holdings put into
    the range; the rest stays in the wallet, where it can hedge. One tick is 0.01 % of price.
    """

    half_width_ticks: int
    recentre_at: Fraction = Fraction(1)
    deploy: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.half_width_ticks <= 0:
            raise ValueError(f"half_width_ticks must be positive, found {self.half_width_ticks}")
        require_share("recentre_at", self.recentre_at)
        require_share("deploy", self.deploy)

    def target(self, view: View) -> Target:
        """The held range while it is near enough, else a new one around the price."""
        positions, tick = view.snapshot.positions, view.snapshot.state.tick
        if base_still_good(positions, tick, self.half_width_ticks, self.recentre_at, view.widening):
            return keep(positions, f"tick {tick} is near enough to the centre of the range")
        wanted = centred(tick, self.half_width_ticks, view.snapshot.pool.tick_spacing)
        return Target(
            ranges=(WeightedRange(wanted, self.deploy),),
            swap=True,
            reason=f"tick {tick}: centre the range on the price",
        )
