"""What risks a campaign takes on: the limits that are asked of estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

ONE = Fraction(1)


class WhereMissing(StrEnum):
    """What becomes of a gate whose estimate cannot be made."""

    REQUIRE = "require"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What a regime of the market changes, each as a factor.

    `width` is of new ranges, `deploy` of the shares put into them (at most 1), `interval` of the
    pause between two moves, `hedge_band` of the imbalance that is left alone.
    """

    width: Fraction = ONE
    deploy: Fraction = ONE
    interval: Fraction = ONE
    hedge_band: Fraction = ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Appetite:
    """Limits of risk; each is asked only where it is given, so that by default none is.

    `min_fee_to_lvr`: nothing new is placed while a unit of liquidity is paid less than so many
    times what arbitrage takes from it; below `leave_below_fee_to_lvr` all ranges are left.
    `max_toxic_share`: of recent volume, the part after which the price went on against its
    providers by more than the fee. `pause_after_jump_s`: how long nothing is placed after a jump of
    the price. `max_crash_loss`: the share of its value that the campaign may lose where the base
    token falls by a fifth in one block. `max_cvar`: the share that it may lose on the mean of the
    worst fortieth of days. `max_vpin`: how one-sided the newest volume may be (VPIN).
    `min_twap_attack_cost`: what moving the pool's mean price unseen must cost an attacker, over
    the campaign's value. `min_stay_probability`: the chance that a new range is not left within a
    day; a narrower one is widened. `act_at_capacity_used`: a range of which a side is used up to
    that share is placed anew, from `must_at_capacity_used` on whether or not that pays back.
    `risk_aversion`: relative to wealth of the campaign's value; the hedge band follows from it.
    `regimes`, by name: what the market's state changes.
    """

    where_missing: WhereMissing = WhereMissing.REQUIRE
    min_fee_to_lvr: Fraction | None = None
    leave_below_fee_to_lvr: Fraction | None = None
    max_toxic_share: Fraction | None = None
    pause_after_jump_s: int | None = None
    max_crash_loss: Fraction | None = None
    max_cvar: Fraction | None = None
    max_vpin: Fraction | None = None
    min_twap_attack_cost: Fraction | None = None
    min_stay_probability: Fraction | None = None
    act_at_capacity_used: Fraction | None = None
    must_at_capacity_used: Fraction | None = None
    risk_aversion: Fraction | None = None
    regimes: Mapping[str, Adjustment] = field(default_factory=dict)
