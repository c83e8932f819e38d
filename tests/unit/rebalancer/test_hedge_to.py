"""Where a hedge ends: at the target, at its band's edge, or where the worst days cost least."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from builders import a_limits, a_market, a_position, a_record, a_view, an_outlook
from decisions import closed, gate

from lpmanager.hedge import balance_gate
from lpmanager.hedge.least_cvar import least_cvar_weight
from lpmanager.model import Decision, Hold, Plan, Swap, Target
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.assessment import assessment
from lpmanager.rebalancer.at_stake import stake_now
from lpmanager.rebalancer.hedge_limits import hedge_limits, least_cvar_target
from lpmanager.rebalancer.policies.base import keep
from lpmanager.rebalancer.standing import limits_as_they_stand
from lpmanager.risk.appetite import Appetite, HedgeTo, WhereMissing
from lpmanager.risk.cvar import TailLoss, tail_loss
from lpmanager.risk.missing import Missing
from lpmanager.risk.stake import Stake, historical_results
from lpmanager.risk.tomorrow import CONFIDENCE, HORIZON_S, returns_tomorrow

A_BIT_WILD = 2e-8  # 4 % a day
#: At which fees of both tokens about pay for LVR.
FEE_RATE = 2.5e-9

#: The base token is token1: a hundredth below its price the range is all base, far above all quote.
NEAR_ITS_FLOOR = a_position("[-1500, 100)", token_id=7, liquidity=10**13)


class Staying:
    """Leaves all ranges where they are, so that only the hedge is left to decide."""

    def target(self, seen: View) -> Target:
        return keep(seen.snapshot.positions, "they stay")


def too_much_base(variance_rate: float = A_BIT_WILD) -> View:
    return a_view(
        a_market(positions=(NEAR_ITS_FLOOR,)),
        a_record((0, 10**12)),
        an_outlook(variance_rate=variance_rate, fee_rate=FEE_RATE),
    )


def decided(view: View, **appetite: object) -> Decision:
    return decide("mine", view, Staying(), a_limits(appetite=Appetite(**appetite)))


def weight_after(decision: Decision, view: View) -> float:
    """The base token's share once the swap is done, at a price of 1 that it hardly moves."""
    assert isinstance(decision, Plan)
    (swap,) = decision.actions
    assert isinstance(swap, Swap)
    assert view.inventory.weight is not None
    return float(view.inventory.weight) - swap.amount_in.raw / float(view.inventory.value)


def test_a_hedge_goes_to_the_target_to_the_edge_or_to_the_least_cvar() -> None:
    view = too_much_base()
    ends = [weight_after(decided(view, hedge_to=to), view) for to in HedgeTo]
    # a band of 0.2 around one half is a tenth of the value
    assert ends[:2] == pytest.approx([0.5, 0.6], abs=0.005)
    least = least_cvar_target(view, a_limits(appetite=Appetite(hedge_to=HedgeTo.LEAST_CVAR)))
    assert isinstance(least, float)
    assert ends[2] == pytest.approx(least, abs=0.005)
    assert 0.51 < least < 0.59


def test_where_nothing_is_said_a_hedge_goes_where_it_always_went() -> None:
    assert Appetite().hedges_to is HedgeTo.TARGET
    assert Appetite(risk_aversion=Fraction(3)).hedges_to is HedgeTo.EDGE
    view = too_much_base()
    assert decided(view) == decided(view, hedge_to=HedgeTo.TARGET)


def tail_of_shortfall(stake: Stake, sold: float, returns: tuple[float, ...]) -> float:
    """CVaR against half and half, after so many base tokens were sold at the price."""
    price, worth = stake.sqrt_price**2, stake.value(stake.sqrt_price)
    gains = historical_results(stake, returns, HORIZON_S)
    left = [
        gain - (sold + worth / price / 2) * price * math.expm1(each)
        for gain, each in zip(gains, returns, strict=True)
    ]
    found = tail_loss(left, CONFIDENCE)
    assert isinstance(found, TailLoss)
    return found.cvar


def test_no_other_weight_leaves_a_smaller_tail_of_falling_behind_the_wanted_mix() -> None:
    view = too_much_base()
    returns, stake = returns_tomorrow(A_BIT_WILD), stake_now(view, an_outlook(fee_rate=FEE_RATE))
    assert isinstance(returns, tuple)
    best = least_cvar_weight(
        stake, wanted=0.5, returns=returns, horizon_s=HORIZON_S, confidence=CONFIDENCE
    )
    assert isinstance(best, float)
    worth, price = stake.value(stake.sqrt_price), stake.sqrt_price**2
    now = stake.base_at(stake.sqrt_price) * price / worth

    def tail(weight: float) -> float:
        return tail_of_shortfall(stake, (now - weight) * worth / price, returns)

    others = [step / 100 for step in range(101)]
    assert tail(best) <= min(map(tail, others))
    assert tail(best) < 0.95 * tail(0.5)


