"""What risks a campaign takes on: the limits that are asked of estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from lpmanager.risk.heston.given import GivenHeston

ONE = Fraction(1)


class WhereMissing(StrEnum):
    """What becomes of a gate whose estimate cannot be made."""

    REQUIRE = "require"
    IGNORE = "ignore"


class HedgeTo(StrEnum):
    """Where a hedge ends: at the wanted share of the base token, at the nearer edge of the band
    around it, or at the share that leaves the least CVaR against the wanted mix."""

    TARGET = "target"
    EDGE = "edge"
    LEAST_CVAR = "least_cvar"


class RegimesBy(StrEnum):
    """What tells the regime: recent volatility against its own mean, or Markov switching."""

    EWMA = "ewma"
    MARKOV = "markov"


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
    `max_toxic_share`: of recent volume, the part that cost the providers more than its fee, at the
    pool's price five minutes later. `leave_while_toxic`: all ranges are left while all of the
    flow did so on average, the past fading.
    `pause_after_jump_s`: how long nothing is placed after a jump of the price. `max_crash_loss`:
    the share of its value that the campaign may lose where the base token falls by a fifth in one
    block. `max_cvar`: the share that it may lose on the mean of the worst fortieth of days.
    `max_vpin`: how one-sided the newest volume may be (VPIN).
    `min_twap_attack_cost`: what moving the pool's mean price unseen must cost an attacker, over
    the campaign's value. `max_concentration`: of the pool's liquidity around the price, by steps of
    the price (Herfindahl). `min_stay_probability`: the chance that a new range is not left within a
    day; a narrower one is widened. `min_width_to_swing`: the width of a new range over the swing of
    the price that is expected in the time that a move has to last. `act_at_capacity_used`: a range
    of which a side is used up to that share is placed anew, from `must_at_capacity_used` on whether
    or not that pays back. `reserve_at_budget_used`: the share of a day's moves, gas or swap cost
    from which on the rest is for what must be done.
    `risk_aversion`: relative to wealth of the campaign's value; the hedge band follows from it.
    `hedge_to`: see `HedgeTo`. `heston`: the model of a day's prices behind CVaR, in the place of a
    lognormal price as volatile as now. `max_gas_to_fees`: gas over fees since the campaign began,
    which no placing may bring higher.
    `regimes`, by name: what the market's state changes; `regimes_by` is what tells that state.
    `pause_after_change_s`: how long nothing is placed after volatility became another one, as the
    calibration found, or as was noticed in swaps since. `max_calibration_age_s`: up to which age a
    calibration is used.
    `max_share_in_token`, `_pool`, `_issuer` and `_lender`: of all campaigns together, what may hang
    on one of them. `leave_on_depeg`: all ranges are left while a token of the pool is off its peg.
    `max_neighbour_age_s`: how old what is known of other campaigns may be. `max_base_fee_to_usual`:
    how many times its median the base fee may be; `min_healthy_rpcs`: how many RPCs must be in use.
    """

    where_missing: WhereMissing = WhereMissing.REQUIRE
    min_fee_to_lvr: Fraction | None = None
    leave_below_fee_to_lvr: Fraction | None = None
    max_toxic_share: Fraction | None = None
    leave_while_toxic: bool = False
    pause_after_jump_s: int | None = None
    max_crash_loss: Fraction | None = None
    max_cvar: Fraction | None = None
    max_vpin: Fraction | None = None
    min_twap_attack_cost: Fraction | None = None
    max_concentration: Fraction | None = None
    min_stay_probability: Fraction | None = None
    min_width_to_swing: Fraction | None = None
    act_at_capacity_used: Fraction | None = None
    must_at_capacity_used: Fraction | None = None
    reserve_at_budget_used: Fraction | None = None
    risk_aversion: Fraction | None = None
    hedge_to: HedgeTo | None = None
    heston: GivenHeston | None = None
    max_gas_to_fees: Fraction | None = None
    max_share_in_token: Fraction | None = None
    max_share_in_pool: Fraction | None = None
    max_share_in_issuer: Fraction | None = None
    max_share_in_lender: Fraction | None = None
    leave_on_depeg: bool = False
    max_neighbour_age_s: int = 3_600
    max_base_fee_to_usual: Fraction | None = None
    min_healthy_rpcs: int | None = None
    pause_after_change_s: int | None = None
    max_calibration_age_s: int = 86_400
    regimes_by: RegimesBy = RegimesBy.EWMA
    regimes: Mapping[str, Adjustment] = field(default_factory=dict)

    @property
    def hedges_to(self) -> HedgeTo:
        """Where a hedge ends: where nothing is said, at the edge of the band that a risk aversion
        asks for, and without one at the target."""
        if self.hedge_to is not None:
            return self.hedge_to
        return HedgeTo.TARGET if self.risk_aversion is None else HedgeTo.EDGE
