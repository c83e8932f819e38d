"""One range around the price, as wide as the price is expected to move."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from lpmanager.model import Target, WeightedRange
from lpmanager.rebalancer.policies.base import base_still_good, keep, require_share
from lpmanager.rebalancer.ranges import centred
from lpmanager.rebalancer.view import View

LOG_TICK = math.log(1.0001)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityWidth:
    """Hold [t - w, t + w) with w = `multiplier` * sigma * sqrt(`horizon_s`), in ticks.

    t is the tick and sigma the volatility per square root of a second when it is placed; w is
    rounded up and kept within [`min_half_width_ticks`, `max_half_width_ticks`]. Re-centre once
    |tick - t| > `recentre_at` * w, or the price has left the range; the width changes only then, so
    that a flickering estimate moves nothing. `deploy` as in FixedWidth. With `multiplier` 1 a
    driftless price ends about two horizons in three inside.
    """

    multiplier: Fraction
    horizon_s: int
    min_half_width_ticks: int
    max_half_width_ticks: int
    recentre_at: Fraction = Fraction(1)
    deploy: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        for name in ("multiplier", "horizon_s", "min_half_width_ticks"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, found {getattr(self, name)}")
        if self.max_half_width_ticks < self.min_half_width_ticks:
            raise ValueError(
                f"max_half_width_ticks must be at least min_half_width_ticks "
                f"{self.min_half_width_ticks}, found {self.max_half_width_ticks}"
            )
        require_share("recentre_at", self.recentre_at)
        require_share("deploy", self.deploy)

    def target(self, view: View) -> Target:
        """The held range while it is near enough, else a new one around the price."""
        positions, tick = view.snapshot.positions, view.snapshot.state.tick
        # An order beside the price is narrower, and not what has to be near the price.
        base = max(positions, key=lambda position: position.range.width, default=None)
        if base and base_still_good([base], tick, base.range.width // 2, self.recentre_at):
            return keep(positions, f"tick {tick} is near enough to the centre of the range")
        if view.outlook is None:
            return keep(positions, "the volatility is unknown, so no width can be told")
        half_width = self.half_width_up(view.outlook.variance_rate)
        wanted = centred(tick, half_width, view.snapshot.pool.tick_spacing)
        return Target(
            ranges=(WeightedRange(wanted, self.deploy),),
            swap=True,
            reason=f"tick {tick}: centre a range of {half_width} ticks to each side on the price",
        )

    def half_width_up(self, variance_rate: float) -> int:
        """Ticks to each side for a variance of the log price per second, rounded up."""
        deviation = math.sqrt(variance_rate * self.horizon_s)
        ticks = min(float(self.multiplier) * deviation / LOG_TICK, float(self.max_half_width_ticks))
        return max(math.ceil(ticks), self.min_half_width_ticks)
