"""One range around the price, as wide as the price is expected to move."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from lpmanager.model import Target, WeightedRange
from lpmanager.model.units import LOG_TICK, duration
from lpmanager.rebalancer.policies.base import base_still_good, keep, require_share
from lpmanager.rebalancer.ranges import centred
from lpmanager.rebalancer.view import View
from lpmanager.risk.calibration.live import volatility_at
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import returns_of, share_since_first_swap
from lpmanager.risk.volatility.realised import STEP_S, bipower_variance_rate

#: What the volatility of now is told by.
REALISED, WITHOUT_JUMPS = "realised", "without_jumps"
CALIBRATED, CALIBRATED_OR_REALISED = "calibrated", "calibrated_or_realised"
FORECASTS = (REALISED, WITHOUT_JUMPS, CALIBRATED, CALIBRATED_OR_REALISED)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityWidth:
    """Hold [t - w, t + w) with w = `multiplier` * sigma * sqrt(`horizon_s`), in ticks.

    t is the tick and sigma the volatility per square root of a second when it is placed; w is
    rounded up and kept within [`min_half_width_ticks`, `max_half_width_ticks`]. Re-centre once
    |tick - t| > `recentre_at` * w, or the price has left the range; the width changes only then, so
    that a flickering estimate moves nothing. `deploy` as in FixedWidth. With `multiplier` 1 a
    driftless price ends about two horizons in three inside.

    `forecast` is what tells sigma: "realised", over the flow that was read; "without_jumps", the
    same by bipower variation, so that a jump does not widen what comes after it; "calibrated", the
    forecast of the campaign's calibration for the next hour, without which nothing changes; or
    "calibrated_or_realised", the latter where it is good, else "realised".
    """

    multiplier: Fraction
    horizon_s: int
    min_half_width_ticks: int
    max_half_width_ticks: int
    recentre_at: Fraction = Fraction(1)
    deploy: Fraction = Fraction(1)
    forecast: str = REALISED

    def __post_init__(self) -> None:
        if self.forecast not in FORECASTS:
            raise ValueError(f"forecast must be one of {FORECASTS}, found {self.forecast!r}")
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
        told = self._variance_rate(view)
        if isinstance(told, Missing):
            return keep(positions, f"no width can be told: {told.reason}")
        half_width = self.half_width_up(told.variance_rate)
        wanted = centred(tick, half_width, view.snapshot.pool.tick_spacing)
        return Target(
            ranges=(WeightedRange(wanted, self.deploy),),
            swap=True,
            reason=f"tick {tick}: centre a range of {half_width} ticks to each side on the price"
            f"{told.source}",
        )

    def half_width_up(self, variance_rate: float) -> int:
        """Ticks to each side for a variance of the log price per second, rounded up."""
        deviation = math.sqrt(variance_rate * self.horizon_s)
        ticks = min(float(self.multiplier) * deviation / LOG_TICK, float(self.max_half_width_ticks))
        return max(math.ceil(ticks), self.min_half_width_ticks)

    def _variance_rate(self, view: View) -> _Told | Missing:
        if self.forecast == REALISED:
            return _realised(view)
        if self.forecast == WITHOUT_JUMPS:
            return _without_jumps(view)
        told = _calibrated(view)
        if isinstance(told, Missing) and self.forecast == CALIBRATED_OR_REALISED:
            realised = _realised(view)
            if isinstance(realised, Missing):
                return realised
            return replace(realised, source=f", by realised volatility: {told.reason}")
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A variance of the log price per second, and what follows the reason in a person's words."""

    variance_rate: float
    source: str


def _realised(view: View) -> _Told | Missing:
    if isinstance(view.outlook, Missing):
        return view.outlook
    if view.outlook.variance_rate <= 0:
        return Missing("the volatility needs a price that moves, its variance is 0")
    return _Told(variance_rate=view.outlook.variance_rate, source="")


def _without_jumps(view: View) -> _Told | Missing:
    if isinstance(view.outlook, Missing):
        return view.outlook
    returns = returns_of(view.snapshot, STEP_S)
    if isinstance(returns, Missing):
        return returns
    rate = bipower_variance_rate(returns)
    if isinstance(rate, Missing):
        return rate
    if rate <= 0:
        return Missing("the volatility without jumps needs two moves in a row, found none")
    share = share_since_first_swap(len(returns), view.outlook.seconds, STEP_S)
    return _Told(variance_rate=rate * share, source=", by volatility without jumps")


def _calibrated(view: View) -> _Told | Missing:
    if isinstance(view.calibration, Missing):
        return view.calibration
    found = volatility_at(view.calibration, view.snapshot)
    if isinstance(found, Missing):
        return found
    source = f", as {found.told_by} of {duration(found.age_s)} ago forecasts"
    return _Told(variance_rate=found.variance_rate, source=source)
