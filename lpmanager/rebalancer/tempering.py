"""What the market makes of a campaign's limits, and of what its policy wants."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from lpmanager.model import Snapshot, Target, TickRange, WeightedRange
from lpmanager.rebalancer.day_of import variance_ahead
from lpmanager.rebalancer.ranges import around
from lpmanager.rebalancer.regime import regime_of
from lpmanager.rebalancer.staying import widened_to_stay
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import ONE, Adjustment, Appetite
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing
from lpmanager.risk.tomorrow import HORIZON_S


def adjustment_of(view: View, appetite: Appetite) -> Adjustment:
    """What the regime changes: nothing where none is configured, or it is not known. A gate tells
    the latter."""
    known = regime_of(view, appetite) if appetite.regimes else None
    if known is None or isinstance(known, Missing):
        return Adjustment()
    return appetite.regimes.get(known.regime, Adjustment())


def widening_of(appetite: Appetite) -> Fraction | None:
    """The most by which a range may be wider than its policy asked for, as a factor: that of the
    regime that widens the most, or None where `min_stay_probability` may ask for any width."""
    if appetite.min_stay_probability is not None:
        return None
    return max((change.width for change in appetite.regimes.values()), default=ONE)


def tempered_limits(limits: Limits, change: Adjustment) -> Limits:
    """The limits with another pause between moves, rounded up, and another hedge band."""
    return replace(
        limits,
        min_interval_s=math.ceil(limits.min_interval_s * change.interval),
        hedge_band=min(limits.hedge_band * change.hedge_band, ONE),
    )


def tempered_target(view: View, target: Target, change: Adjustment) -> Target:
    """The target with new ranges widened around their own centre and less put into them.

    What is held already stands as the policy wants it: a regime that comes and goes moves nothing
    by itself. An order on one side of the price is not widened: it would come to hold the price.
    """
    held = {position.range for position in view.snapshot.positions}
    if change.width == ONE and change.deploy == ONE:
        return target
    ranges = tuple(
        want if want.range in held else _tempered(view.snapshot, want, change)
        for want in target.ranges
    )
    return replace(target, ranges=ranges)


def target_that_stays(view: View, target: Target, outlook: Outlook, appetite: Appetite) -> Target:
    """The target with new ranges around the price as wide as `min_stay_probability` asks for.

    What is held stands, and an order beside the price stays as it is. So does all where the day's
    variance is not known: a gate tells why.
    """
    least, snapshot = appetite.min_stay_probability, view.snapshot
    variance_rate = variance_ahead(view, outlook, appetite, HORIZON_S)
    if least is None or isinstance(variance_rate, Missing):
        return target
    tick, spacing = snapshot.state.tick, snapshot.pool.tick_spacing
    held = {position.range for position in snapshot.positions}
    ranges = []
    for want in target.ranges:
        stays = want.range
        if stays not in held and tick in stays:
            stays = widened_to_stay(tick, stays, variance_rate, least, spacing)
        ranges.append(replace(want, range=stays))
    return replace(target, ranges=tuple(ranges))


def deploying(view: View, target: Target, share: Fraction) -> Target:
    """The target with that share of what it wants in each new range; what is held stands."""
    held = {position.range for position in view.snapshot.positions}
    ranges = tuple(
        want if want.range in held else replace(want, weight=want.weight * share)
        for want in target.ranges
    )
    return replace(target, ranges=ranges)


def _tempered(snapshot: Snapshot, want: WeightedRange, change: Adjustment) -> WeightedRange:
    tick_range = want.range
    if snapshot.state.tick in tick_range:
        tick_range = _widened_up(tick_range, change.width, snapshot.pool.tick_spacing)
    return WeightedRange(tick_range, want.weight * min(change.deploy, ONE))


def _widened_up(tick_range: TickRange, width: Fraction, spacing: int) -> TickRange:
    reach = math.ceil(tick_range.width * width / 2)
    return around(tick_range.centre, reach, reach, spacing)