def test_after_the_hedge_of_least_cvar_nothing_is_left_to_hedge() -> None:
    """The band is around that weight, not around the target: else it would be hedged for ever."""
    limits = a_limits(hedge_band=Fraction(1, 100), appetite=Appetite(hedge_to=HedgeTo.LEAST_CVAR))
    before = too_much_base()
    least = least_cvar_target(before, limits)
    assert isinstance(least, float)
    # sold for the quote token at a price of 1
    sold = round((float(before.inventory.weight or 0) - least) * float(before.inventory.value))
    after = a_view(
        a_market(positions=(NEAR_ITS_FLOOR,)),
        a_record((sold, 10**12 - sold)),
        an_outlook(variance_rate=A_BIT_WILD, fee_rate=FEE_RATE),
    )
    assert not balance_gate(before.inventory, hedge_limits(before, limits)).passed
    assert balance_gate(after.inventory, hedge_limits(after, limits)).passed
    assert not balance_gate(after.inventory, limits).passed


def test_a_hedge_to_the_edge_ends_inside_the_band_that_a_risk_aversion_asks_for() -> None:
    """Band and imbalance are in one unit, so that the edge is where the band ends."""
    limits = a_limits(appetite=Appetite(risk_aversion=Fraction(3)))
    before = too_much_base()
    end = weight_after(decide("mine", before, Staying(), limits), before)
    sold = round((float(before.inventory.weight or 0) - end) * float(before.inventory.value))
    wallet = a_record((sold, 10**12 - sold))
    after = a_view(a_market(positions=(NEAR_ITS_FLOOR,)), wallet, an_outlook())
    left = balance_gate(after.inventory, hedge_limits(after, limits))
    band = left.limit.removesuffix(" around 50.0%")
    assert float(left.measured) == pytest.approx(float(band), abs=0.005)


def test_without_a_tail_nothing_is_hedged_or_the_target_counts() -> None:
    still = too_much_base(variance_rate=0.0)
    held = decided(still, hedge_to=HedgeTo.LEAST_CVAR)
    assert isinstance(held, Hold)
    assert closed(held) == ["least CVaR"]
    assert gate(held, "least CVaR").measured == "unknown"
    ignored = decided(still, hedge_to=HedgeTo.LEAST_CVAR, where_missing=WhereMissing.IGNORE)
    assert weight_after(ignored, still) == pytest.approx(0.5, abs=0.005)


def test_nothing_held_has_no_least_cvar() -> None:
    nothing = Stake(sqrt_price=1.0, ranges=(), base=0.0, quote=0.0, fee_rate=0.0, gas=0.0)
    found = least_cvar_weight(
        nothing, wanted=0.5, returns=[-0.1, 0.1], horizon_s=HORIZON_S, confidence=0.5
    )
    assert isinstance(found, Missing)


def test_tokens_without_ranges_are_best_held_in_the_wanted_mix() -> None:
    idle = Stake(sqrt_price=40.0, ranges=(), base=5.0, quote=900.0, fee_rate=0.0, gas=0.0)
    returns = returns_tomorrow(A_BIT_WILD)
    assert isinstance(returns, tuple)
    for wanted in (0.0, 0.3, 1.0):
        found = least_cvar_weight(
            idle, wanted=wanted, returns=returns, horizon_s=HORIZON_S, confidence=CONFIDENCE
        )
        assert found == pytest.approx(wanted, abs=1e-6)


def test_the_desk_tells_where_a_hedge_ends() -> None:
    def told(view: View, to: HedgeTo) -> object:
        limits = a_limits(appetite=Appetite(hedge_to=to))
        (one,) = [m for m in assessment(view, limits) if m.name == "hedge weight"]
        return one.value

    view = too_much_base()
    ends = [weight_after(decided(view, hedge_to=to), view) for to in HedgeTo]
    assert [told(view, to) for to in HedgeTo] == pytest.approx(ends, abs=0.005)
    assert isinstance(told(too_much_base(variance_rate=0.0), HedgeTo.LEAST_CVAR), Missing)


def test_the_imbalance_is_told_around_the_weight_that_it_is_from() -> None:
    """The desk's own imbalance is from the target weight, which is another."""
    view = too_much_base()
    limits = a_limits(appetite=Appetite(hedge_to=HedgeTo.LEAST_CVAR))
    least = least_cvar_target(view, limits)
    assert isinstance(least, float)
    (gate,) = [g for g in limits_as_they_stand(view, limits) if g.name == "imbalance"]
    assert gate.limit.endswith(f" around {least:.1%}")
    (measure,) = [m for m in assessment(view, limits) if m.name == "imbalance"]
    assert "from 50.0%, the target weight" in measure.meaning
