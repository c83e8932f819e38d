"""How every limit that is set stands, where a decision does not come to ask it."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction

import pytest
from builders import (
    GENESIS,
    NO_OUTLOOK,
    USDC,
    a_limits,
    a_market,
    a_pool,
    a_position,
    a_record,
    a_token,
    a_view,
    amounts,
    an_outlook,
    price_at,
)

from lpmanager.inventory.holdings import Holdings
from lpmanager.model import Basis, Gate, Hold, Plan
from lpmanager.model.health import ChainHealth
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.rebalancer.standing import limits_as_they_stand
from lpmanager.risk.appetite import Adjustment, Appetite, HedgeTo
from lpmanager.risk.contagion.depeg import Peg
from lpmanager.risk.contagion.neighbours import Loan, Surroundings, as_neighbour

FIXED = FixedWidth(half_width_ticks=600)
HELD = a_position("[-600, 600)", token_id=7, liquidity=10**13)
PEG = Peg(token="USDC", against="WETH", value=1.0, tolerance=0.01, for_s=600)
#: Each limit of an appetite, and the gate that tells how it stands.
EVERY_LIMIT: dict[str, tuple[object, str]] = {
    "min_fee_to_lvr": (Fraction(1), "fees over LVR"),
    "leave_below_fee_to_lvr": (Fraction(1), "pay to stay"),
    "max_toxic_share": (Fraction(1), "toxic flow"),
    "leave_while_toxic": (True, "markout"),
    "pause_after_jump_s": (1, "jump"),
    "max_crash_loss": (Fraction(9, 10), "crash"),
    "max_cvar": (Fraction(9, 10), "CVaR of a day"),
    "max_vpin": (Fraction(1), "VPIN"),
    "min_twap_attack_cost": (Fraction(1, 10**6), "TWAP attack"),
    "max_concentration": (Fraction(1), "concentration"),
    "min_stay_probability": (Fraction(1, 10), "stay"),
    "min_width_to_swing": (Fraction(1, 10), "swing"),
    "act_at_capacity_used": (Fraction(9, 10), "act at capacity"),
    "must_at_capacity_used": (Fraction(9, 10), "must at capacity"),
    "reserve_at_budget_used": (Fraction(1), "reserve"),
    "risk_aversion": (Fraction(3), "imbalance"),
    "hedge_to": (HedgeTo.LEAST_CVAR, "least CVaR"),
    "max_gas_to_fees": (Fraction(1), "gas over fees"),
    "max_share_in_token": (Fraction(1), "share in token"),
    "max_share_in_pool": (Fraction(1), "share in pool"),
    "max_share_in_issuer": (Fraction(1), "share in issuer"),
    "max_share_in_lender": (Fraction(1), "share in lender"),
    "leave_on_depeg": (True, "peg of USDC"),
    "max_base_fee_to_usual": (Fraction(1_000), "base fee"),
    "min_healthy_rpcs": (1, "RPCs"),
    "pause_after_change_s": (1, "change"),
    "regimes": ({"turbulent": Adjustment()}, "regime"),
}
#: Which of several ways a limit is asked in, or how old what it asks of may be.
WAYS = {"where_missing", "heston", "max_neighbour_age_s", "max_calibration_age_s", "regimes_by"}
#: What asks something of where limits are not: it is told where none is set, too.
ALWAYS = {"moves per day", "interval", "imbalance"}


def a_chain_of_tokens() -> Surroundings:
    return Surroundings(pegs=(PEG,), loans=(Loan(lender="bank", token="USDC", amount=1.0),))


def in_range(**of_view: object) -> View:
    """A range around the price, which nothing asks to move."""
    market = replace(
        a_market(positions=(HELD,)), health=ChainHealth(rpcs=1, healthy_rpcs=1, base_fees=None)
    )
    view = a_view(market, a_record((0, 0)), an_outlook())
    return replace(view, surroundings=a_chain_of_tokens(), **of_view)


def standing(view: View, **appetite: object) -> dict[str, Gate]:
    found = limits_as_they_stand(view, a_limits(appetite=Appetite(**appetite)))
    assert len({gate.name for gate in found}) == len(found)
    return {gate.name: gate for gate in found}


def test_a_decision_that_finds_nothing_to_do_asks_few_gates() -> None:
    everything = {field: value for field, (value, _) in EVERY_LIMIT.items()}
    limits = a_limits(appetite=Appetite(**everything), hedge_band=Fraction(1))
    held = decide("mine", in_range(), FIXED, limits)
    assert isinstance(held, Hold)
    assert not {"crash", "fees over LVR", "peg of USDC"} & {gate.name for gate in held.gates}


@pytest.mark.parametrize("limit", EVERY_LIMIT)
def test_every_limit_is_told_once_it_is_set(limit: str) -> None:
    value, name = EVERY_LIMIT[limit]
    assert (name in standing(in_range())) == (name in ALWAYS)
    assert name in standing(in_range(), **{limit: value})


def test_no_limit_is_forgotten() -> None:
    assert {field.name for field in fields(Appetite)} == set(EVERY_LIMIT) | WAYS


def test_without_a_limit_of_risk_the_days_budgets_and_the_imbalance_are_told() -> None:
    assert set(standing(in_range())) == ALWAYS


def test_a_limit_that_is_broken_by_what_is_held_is_closed() -> None:
    found = standing(
        in_range(),
        max_crash_loss=Fraction(1, 1_000),
        min_fee_to_lvr=Fraction(10**6),
        leave_below_fee_to_lvr=Fraction(1, 10**6),
    )
    assert not found["crash"].passed
    assert not found["fees over LVR"].passed
    assert found["pay to stay"].passed


def test_what_placing_would_be_told_is_what_stands() -> None:
    """The crash of a range as it is held, and of the same range once it was placed."""
    unplaced = a_view(a_market(), a_record((10**13, 10**13)), an_outlook())
    appetite = Appetite(max_crash_loss=Fraction(9, 10), min_stay_probability=Fraction(1, 10))
    plan = decide("mine", unplaced, FIXED, a_limits(appetite=appetite))
    assert isinstance(plan, Plan)
    asked = {gate.name: gate for gate in plan.gates}
    stands = standing(
        in_range(), max_crash_loss=Fraction(9, 10), min_stay_probability=Fraction(1, 10)
    )
    assert stands["stay"] == asked["stay"]
    assert stands["crash"].measured == asked["crash"].measured


def test_while_it_leaves_a_failing_token_every_limit_still_stands() -> None:
    pool = a_pool(USDC, a_token("USDT", 6, 5), 0xF1)
    none = amounts(0, 0, pool)
    nothing = Holdings(wallet=none, principal=none, uncollected=none)
    other = as_neighbour("stable", a_market(pool=pool), nothing)
    peg = replace(PEG, against="USDT")
    sees_it_fail = replace(other, pegs={"USDC": True})
    view = replace(in_range(), surroundings=Surroundings(pegs=(peg,), neighbours=(sees_it_fail,)))
    asked = {"leave_on_depeg": True, "max_crash_loss": Fraction(9, 10)}
    leaves = decide("mine", view, FIXED, a_limits(appetite=Appetite(**asked)))
    assert isinstance(leaves, Plan)
    assert "crash" not in {gate.name for gate in leaves.gates}
    found = standing(view, **asked)
    assert found["crash"].passed
    assert not found["peg of USDC"].passed


def test_without_a_history_what_needs_none_is_told_all_the_same() -> None:
    asked = {"max_concentration": Fraction(1), "min_fee_to_lvr": Fraction(1)}
    found = standing(in_range(outlook=NO_OUTLOOK), **asked)
    assert found["concentration"].passed
    assert found["fees over LVR"].measured == "unknown"
    assert NO_OUTLOOK.reason in found["fees over LVR"].reason


def test_a_side_that_was_as_used_when_it_was_placed_never_counts_and_that_is_told() -> None:
    """Both sides of a range around the price are about half used from the first."""
    view = in_range()
    basis = Basis(
        token_id=7,
        range=HELD.range,
        liquidity=HELD.liquidity,
        amounts=amounts(0, 0),
        sqrt_price_x96=price_at(0),
        timestamp=GENESIS,
    )
    view = replace(view, record=replace(view.record, bases={7: basis}))
    gate = standing(view, act_at_capacity_used=Fraction(3, 10))["act at capacity"]
    assert gate.passed
    assert gate.measured == "50.7% to sell (50.7% when placed), 50.7% to buy (50.7% when placed)"
