"""The risk desk's measures of a view: each with its question and unit, or with what it needs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import NO_OUTLOOK, a_limits, a_market, a_position, a_record, a_view, an_outlook
from order_flow_builders import BIG, a_swap, after

from lpmanager.rebalancer import View
from lpmanager.rebalancer.assessment import HOLDS_NOTHING, Measure, Question, Unit, assessment
from lpmanager.rebalancer.at_stake import stake_now
from lpmanager.rebalancer.soundness import AttackCost, twap_attack_cost
from lpmanager.risk.missing import Missing

HELD = a_position("[-600, 600)", token_id=7, liquidity=10**13)


def a_held_view(**outlook: float) -> View:
    return a_view(a_market(positions=(HELD,)), a_record((10**9, 10**9)), an_outlook(**outlook))


def measures(view: View) -> dict[str, Measure]:
    return {one.name: one for one in assessment(view, a_limits())}


def test_the_stake_is_worth_what_the_inventory_says() -> None:
    view = a_held_view()
    stake = stake_now(view, an_outlook())
    whole = 10**view.snapshot.quote.decimals
    assert stake.value(stake.sqrt_price) == pytest.approx(float(view.inventory.value) / whole)


def test_the_used_sides_are_those_of_the_range_that_is_judged() -> None:
    """The order beside it is all used up on the side that it does not trade."""
    order = a_position("[10, 310)", token_id=8, liquidity=10**13)
    view = a_view(a_market(positions=(HELD, order)), a_record((0, 0)))
    found = measures(view)
    for side in ("sell", "buy"):
        assert found[f"{side} side used"].value == pytest.approx(0.5, abs=0.01)
        assert "[-600, 600)" in found[f"{side} side used"].meaning
    assert isinstance(measures(a_view())["sell side used"].value, Missing)


def test_what_can_still_be_traded_is_of_all_ranges_and_idle_tokens_are_told_apart() -> None:
    """In [-600, 600) and in [0, 600), both with the liquidity 10**13, at tick 0. The base token is
    WETH, which rises as the tick falls."""
    upper = a_position("[0, 600)", token_id=8, liquidity=10**13)
    view = a_view(a_market(positions=(HELD, upper)), a_record((3 * 10**6, 2 * 10**18)))
    found = measures(view)
    root = 1.0001**-300
    below, above = 10**13 * (1 - root), 10**13 * (1 / root - 1)
    told = {
        "can still sell": (below / 10**18, Unit.BASE),
        "sells that for": (above / 10**6, Unit.QUOTE),
        "can still buy": (2 * above / 10**18, Unit.BASE),
        "buys that for": (2 * below / 10**6, Unit.QUOTE),
        "idle base": (2.0, Unit.BASE),
        "idle quote": (3.0, Unit.QUOTE),
    }
    for name, (amount, unit) in told.items():
        assert found[name].value == pytest.approx(amount, rel=1e-6), name
        assert found[name].unit is unit


def test_used_budgets_are_shares_of_their_limits() -> None:
    record = a_record((10**9, 10**9), moves=3, gas=10**16, swap_cost=10**17)
    found = measures(a_view(a_market(positions=(HELD,)), record, an_outlook()))
    used = [found[f"{what} used"].value for what in ("moves", "gas", "swap cost")]
    assert used == [0.5, 0.1, 0.1]
    assert not any("near" in found[f"{what} used"].meaning for what in ("moves", "gas"))
    assert found["hedge band"].value == 0.2


def test_a_budget_of_which_four_fifths_are_used_is_near() -> None:
    record = a_record((10**9, 10**9), moves=5, gas=79 * 10**15, swap_cost=8 * 10**17)
    found = measures(a_view(a_market(positions=(HELD,)), record, an_outlook()))
    near = {what: "near" in found[f"{what} used"].meaning for what in ("moves", "gas", "swap cost")}
    assert near == {"moves": True, "gas": False, "swap cost": True}


def test_what_an_attack_on_the_mean_price_costs_is_told_in_quote_and_over_the_value() -> None:
    view = a_view(after([a_swap(n) for n in range(1, 21)], last_block=20))
    found = measures(view)
    cost, times = found["TWAP attack cost"], found["TWAP attack over value"]
    assert (cost.unit, times.unit) == (Unit.QUOTE, Unit.RATIO)
    told = twap_attack_cost(view, a_limits())
    assert isinstance(told, AttackCost)
    assert (cost.value, times.value) == (told.quote, told.times_value)
    assert isinstance(measures(a_view())["TWAP attack cost"].value, Missing)


def test_the_oracle_reaches_back_as_long_as_its_room_lasts_at_the_present_trade() -> None:
    """A hundred prices, one in every fifth block of 12 s: of two swaps in a block one is kept."""
    swaps = [a_swap(block) for block in range(1, 101, 5) for _ in range(2)]
    snapshot = replace(after(swaps, last_block=100), oracle_slots=100)
    row = measures(a_view(snapshot))["oracle reaches back"]
    assert row.value == pytest.approx(99 * 60)
    assert row.unit is Unit.SECONDS
    assert "room for 100 prices" in row.meaning
    for unknown in (replace(snapshot, oracle_slots=None), replace(snapshot, flow=None)):
        row = measures(a_view(unknown))["oracle reaches back"]
        assert isinstance(row.value, Missing)
        assert "None" not in row.meaning


def test_liquidity_that_is_even_is_not_concentrated() -> None:
    assert measures(a_held_view())["concentration"].value == pytest.approx(0.05, rel=1e-3)


def test_fees_imply_as_many_times_the_volatility_as_the_root_of_fees_over_lvr() -> None:
    found = measures(a_held_view())
    implied, realised = found["implied volatility"].value, found["volatility"].value
    assert found["implied over realised"].value == pytest.approx(implied / realised)
    assert found["implied over realised"].value ** 2 == pytest.approx(found["fees over LVR"].value)


def test_the_ten_senders_that_cost_most_are_told_with_what_they_cost() -> None:
    """Each buys a little more than the one before him, before the price rises by a hundredth."""
    swaps = [a_swap(n, bought=BIG + n, sender=f"0x{n}") for n in range(1, 13)]
    found = measures(a_view(after([*swaps, a_swap(20, tick=100)], last_block=60)))
    told = [name for name in found if name.startswith("markout of ")]
    assert told == [f"markout of 0x{n}" for n in range(12, 2, -1)]
    worst = found["markout of 0x12"]
    assert worst.unit is Unit.QUOTE
    # about BIG raw token0 of 6 decimals, of which 1 % is lost and 0.05 % paid
    assert worst.value == pytest.approx(-0.0095 * BIG / 10**6, rel=0.01)
    assert isinstance(measures(a_held_view())["markout by sender"].value, Missing)


def test_arbitrage_keeps_what_the_fee_and_the_blocks_leave_it_of_lvr() -> None:
    """Of a price that moves 5 % a day, at 5 basis points and 12 s a block: 45 %."""
    swaps = [a_swap(n) for n in range(1, 21)]
    snapshot = replace(after(swaps, last_block=20), positions=(HELD,))
    found = measures(a_view(snapshot, outlook=an_outlook(variance_rate=0.05**2 / 86_400)))
    lost, kept = found["LVR"], found["LVR after fees and blocks"]
    assert kept.unit is Unit.A_YEAR
    assert kept.value / lost.value == pytest.approx(0.454545, abs=1e-6)
    blocks_unknown = measures(a_held_view())["LVR after fees and blocks"].value
    assert isinstance(blocks_unknown, Missing)


def test_in_an_empty_pool_nothing_that_needs_liquidity_is_a_number() -> None:
    empty = a_market(others=0)
    assert empty.state.liquidity == 0
    found = measures(a_view(empty, a_record((10**9, 10**9)), an_outlook(fee_rate=0.0)))
    for name in ("fees over LVR", "implied volatility", "implied over realised", "our share"):
        missing = found[name].value
        assert isinstance(missing, Missing), name
        assert "active liquidity, found 0" in missing.reason
    for one in found.values():
        assert not isinstance(one.value, float) or math.isfinite(one.value), one.name


def test_every_question_is_answered() -> None:
    assert {one.question for one in assessment(a_held_view(), a_limits())} == set(Question)


def test_without_an_outlook_the_rest_says_what_it_needs() -> None:
    found = measures(replace(a_held_view(), outlook=NO_OUTLOOK))
    assert not isinstance(found["value"].value, Missing)
    missing = found["all of it"].value
    assert missing == NO_OUTLOOK


def test_what_a_crash_leaves_is_told_in_numbers_and_without_any_swap() -> None:
    """A programme reads them: the change, what is left, and how much of that is the base token."""
    view = replace(a_held_view(), outlook=Missing("no swaps"))
    found, value = measures(view), measures(view)["value"].value
    assert not isinstance(value, Missing | str)
    for fall in ("-5%", "-10%", "-20%", "-40%"):
        change, left = found[f"price {fall}"], found[f"value at {fall}"]
        weight = found[f"weight of base at {fall}"]
        assert (change.unit, left.unit, weight.unit) == (Unit.SHARE, Unit.QUOTE, Unit.SHARE)
        assert left.value == pytest.approx(value * (1 + change.value))
    assert found["weight of base at -40%"].value > 0.99
    assert 0.5 < found["weight of base at -5%"].value < 1


def test_a_campaign_that_holds_nothing_can_lose_nothing_that_is_a_number() -> None:
    found = assessment(a_view(a_market(), a_record((0, 0)), an_outlook()), a_limits())
    crash = [one.value for one in found if one.question is Question.CRASH]
    losses = [one.value for one in found if one.name.startswith(("CVaR", "value at risk"))]
    assert [*crash, *losses] == [HOLDS_NOTHING] * 5


def test_a_campaign_without_positions_has_no_range_to_leave() -> None:
    found = measures(a_view())
    for name in ("chance to stay in range", "expected exit", "time in range"):
        assert isinstance(found[name].value, Missing)


@pytest.mark.parametrize("variance_rate", [0.0, 1e-12, 1e-3, 1.0])
def test_no_volatility_however_odd_gives_a_number_that_is_none(variance_rate: float) -> None:
    """A still price, and one that spreads a millionfold in a day."""
    for one in assessment(a_held_view(variance_rate=variance_rate), a_limits()):
        assert isinstance(one.value, Missing | str) or math.isfinite(one.value), one


def test_twice_the_variance_is_twice_the_lvr_and_half_the_pay() -> None:
    calm, wild = (measures(a_held_view(variance_rate=v)) for v in (2e-9, 4e-9))
    assert wild["LVR"].value == pytest.approx(2 * calm["LVR"].value)
    assert wild["fees over LVR"].value == pytest.approx(calm["fees over LVR"].value / 2)
    assert wild["fees"].value == calm["fees"].value
