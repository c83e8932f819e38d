"""As wide as fees and predictable loss make best, or out of the pool."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import (
    NO_OUTLOOK,
    OTHERS,
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
    price_at,
)
from decisions import closed, gate

from lpmanager.errors import ConfigError
from lpmanager.model import Hold, Plan, Target, TickRange, Withdraw
from lpmanager.rebalancer import View, decide, make_policy
from lpmanager.rebalancer.policies import PredictableLoss
from lpmanager.rebalancer.ranges import fill_down
from lpmanager.risk import Outlook

DAY = 86_400
#: A volatility of 5 % in a square root of a day.
FIVE_PERCENT = 0.05**2 / DAY
POLICY = PredictableLoss(
    move_cost=Fraction(1, 100), min_half_width_ticks=50, max_half_width_ticks=5_000
)
POOL = a_pool(USDC, WETH)


def paying(viability: float, variance_rate: float = FIVE_PERCENT) -> Outlook:
    """Fees of so many times what arbitrage takes, half of them in each token, at a price of 1."""
    return an_outlook(fee_rate=viability * FIVE_PERCENT / 8, variance_rate=variance_rate)


def seen(
    outlook: Outlook,
    *held: str,
    tick: int = 0,
    base=USDC,
    liquidity: int = 10**12,
    wallet: int = 10**12,
    others: int = OTHERS,
) -> View:
    quote = WETH if base == USDC else USDC
    positions = tuple(
        a_position(text, token_id=i, liquidity=liquidity) for i, text in enumerate(held)
    )
    market = a_market(tick=tick, positions=positions, pool=POOL, quote=quote, others=others)
    return a_view(market, a_record((wallet, wallet), pool=POOL), outlook)


def wanted(viability: float, *held: str, **changes: object) -> Target:
    return POLICY.target(seen(paying(viability), *held, **changes))


def ranges(target: Target) -> list[TickRange]:
    return [weighted.range for weighted in target.ranges]


def test_the_width_weighs_fees_and_loss_against_what_a_move_costs() -> None:
    """d = 2 g / (4 pi - s / 2), with g = 4 s * 0.01 and pi twice s / 8: 0.16, a third of a log."""
    half = math.ceil(-2 * math.log(1 - 0.16 / 2 / 2) / math.log(1.0001))
    rounded = -(-half // 10) * 10
    assert ranges(wanted(2.0)) == [TickRange(-rounded, rounded)]


def test_the_more_fees_pay_the_narrower_the_range() -> None:
    widths = [ranges(wanted(viability))[0].width for viability in (1.2, 1.5, 2.0, 5.0)]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 4


def test_the_width_keeps_its_bounds() -> None:
    assert ranges(wanted(1.0001)) == [TickRange(-5_000, 5_000)]
    assert ranges(wanted(1_000.0)) == [TickRange(-50, 50)]


def test_where_fees_do_not_pay_for_the_loss_nothing_is_placed_and_the_number_is_told() -> None:
    target = wanted(0.95)
    assert ranges(target) == []
    assert "stay out: fees pay 0.95 of what arbitrage takes, less than 1.00" in target.reason


def test_what_is_placed_stays_a_little_longer_so_that_an_estimate_may_flicker() -> None:
    held = "[-600, 600)"
    assert ranges(wanted(0.85, held)) == [a_range(held)]
    left = wanted(0.75, held)
    assert ranges(left) == []
    assert "0.75 of what arbitrage takes, less than 0.80" in left.reason


def test_between_the_two_a_range_that_was_left_is_not_placed_anew() -> None:
    target = wanted(0.9, "[-600, 600)", tick=700)
    assert ranges(target) == []
    assert "no width pays" in target.reason


def test_a_range_stands_while_the_price_is_inside_whatever_width_is_best_now() -> None:
    held = "[-600, 600)"
    for tick in (-600, 0, 599):
        assert ranges(wanted(5.0, held, tick=tick)) == [a_range(held)]
    assert a_range(held) not in ranges(wanted(5.0, held, tick=600))


@pytest.mark.parametrize("base", [USDC, WETH])
def test_an_expected_rise_leaves_more_room_where_the_base_token_is_dearer(base) -> None:
    policy = replace(POLICY, drift_per_day=Fraction(1, 100))
    (placed,) = ranges(policy.target(seen(paying(2.0), base=base)))
    dear, cheap = (placed.upper, -placed.lower) if base == USDC else (-placed.lower, placed.upper)
    assert dear > cheap > 0


def test_an_unreachable_drift_is_a_reason_to_stay_out() -> None:
    policy = replace(POLICY, drift_per_day=Fraction(1, 2))
    target = policy.target(seen(paying(2.0)))
    assert ranges(target) == []
    assert "drift" in target.reason


@pytest.mark.parametrize("tick", [-20_000, 20_000])
def test_viability_is_the_same_at_every_price(tick: int) -> None:
    """The same fees, told in the tokens of another price."""
    price = 1.0001**tick
    half = 2 * FIVE_PERCENT / 8 * math.sqrt(price)
    outlook = replace(paying(2.0), fee_rate0=half / price, fee_rate1=half)
    target = POLICY.target(seen(outlook, tick=tick))
    assert "fees pay 2.00" in target.reason


def test_what_is_not_known_changes_nothing() -> None:
    held = "[-600, 600)"
    still = POLICY.target(seen(paying(2.0, variance_rate=0.0), held, tick=5_000))
    assert ranges(still) == [a_range(held)]
    assert "variance is 0" in still.reason
    blind = POLICY.target(replace(seen(paying(2.0), held, tick=5_000), outlook=NO_OUTLOOK))
    assert ranges(blind) == [a_range(held)]


# ---- a large part of a small pool ----

#: Liquidity of others, of which ours is a good part wherever it is placed.
FEW = 5 * 10**13
#: Leaves as soon as it would not enter.
STERN = replace(POLICY, leave_at=Fraction(1))


def placed(wanted: TickRange) -> int:
    """The liquidity of all that `seen` has in its wallet."""
    wallet = POOL.amounts(10**12, 10**12)
    return fill_down(POOL, price_at(0), wanted, wallet)[0]


def test_what_is_placed_does_not_pay_too_little_to_stay_by_its_own_being_there() -> None:
    """The same flow before and after."""
    entered = []
    for alone in (1.05, 1.2, 1.35, 1.5, 1.7, 2.0, 4.0):
        target = STERN.target(seen(paying(alone), others=FEW))
        if not target.ranges:
            assert "shared with what would be placed" in target.reason
            continue
        entered.append(alone)
        held = ranges(target)[0]
        ours = placed(held)
        diluted = paying(alone * FEW / (FEW + ours))
        after = seen(diluted, str(held), liquidity=ours, wallet=0, others=FEW)
        assert ranges(STERN.target(after)) == [held]
    assert entered == [1.2, 1.35, 1.5, 1.7, 2.0, 4.0]


def test_our_own_liquidity_is_told_apart_from_that_of_others() -> None:
    """A range that is to be placed anew before the price has left it: its liquidity is among what
    is active, and its tokens are what would be placed."""
    out = STERN.target(seen(paying(2.0), others=FEW))
    held = ranges(out)[0]
    ours = placed(held)
    diluted = paying(2.0 * FEW / (FEW + ours))
    inside = seen(diluted, str(held), liquidity=ours, wallet=0, others=FEW)
    anew = STERN.target(replace(inside, snapshot=replace(inside.snapshot, positions=())))
    assert ranges(anew) == [held]


def test_the_last_provider_of_a_pool_has_no_width_to_compare() -> None:
    alone = seen(paying(2.0), "[-600, 600)", others=0, wallet=0)
    target = STERN.target(replace(alone, snapshot=replace(alone.snapshot, positions=())))
    assert "liquidity of others" in target.reason


# ---- gas ----


def at_gas_price(gas_price: int) -> View:
    view = seen(paying(2.0))
    return replace(view, snapshot=replace(view.snapshot, gas_price=gas_price))


def test_the_gas_of_a_move_counts_like_what_a_swap_costs() -> None:
    """Of 1,300,000 gas at a price of 3e-9 raw units a wei: a hundredth of 2e12."""
    hundredth = round(2 * 10**10 / (1_300_000 * 3e-9))
    dear = POLICY.target(at_gas_price(hundredth))
    twice = replace(POLICY, move_cost=Fraction(1, 50)).target(at_gas_price(1))
    assert ranges(dear) == ranges(twice)


def test_ten_times_the_price_of_gas_is_a_reason_for_a_wider_range() -> None:
    widths = [ranges(POLICY.target(at_gas_price(10**n)))[0].width for n in (11, 12, 13)]
    assert widths == sorted(widths)
    assert widths[-1] > 1.5 * widths[0]


def test_gas_that_nothing_tells_the_price_of_is_not_free() -> None:
    view = seen(paying(2.0), "[-600, 600)", tick=700)
    unpriced = replace(view, snapshot=replace(view.snapshot, native_price=None))
    target = POLICY.target(unpriced)
    assert ranges(target) == [a_range("[-600, 600)")]
    assert "price of gas" in target.reason
    assert ranges(POLICY.target(view)) != [a_range("[-600, 600)")]


def test_leaving_is_planned_although_it_earns_nothing() -> None:
    view = seen(paying(0.5), "[-600, 600)", liquidity=10**14)
    decision = decide("main", view, POLICY, a_limits())
    assert isinstance(decision, Plan), decision.reason
    assert [type(action) for action in decision.actions] == [Withdraw]
    assert gate(decision, "leaving cost").passed


def test_leaving_waits_where_gas_would_take_too_much_of_what_is_left() -> None:
    dust = seen(paying(0.5), "[-600, 600)", liquidity=10**6)
    decision = decide("main", dust, POLICY, a_limits())
    assert isinstance(decision, Hold)
    assert closed(decision) == ["leaving cost"]


def test_out_of_the_pool_there_is_nothing_to_do() -> None:
    decision = decide("main", seen(paying(0.5)), POLICY, a_limits(hedge_band=Fraction(1)))
    assert isinstance(decision, Hold)
    assert "stay out" in decision.reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"move_cost": 0}, "move_cost must be in"),
        ({"min_half_width_ticks": 0}, "min_half_width_ticks must be positive"),
        ({"max_half_width_ticks": 10}, "max_half_width_ticks must be at least"),
        ({"leave_at": 2}, "leave_at must be above 0 and at most enter_at 1"),
        ({"leave_at": 0}, "leave_at must be above 0"),
        ({"deploy": 2}, "deploy must be in"),
    ],
)
def test_impossible_options_are_named(change: dict[str, object], message: str) -> None:
    options = {"move_cost": "0.01", "min_half_width_ticks": 50, "max_half_width_ticks": 300}
    with pytest.raises(ConfigError, match=message):
        make_policy("predictable_loss", {**options, **change})
