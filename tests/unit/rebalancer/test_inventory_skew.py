"""A range that leans against the inventory, in pools of both orders of tokens."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import (
    NO_OUTLOOK,
    USDC,
    WETH,
    a_limits,
    a_market,
    a_pool,
    a_position,
    a_range,
    a_record,
    a_view,
    an_outlook,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.errors import ConfigError
from lpmanager.model import Mint, Plan, Swap, Target, TickRange
from lpmanager.rebalancer import View, decide, make_policy
from lpmanager.rebalancer.policies import InventorySkew
from lpmanager.rebalancer.tempering import tempered_target
from lpmanager.risk.appetite import Adjustment

DAY = 86_400
#: A volatility of 5 % in a square root of a day.
FIVE_PERCENT = 0.05**2 / DAY
W = 600
POLICY = InventorySkew(half_width_ticks=W, replace_at=Fraction(3, 10))
#: At 5 % the lean is cut at its most, 900 ticks: sides of 1050 ticks without inventory.
SIDE, LEAN = 1_050, 900

#: The price of a base token rises with the tick, or falls; at tick 0 a raw unit is worth another.
ORDERS = {"base is token0": USDC, "base is token1": WETH}
both_orders = pytest.mark.parametrize("base", ORDERS.values(), ids=ORDERS)
POOL = a_pool(USDC, WETH)
#: More of each token than five times the gas of any move here.
EARNED = 10**8


def seen(
    q: float,
    *held: str,
    base=USDC,
    tick: int = 0,
    rate: float = FIVE_PERCENT,
    earned: int = EARNED,
) -> View:
    """An inventory of that imbalance at a price of 1: a wallet, and positions of next to nothing in
    these ranges, the first of which has earned so much of either token."""
    earned = earned if held else 0
    heavy, light = (max(round(10**12 * (1 + side)) - earned, 0) for side in (q, -q))
    wallet = (heavy, light) if base == USDC else (light, heavy)
    positions = tuple(
        a_position(text, token_id=i, liquidity=1, fees=(0, 0) if i else (earned, earned))
        for i, text in enumerate(held)
    )
    quote = WETH if base == USDC else USDC
    return a_view(
        a_market(tick=tick, positions=positions, pool=POOL, quote=quote),
        a_record(wallet, pool=POOL),
        an_outlook(variance_rate=rate),
    )


def ranges(target: Target) -> list[TickRange]:
    return [weighted.range for weighted in target.ranges]


def sides(target: Target, base) -> tuple[int, int]:
    """Ticks of the first range to where base is cheaper, and to where it is dearer."""
    first = ranges(target)[0]
    below, above = -first.lower, first.upper
    return (below, above) if base == USDC else (above, below)


@both_orders
def test_without_imbalance_both_sides_are_as_wide(base) -> None:
    target = POLICY.target(seen(0.0, base=base))
    assert sides(target, base) == (SIDE, SIDE)
    assert not target.swap


@both_orders
@pytest.mark.parametrize(("q", "bid", "ask"), [(0.5, 1_500, 600), (-0.5, 600, 1_500)])
def test_too_much_base_is_sold_near_and_bought_far(base, q: float, bid: int, ask: int) -> None:
    target = POLICY.target(seen(q, base=base))
    assert sides(target, base) == (bid, ask) == (SIDE + q * LEAN, SIDE - q * LEAN)


@both_orders
@pytest.mark.parametrize("q", [0.5, -0.5])
def test_what_is_left_over_is_an_order_on_the_side_that_sells_it(base, q: float) -> None:
    _, order = ranges(POLICY.target(seen(q, base=base)))
    sells_on_the_way_up = (q > 0) is (base == USDC)
    assert order == (TickRange(20, 620) if sells_on_the_way_up else TickRange(-610, -10))


@settings(max_examples=40)
@given(q=st.floats(-1, 1), tick=st.integers(-20_000, 20_000), rate=st.floats(0, 1e-6))
def test_the_price_is_inside_whatever_is_held(q: float, tick: int, rate: float) -> None:
    first = ranges(POLICY.target(seen(q, tick=tick, rate=rate)))[0]
    assert tick in first
    assert 2 * W <= first.width <= 2 * W + LEAN + 20
    assert min(tick - first.lower, first.upper - tick) >= W // 4


@both_orders
@pytest.mark.parametrize("q", [-1.0, -0.6, 0.0, 0.3, 1.0])
def test_a_range_just_placed_stands(base, q: float) -> None:
    placed = ranges(POLICY.target(seen(q, base=base)))
    again = POLICY.target(seen(q, *map(str, placed), base=base))
    assert ranges(again) == placed


@both_orders
def test_a_range_stands_however_the_volatility_flickers(base) -> None:
    placed = [str(each) for each in ranges(POLICY.target(seen(0.4, base=base)))]
    for rate in (0.0, FIVE_PERCENT / 100, FIVE_PERCENT * 100):
        kept = POLICY.target(seen(0.4, *placed, base=base, rate=rate))
        assert [str(each) for each in ranges(kept)] == placed


@pytest.mark.parametrize(("tick", "stands"), [(180, True), (181, False), (-180, True)])
def test_a_range_is_placed_anew_once_the_price_is_too_far_from_where_it_should_be(
    tick: int, stands: bool
) -> None:
    """The inventory of the first wallet is balanced at tick 0, and nearly so at these."""
    view = seen(0.0, "[-1050, 1050)", tick=tick)
    balanced = replace(view.inventory, imbalance=Fraction(0))
    target = POLICY.target(replace(view, inventory=balanced))
    assert (ranges(target) == [a_range("[-1050, 1050)")]) is stands


def test_an_inventory_that_changed_moves_a_range_at_the_same_price() -> None:
    placed = "[-1050, 1050)"
    assert ranges(POLICY.target(seen(0.19, placed))) == [a_range(placed)]
    assert ranges(POLICY.target(seen(0.21, placed))) != [a_range(placed)]


def test_a_range_narrower_than_wanted_is_replaced() -> None:
    narrow = "[-590, 600)"
    assert a_range(narrow) not in ranges(POLICY.target(seen(0.0, narrow)))


@both_orders
@pytest.mark.parametrize("q", [-0.9, 0.0, 0.5])
def test_a_range_that_a_regime_has_widened_around_its_centre_stands(base, q: float) -> None:
    placed = ranges(POLICY.target(seen(q, base=base)))
    wider = TickRange(placed[0].lower - 500, placed[0].upper + 500)
    again = POLICY.target(seen(q, str(wider), str(placed[1]), base=base))
    assert ranges(again) == [wider, placed[1]]


@both_orders
@pytest.mark.parametrize("q", [-0.9, 0.0, 0.5])
@pytest.mark.parametrize("daily", [0.0, 0.003, 0.05])
@pytest.mark.parametrize("factor", [Fraction(6, 5), Fraction(3, 2), Fraction(2)])
def test_what_a_regime_widens_beyond_the_lean_is_not_taken_for_lean(
    base, q: float, daily: float, factor: Fraction
) -> None:
    """The policy's own range, widened by the regime: it stands at the price where it was placed and
    a few ticks from there, and goes on to be moved once the price is far away."""
    rate = daily**2 / DAY
    view = seen(q, base=base, rate=rate)
    tempered = tempered_target(view, POLICY.target(view), Adjustment(width=factor))
    placed = ranges(tempered)

    def kept(tick: int) -> bool:
        now = seen(q, *map(str, placed), base=base, tick=tick, rate=rate)
        same_q = replace(now.inventory, imbalance=view.inventory.imbalance)
        found = POLICY.target(replace(now, inventory=same_q, widening=factor))
        return ranges(found) == placed

    assert [kept(tick) for tick in (-12, 0, 12)] == [True] * 3
    away = 400 if (q <= 0) is (base == USDC) else -400
    assert not kept(away)


def test_a_range_is_not_moved_before_it_has_earned_the_gas_of_it() -> None:
    """Out of one position and into two: 1,640,000 gas, 4,920,000 raw quote units, and no more than
    a fifth of the fees."""
    placed = "[-1050, 1050)"
    fees = {earned: seen(0.5, placed, earned=earned) for earned in (12_299_999, 12_300_000)}
    moved = {
        earned: ranges(POLICY.target(view)) != [a_range(placed)] for earned, view in fees.items()
    }
    assert moved == {12_299_999: False, 12_300_000: True}
    assert "not earned the gas" in POLICY.target(fees[12_299_999]).reason


def test_a_range_that_the_price_has_left_waits_for_no_fees() -> None:
    placed = "[-1050, 1050)"
    target = POLICY.target(seen(0.0, placed, "[1060, 1070)", tick=1_100, earned=0))
    assert a_range(placed) not in ranges(target)


def test_an_order_alone_waits_near_the_price_and_follows_it_further_away() -> None:
    order = "[20, 320)"
    assert ranges(POLICY.target(seen(1.0, order, tick=-160))) == [a_range(order)]
    assert ranges(POLICY.target(seen(1.0, order, tick=-161))) != [a_range(order)]


def test_a_limit_of_imbalance_makes_less_of_it_a_full_inventory() -> None:
    tight = replace(POLICY, max_imbalance=Fraction(1, 2))
    assert sides(tight.target(seen(0.25)), USDC) == (1_500, 600)
    assert sides(tight.target(seen(0.9)), USDC) == (1_950, 150)


def test_beyond_its_limit_only_the_heavier_token_is_offered_where_that_is_asked_for() -> None:
    one_sided = replace(POLICY, max_imbalance=Fraction(1, 2), one_sided=True)
    assert len(ranges(one_sided.target(seen(0.5)))) == 2
    target = one_sided.target(seen(0.6))
    assert ranges(target) == [TickRange(20, 170)]
    assert not target.swap
    held = one_sided.target(seen(0.6, "[-1950, 150)"))
    assert ranges(held) == [TickRange(20, 170)]
    assert ranges(one_sided.target(seen(0.6, "[20, 170)"))) == [TickRange(20, 170)]


def test_nothing_leans_without_aversion() -> None:
    plain = replace(POLICY, aversion=Fraction(0))
    assert sides(plain.target(seen(0.8)), USDC) == (W, W)


def test_without_history_nothing_changes() -> None:
    view = replace(seen(0.5, "[-100, 100)", tick=5_000), outlook=NO_OUTLOOK)
    assert ranges(POLICY.target(view)) == [a_range("[-100, 100)")]


def test_leaning_is_not_held_to_earn_more_than_the_range_that_it_leaves() -> None:
    """Else no range that is wider than the held one could ever be placed."""
    view = seen(0.5, "[-100, 100)")
    held = replace(view.snapshot.positions[0], liquidity=10**15)
    market = a_market(positions=(held,), pool=POOL, quote=WETH)
    view = a_view(market, view.record, view.outlook)
    decision = decide("main", view, POLICY, a_limits(max_pool_share=Fraction(1)))
    assert isinstance(decision, Plan), decision.reason
    assert decision.estimate.fees_gained > 0
    assert not [action for action in decision.actions if isinstance(action, Swap)]
    assert len([action for action in decision.actions if isinstance(action, Mint)]) == 2


def test_the_lean_follows_the_volatility_up_to_its_most() -> None:
    deviation = 0.01 / math.log(1.0001)
    assert POLICY.lean_ticks(0.01**2 / DAY) == pytest.approx(3 * deviation)
    assert POLICY.lean_ticks(1.0) == LEAN
    assert POLICY.lean_ticks(float("inf")) == LEAN


STEADY = replace(POLICY, fills_per_day=Fraction(2_000))


def test_with_a_horizon_and_without_one_the_same_inventory_is_quoted_otherwise() -> None:
    """At 1 % a day: c is 3 deviations of 100 ticks; or at 2,000 fills a day 34 ticks."""
    view = seen(0.5, rate=0.01**2 / DAY)
    found = [sides(policy.target(view), USDC) for policy in (POLICY, STEADY)]
    assert found == [(910, 600), (640, 600)]


def test_the_lean_without_a_horizon_is_that_of_the_paper() -> None:
    g, k, fills = 3 / W, 3 / W / math.expm1(3), 2_000 / DAY
    variance = (0.01 / math.log(1.0001)) ** 2 / DAY
    c = math.sqrt(variance * g / (2 * k * fills) * (1 + g / k) ** (1 + k / g))
    assert STEADY.lean_ticks(0.01**2 / DAY) == pytest.approx(c)
    often = replace(STEADY, fills_per_day=Fraction(8_000))
    assert often.lean_ticks(0.01**2 / DAY) == pytest.approx(c / 2)
    assert STEADY.lean_ticks(1.0) == LEAN
    assert STEADY.lean_ticks(0.0) == 0


def test_an_option_that_may_be_left_out_is_read_like_any_other() -> None:
    options = {"half_width_ticks": W, "replace_at": "0.3"}
    assert make_policy("inventory_skew", {**options, "fills_per_day": 2_000}) == STEADY
    assert make_policy("inventory_skew", options) == POLICY


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"half_width_ticks": 0}, "half_width_ticks must be positive"),
        ({"horizon_s": -1}, "horizon_s must be positive"),
        ({"aversion": -1}, "aversion must not be negative"),
        ({"replace_at": 0}, "replace_at must be in"),
        ({"max_imbalance": 2}, "max_imbalance must be in"),
        ({"max_gas_share": 0}, "max_gas_share must be in"),
        ({"one_sided": 1}, "expected bool"),
        ({"one_sided": True}, "one_sided needs a max_imbalance below 1, found 1"),
        ({"one_sided": True, "max_imbalance": 1}, "one_sided needs a max_imbalance below 1"),
        ({"fills_per_day": 0}, "fills_per_day must be positive"),
        ({"fills_per_day": "many"}, "fills_per_day: 'many' is not a number"),
        ({"fills_per_day": 5, "aversion": 101}, "aversion must be in .0, 100. where fills_per_day"),
        ({"fills_per_day": 5, "aversion": 0}, "aversion must be in"),
    ],
)
def test_impossible_options_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_policy("inventory_skew", {"half_width_ticks": W, **change})
