"""The appetite for risk: each limit on an estimate changes what is decided."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import (
    BLOCK_TIME_S,
    OTHERS,
    a_limits,
    a_market,
    a_position,
    a_record,
    a_view,
    an_outlook,
    price_at,
    with_liquidity,
)
from decisions import closed, gate
from order_flow_builders import BIG, FEE, a_flow, a_swap

from lpmanager.model import (
    Basis,
    Decision,
    Hold,
    Liquidity,
    Mint,
    Plan,
    Swap,
    SwapEvent,
    Target,
    TickRange,
    WeightedRange,
    Withdraw,
)
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.hedge_limits import hedge_limits
from lpmanager.rebalancer.policies import FixedWidth, Passive
from lpmanager.rebalancer.policies.base import keep
from lpmanager.rebalancer.risk_gates import pay_of
from lpmanager.rebalancer.soundness import AttackCost, twap_attack_cost
from lpmanager.rebalancer.staying import stay_chance
from lpmanager.risk.appetite import Adjustment, Appetite, WhereMissing
from lpmanager.risk.missing import Missing
from lpmanager.risk.regimes.hysteresis import Regime

FIXED = FixedWidth(half_width_ticks=600)
LEFT_BEHIND = a_position("[-600, 600)", token_id=7, liquidity=10**13)
#: Fees of both tokens over LVR in `an_outlook` at a price of about 1: 2e-7 / (2e-9 / 4).
USUAL_PAY = 400
STEP_BLOCKS = 300 // BLOCK_TIME_S


def left_behind(swaps: Iterable[SwapEvent] = (), tick: int = 1_005) -> View:
    """A position whose range the price has left, after these swaps."""
    market = a_market(tick=tick, positions=(LEFT_BEHIND,))
    swaps = tuple(swaps)
    if swaps:
        last = swaps[-1].block_number
        block = replace(market.block, number=last, timestamp=BLOCK_TIME_S * last)
        flow = a_flow(swaps, last_block=last)
        market = replace(market, block=block, read_at=block.timestamp, flow=flow)
    return a_view(market, a_record((0, 0)), an_outlook())


def decided(view: View, policy=FIXED, **appetite: object) -> Decision:
    return decide("mine", view, policy, a_limits(appetite=Appetite(**appetite)))


def moves(ticks: Iterable[int]) -> list[SwapEvent]:
    """A swap every five minutes that leaves the price at the next of these ticks."""
    return [a_swap(STEP_BLOCKS * (n + 1), tick=tick) for n, tick in enumerate(ticks)]


def walk(steps: int, size: int, *, to: int = 1_005, seed: int = 1) -> list[int]:
    """Ticks of so many steps of about that size, which end at a tick."""
    rng, tick, back = random.Random(seed), to, []
    for _ in range(steps):
        back.append(tick)
        tick += rng.choice([-1, 1]) * rng.randint(size // 2, size + size // 2)
    return back[::-1]


def test_without_an_appetite_none_of_its_gates_is_asked() -> None:
    plan = decided(left_behind())
    assert isinstance(plan, Plan)
    asked = {
        "fees over LVR",
        "toxic flow",
        "VPIN",
        "TWAP attack",
        "jump",
        "stay",
        "crash",
        "regime",
    }
    assert not asked & {g.name for g in plan.gates}


# ---- what liquidity is paid ----


def test_nothing_is_placed_while_fees_do_not_pay_for_what_arbitrage_takes() -> None:
    assert isinstance(decided(left_behind(), min_fee_to_lvr=Fraction(USUAL_PAY - 1)), Plan)
    held = decided(left_behind(), min_fee_to_lvr=Fraction(USUAL_PAY + 50))
    assert isinstance(held, Hold)
    assert closed(held) == ["fees over LVR"]


def test_all_is_left_where_fees_pay_too_little_to_stay() -> None:
    plan = decided(left_behind(), leave_below_fee_to_lvr=Fraction(USUAL_PAY + 50))
    assert isinstance(plan, Plan)
    assert [type(action) for action in plan.actions] == [Withdraw]
    assert "stay out" in plan.reason


def test_leaving_is_no_placing_and_asks_no_appetite() -> None:
    plan = decided(
        left_behind(),
        leave_below_fee_to_lvr=Fraction(USUAL_PAY + 50),
        min_fee_to_lvr=Fraction(USUAL_PAY + 50),
        max_crash_loss=Fraction(1, 10**6),
    )
    assert isinstance(plan, Plan)


# ---- the flow ----


def toxic_flow() -> list[SwapEvent]:
    """Each swap buys before the price goes on up by ten times the fee."""
    return moves(range(1_005 - 50 * 59, 1_006, 50))


def test_nothing_is_placed_while_the_flow_knows_more_than_the_pool() -> None:
    view = left_behind(toxic_flow())
    assert isinstance(decided(view), Plan)
    held = decided(view, max_toxic_share=Fraction(1, 2))
    assert isinstance(held, Hold)
    assert closed(held) == ["toxic flow"]


class Keeping:
    """Wants what is held."""

    def target(self, seen: View) -> Target:
        return keep(seen.snapshot.positions, "as it is")


def test_all_is_left_while_the_flow_costs_more_than_it_pays() -> None:
    toxic = left_behind(toxic_flow())
    plan = decided(toxic, leave_while_toxic=True)
    assert isinstance(plan, Plan)
    assert [type(action) for action in plan.actions] == [Withdraw]
    assert "stay out: the flow costs providers" in plan.reason
    assert isinstance(decided(toxic, Keeping()), Hold)
    assert isinstance(decided(toxic, Keeping(), leave_while_toxic=True), Plan)
    assert isinstance(decided(left_behind(calm_flow()), Keeping(), leave_while_toxic=True), Hold)


def test_a_fee_that_the_protocol_takes_a_part_of_pays_for_less_flow() -> None:
    """Of five basis points; each swap is followed by a rise of four in five minutes."""
    flow = left_behind(moves(range(1_005 - 4 * 59, 1_006, 4)))
    assert isinstance(decided(flow, Keeping(), leave_while_toxic=True), Hold)
    state = replace(flow.snapshot.state, fee_protocol=0x44)
    shared = replace(flow, snapshot=replace(flow.snapshot, state=state))
    assert isinstance(decided(shared, Keeping(), leave_while_toxic=True), Plan)


def test_a_swap_that_got_nothing_keeps_nobody_in_a_toxic_flow() -> None:
    """One raw unit costs its sender only gas, and must not blind the desk."""
    flow = toxic_flow()
    dust = flow[-1]._replace(log_index=1, amount0=1, amount1=0)
    assert isinstance(decided(left_behind([*flow, dust]), Keeping(), leave_while_toxic=True), Plan)


def test_nothing_is_placed_while_the_flow_costs_more_than_it_pays() -> None:
    empty = left_behind(toxic_flow())
    empty = replace(empty, snapshot=replace(empty.snapshot, positions=()))
    held = decided(empty, leave_while_toxic=True)
    assert isinstance(held, Hold)
    assert "stay out" in held.reason
    calm = left_behind(calm_flow())
    assert isinstance(decided(calm, leave_while_toxic=True), Plan)


def calm_flow() -> list[SwapEvent]:
    return moves(1_005 + (n % 2) for n in range(59, -1, -1))


def test_a_flow_that_comes_and_goes_is_not_toxic() -> None:
    assert isinstance(decided(left_behind(calm_flow()), max_toxic_share=Fraction(1, 2)), Plan)


def traded(sides: Iterable[int]) -> View:
    """A swap in every block, each as large as the next and as its sign says."""
    return left_behind(a_swap(n, tick=1_005, bought=side) for n, side in enumerate(sides, start=1))


def test_nothing_is_placed_while_all_trade_one_way() -> None:
    one_sided = traded([BIG] * 400)
    assert isinstance(decided(one_sided), Plan)
    held = decided(one_sided, max_vpin=Fraction(9, 10))
    assert isinstance(held, Hold)
    assert closed(held) == ["VPIN"]
    assert gate(held, "VPIN").measured == "100.0%"


def test_a_few_swaps_are_not_one_sided_but_unknown() -> None:
    held = decided(traded([BIG]), max_vpin=Fraction(9, 10))
    assert gate(held, "VPIN").measured == "unknown"
    assert "VPIN needs 50 swaps, found 1 in" in gate(held, "VPIN").reason
    assert gate(decided(traded([BIG] * 49), max_vpin=Fraction(1)), "VPIN").measured == "unknown"
    assert gate(decided(traded([BIG] * 50), max_vpin=Fraction(1)), "VPIN").measured == "100.0%"


def test_trade_that_goes_both_ways_stops_nothing() -> None:
    plan = decided(traded([BIG, -BIG] * 200), max_vpin=Fraction(9, 10))
    assert isinstance(plan, Plan)


# ---- the pool's oracle ----


def attacked(view: View, **limits: object) -> AttackCost:
    found = twap_attack_cost(view, a_limits(**limits))
    assert isinstance(found, AttackCost)
    return found


def test_moving_the_mean_price_costs_what_others_take_back_in_each_block() -> None:
    view = left_behind(moves([0] * 20), tick=0)
    root = 1.0001**50
    in_a_block = OTHERS * ((root - 1) / (1 - FEE) - (1 - 1 / root)) + 10**13 * (root - 1) ** 2
    found = attacked(view)
    assert found.quote == pytest.approx(in_a_block * 600 / BLOCK_TIME_S / 10**6, rel=1e-4)
    value = float(view.inventory.value) / 10**6
    assert found.times_value == pytest.approx(found.quote / value)
    assert attacked(view, twap_window_s=1_200).quote == pytest.approx(2 * found.quote)


def test_the_mean_price_is_moved_in_the_cheaper_direction() -> None:
    view = left_behind(moves([0] * 20), tick=0)
    usual = attacked(view).quote
    for side in ("[10, 600)", "[-600, -10)"):
        more = with_liquidity(view.snapshot.state, [a_position(side, liquidity=OTHERS)])
        deeper = replace(view, snapshot=replace(view.snapshot, state=more))
        assert attacked(deeper).quote == pytest.approx(usual, rel=1e-3)


def test_a_pool_that_is_thin_beyond_its_price_is_as_cheap_to_move_as_the_best_attack_on_it() -> (
    None
):
    """A hundred times as much liquidity lies within 60 ticks; the mean must move by 100."""
    view = left_behind(moves([1_005] * 20))
    crowd = a_position("[940, 1070)", liquidity=100 * OTHERS)
    state = with_liquidity(view.snapshot.state, [crowd])
    thin = replace(view, snapshot=replace(view.snapshot, state=state))
    root = 1.0001**32.5
    in_a_block = 101 * OTHERS * ((root - 1) / (1 - FEE) - (1 - 1 / root))
    always = in_a_block * 600 / BLOCK_TIME_S / 10**6
    found = attacked(thin)
    assert found.held_s < 200
    assert found.quote < always / 3
    held = decided(thin, min_twap_attack_cost=Fraction(found.times_value * 1.01))
    assert isinstance(held, Hold)
    assert closed(held) == ["TWAP attack"]


def test_an_oracle_counts_whole_seconds_however_short_the_blocks_are() -> None:
    """Of four blocks in a second one alone has to show the false price."""
    view = left_behind(moves([1_005] * 20))
    block = view.snapshot.block
    (flow, costs) = view.snapshot.flow, []
    assert flow is not None
    blocks = block.number - flow.from_block + 1
    for seconds in (blocks, blocks // 4):
        snapshot = replace(view.snapshot, flow=replace(flow, seconds=seconds))
        costs.append(attacked(replace(view, snapshot=snapshot)).quote)
    assert costs[1] == pytest.approx(costs[0], rel=1e-2)


def test_nothing_is_placed_where_the_mean_price_is_cheap_to_move() -> None:
    view = left_behind(moves([1_005] * 20))
    times = attacked(view).times_value
    assert isinstance(decided(view, min_twap_attack_cost=Fraction(times * 0.99)), Plan)
    held = decided(view, min_twap_attack_cost=Fraction(times * 1.01))
    assert isinstance(held, Hold)
    assert closed(held) == ["TWAP attack"]


def test_an_attack_into_unknown_liquidity_has_no_cost_that_is_known() -> None:
    view = left_behind(moves([1_005] * 20))
    state = replace(view.snapshot.state, known=TickRange(950, 1_060))
    view = replace(view, snapshot=replace(view.snapshot, state=state))
    missing = twap_attack_cost(view, a_limits())
    assert isinstance(missing, Missing)
    assert "needs the liquidity 100 ticks away" in missing.reason


# ---- where the liquidity is ----


def crowded(tick: int = 1_005) -> View:
    """Nine tenths of the liquidity near the price are in a hundredth of it."""
    view = left_behind(tick=tick)
    crowd = a_position("[1000, 1100)", token_id=99, liquidity=100 * OTHERS)
    state = with_liquidity(view.snapshot.state, [crowd])
    return replace(view, snapshot=replace(view.snapshot, state=state))


def test_nothing_is_placed_where_the_liquidity_is_all_in_one_place() -> None:
    even, limit = left_behind(), {"max_concentration": Fraction(1, 10)}
    assert gate(decided(even, **limit), "concentration").measured == "5.0%"
    assert isinstance(decided(even, **limit), Plan)
    assert isinstance(decided(crowded()), Plan)
    held = decided(crowded(), **limit)
    assert isinstance(held, Hold)
    assert closed(held) == ["concentration"]


def test_liquidity_that_is_not_known_may_all_be_in_one_place() -> None:
    view = left_behind()
    state = replace(view.snapshot.state, known=TickRange(950, 1_060), ticks=())
    view = replace(view, snapshot=replace(view.snapshot, state=state))
    assert isinstance(decided(view), Plan)
    assert closed(decided(view, max_concentration=Fraction(1))) == ["concentration"]


# ---- jumps ----


def test_nothing_is_placed_right_after_a_jump() -> None:
    ticks = walk(199, 6, to=705)
    view = left_behind(moves([*ticks, 1_005]))
    assert isinstance(decided(view), Plan)
    held = decided(view, pause_after_jump_s=1_800)
    assert isinstance(held, Hold)
    assert closed(held) == ["jump"]
    assert gate(held, "jump").measured == "0 s ago"


def test_half_an_hour_after_a_jump_the_price_is_trusted_again() -> None:
    before = walk(190, 6, to=705)
    since = [1_005 + (n % 3) * 5 for n in range(7)][::-1]
    plan = decided(left_behind(moves([*before, *since])), pause_after_jump_s=1_800)
    assert isinstance(plan, Plan)
    assert gate(plan, "jump").measured == "1800 s ago"


def test_a_price_that_never_jumped_is_trusted() -> None:
    plan = decided(left_behind(moves(walk(200, 6))), pause_after_jump_s=1_800)
    assert isinstance(plan, Plan)
    assert gate(plan, "jump").measured == "none found"


def after_a_jump(hours_ago: int, *, history: int) -> View:
    """So many hours of prices, which fell by 1,500 ticks so long ago."""
    ticks, since = walk(12 * history, 3), 12 * hours_ago
    fallen = [tick - 1_500 for tick in ticks[:-since]] + ticks[-since:]
    return left_behind(moves(fallen))


def test_a_jump_in_hours_that_no_test_can_judge_is_not_taken_for_none() -> None:
    """The first six hours are what the others are compared with."""
    for hours_ago in (1, 6, 8, 11):
        held = decided(after_a_jump(hours_ago, history=13), pause_after_jump_s=12 * 3_600)
        assert isinstance(held, Hold), hours_ago
        assert closed(held) == ["jump"], hours_ago
    assert gate(held, "jump").measured == "unknown"
    assert "needs 18.0 h of history, found 12.9 h" in gate(held, "jump").reason


def test_with_six_hours_before_the_pause_a_jump_in_it_is_found() -> None:
    pause = 12 * 3_600
    held = decided(after_a_jump(11, history=19), pause_after_jump_s=pause)
    assert gate(held, "jump").measured == f"{11 * 3_600 - 300} s ago"
    assert closed(held) == ["jump"]
    plan = decided(left_behind(moves(walk(19 * 12, 3))), pause_after_jump_s=pause)
    assert isinstance(plan, Plan)
    assert gate(plan, "jump").measured == "none found"


def test_a_jump_that_is_older_than_the_pause_needs_no_longer_history() -> None:
    plan = decided(after_a_jump(6, history=13), pause_after_jump_s=5 * 3_600)
    assert isinstance(plan, Plan)
    assert gate(plan, "jump").measured == f"{6 * 3_600 - 300} s ago"


# ---- losses ----


def crash_of(decision: Decision) -> float:
    return float(gate(decision, "crash").measured.rstrip("%")) / 100


def test_no_range_is_placed_that_would_lose_more_in_a_crash() -> None:
    plan = decided(left_behind(), max_crash_loss=Fraction(1, 5))
    assert isinstance(plan, Plan)
    # half quote, half base that falls by a fifth and buys more on the way down
    assert 0.10 < crash_of(plan) < 0.20
    held = decided(left_behind(), max_crash_loss=Fraction(1, 10))
    assert isinstance(held, Hold)
    assert closed(held) == ["crash"]


def test_no_range_is_placed_that_may_lose_more_on_a_bad_day() -> None:
    wild = replace(left_behind(), outlook=an_outlook(fee_rate=1e-9, variance_rate=2e-8))
    plan = decided(wild, max_cvar=Fraction(1, 2))
    assert isinstance(plan, Plan)
    held = decided(wild, max_cvar=Fraction(1, 1_000))
    assert isinstance(held, Hold)
    assert closed(held) == ["CVaR of a day"]
    shown = [gate(each, "CVaR of a day").measured for each in (plan, held)]
    assert shown[0] == shown[1]  # the same draw each time


# ---- room for a day ----

WILD = an_outlook(variance_rate=2e-8)  # 416 ticks a day


def test_a_new_range_is_widened_until_the_price_should_stay_in_it() -> None:
    view = replace(left_behind(), outlook=WILD)
    usual, wide = decided(view), decided(view, min_stay_probability=Fraction(9, 10))
    assert isinstance(usual, Plan)
    assert isinstance(wide, Plan)
    old, new = usual.target.ranges[0].range, wide.target.ranges[0].range
    narrower = TickRange(new.lower + 10, new.upper - 10)
    chances = [stay_chance(1_005, each, WILD.variance_rate) for each in (old, narrower, new)]
    assert chances[0] < chances[1] < 0.9 <= chances[2]
    assert new.centre == old.centre
    assert gate(wide, "stay").passed


def test_a_range_that_is_wide_enough_stays_as_it_is() -> None:
    usual, asked = (
        decided(left_behind()),
        decided(left_behind(), min_stay_probability=Fraction(9, 10)),
    )
    assert isinstance(usual, Plan)
    assert isinstance(asked, Plan)
    assert usual.actions == asked.actions


def test_only_the_range_around_the_price_is_widened_and_not_the_order_beside_it() -> None:
    passive = Passive(half_width_ticks=600, order_width_ticks=300)
    view = a_view(a_market(tick=1_005), a_record((10**11, 10**12)), WILD)
    plan = decided(view, passive, min_stay_probability=Fraction(9, 10))
    assert isinstance(plan, Plan)
    base, order = (action.range for action in plan.actions if isinstance(action, Mint))
    assert base.width > 1_220
    assert 1_005 not in order
    assert order.width == 300


def test_what_is_held_is_not_widened() -> None:
    held = a_view(a_market(positions=(LEFT_BEHIND,)), a_record((0, 0)), WILD)
    decision = decided(held, min_stay_probability=Fraction(9, 10))
    assert isinstance(decision, Hold)
    assert closed(decision) == []


def test_a_price_too_wild_to_tell_closes_the_gate_of_a_new_range() -> None:
    view = a_view(outlook=an_outlook(variance_rate=2e-4, fee_rate=1e-3))
    assert isinstance(decided(view), Plan)
    held = decided(view, min_stay_probability=Fraction(1, 10))
    assert isinstance(held, Hold)
    assert closed(held) == ["stay"]
    assert gate(held, "stay").measured == "unknown"
    both = decided(view, min_stay_probability=Fraction(1, 10), max_crash_loss=Fraction(1, 2))
    assert closed(both) == ["stay"]


def test_a_price_that_does_not_move_stays() -> None:
    assert stay_chance(0, TickRange(-10, 10), 0.0) == 1
    assert stay_chance(10, TickRange(-10, 10), 0.0) == 0


# ---- capacity ----


def nearly_sold_out(*, placed_at: int | None = 0, fee_rate: float = 1e-7) -> View:
    """The price near the end of the held range, of which a side is 95 % used."""
    bases = {}
    if placed_at is not None:
        bases[LEFT_BEHIND.token_id] = Basis(
            token_id=LEFT_BEHIND.token_id,
            range=LEFT_BEHIND.range,
            liquidity=LEFT_BEHIND.liquidity,
            amounts=a_record().wallet,
            sqrt_price_x96=price_at(placed_at),
            timestamp=0,
        )
    record = replace(a_record((0, 0)), bases=bases)
    outlook = an_outlook(fee_rate=fee_rate)
    return a_view(a_market(tick=545, positions=(LEFT_BEHIND,)), record, outlook)


def test_a_range_that_is_nearly_used_up_is_placed_anew_before_the_price_leaves_it() -> None:
    assert isinstance(decided(nearly_sold_out()), Hold)
    plan = decided(nearly_sold_out(), act_at_capacity_used=Fraction(4, 5))
    assert isinstance(plan, Plan)
    assert 545 in plan.target.ranges[0].range
    assert abs(plan.target.ranges[0].range.centre - 545) <= 10
    assert "95." in plan.reason
    assert "payback" in {each.name for each in plan.gates}


def test_it_stands_while_less_than_that_is_used() -> None:
    decision = decided(nearly_sold_out(), act_at_capacity_used=Fraction(97, 100))
    assert isinstance(decision, Hold)
    assert "near enough" in decision.reason


def test_a_range_that_was_placed_so_is_not_used_up() -> None:
    """As one that leans against the inventory is: it would be placed anew for ever."""
    decision = decided(nearly_sold_out(placed_at=545), act_at_capacity_used=Fraction(4, 5))
    assert isinstance(decision, Hold)


def test_a_range_that_was_placed_beyond_the_first_share_is_placed_anew_at_the_second() -> None:
    """At tick 430, where it was placed, 86 % of its sell side was used up; now it is 95.5 %."""
    view, must_at = nearly_sold_out(placed_at=430), Fraction(95, 100)
    assert isinstance(decided(view, must_at_capacity_used=must_at), Plan)
    both = decided(view, act_at_capacity_used=Fraction(4, 5), must_at_capacity_used=must_at)
    assert isinstance(both, Plan)
    assert gate(both, "capacity").passed
    assert isinstance(decided(view, act_at_capacity_used=Fraction(4, 5)), Hold)


def test_of_a_range_that_the_books_do_not_know_both_sides_count() -> None:
    view = nearly_sold_out(placed_at=None)
    assert isinstance(decided(view, act_at_capacity_used=Fraction(4, 5)), Plan)


def test_nearly_used_up_must_pay_back_and_all_but_used_up_need_not() -> None:
    poor = nearly_sold_out(fee_rate=1e-16)
    held = decided(poor, act_at_capacity_used=Fraction(4, 5))
    assert isinstance(held, Hold)
    assert closed(held) == ["payback"]
    plan = decided(poor, must_at_capacity_used=Fraction(95, 100))
    assert isinstance(plan, Plan)
    assert gate(plan, "capacity").measured.startswith("95.")
    assert "payback" not in {each.name for each in plan.gates}


# ---- budgets ----


def spent(view: View, **usage: int) -> View:
    return replace(view, record=replace(view.record, usage=a_record(**usage).usage))


@pytest.mark.parametrize(
    ("usage", "enough", "told"),
    [
        ({"moves": 4}, {"moves": 5}, "83.3% of moves"),
        ({"gas": 79 * 10**15}, {"gas": 80 * 10**15}, "80.0% of gas"),
        ({"swap_cost": 79 * 10**16}, {"swap_cost": 80 * 10**16}, "80.0% of swap cost"),
    ],
)
def test_the_last_fifth_of_a_days_budget_is_kept_for_what_must_be_done(
    usage: dict[str, int], enough: dict[str, int], told: str
) -> None:
    reserve = {"reserve_at_budget_used": Fraction(4, 5)}
    assert isinstance(decided(spent(left_behind(), **enough)), Plan)
    assert isinstance(decided(spent(left_behind(), **usage), **reserve), Plan)
    held = decided(spent(left_behind(), **enough), **reserve)
    assert isinstance(held, Hold)
    assert closed(held) == ["reserve"]
    assert gate(held, "reserve").measured == told


@pytest.mark.parametrize(
    ("view", "must"),
    [
        (nearly_sold_out(), {"must_at_capacity_used": Fraction(95, 100)}),
        (left_behind(), {"leave_below_fee_to_lvr": Fraction(USUAL_PAY + 50)}),
    ],
    ids=["used up", "paid too little"],
)
def test_what_must_be_done_uses_the_rest_of_a_days_budget(
    view: View, must: dict[str, Fraction]
) -> None:
    plan = decided(spent(view, moves=5), reserve_at_budget_used=Fraction(4, 5), **must)
    assert isinstance(plan, Plan)
    assert "reserve" not in {each.name for each in plan.gates}


def test_what_leaves_the_used_up_range_where_it_is_must_pay_back() -> None:
    class Adding:
        def target(self, seen: View) -> Target:
            ranges = (LEFT_BEHIND.range, TickRange(560, 800))
            weighted = tuple(WeightedRange(each, Fraction(1)) for each in ranges)
            return Target(ranges=weighted, swap=False, reason="an order above")

    poor = nearly_sold_out(fee_rate=1e-16)
    wallet = a_record((10**11, 10**11)).wallet
    view = a_view(poor.snapshot, replace(poor.record, wallet=wallet), poor.outlook)
    held = decided(view, Adding(), must_at_capacity_used=Fraction(4, 5))
    assert isinstance(held, Hold)
    assert closed(held) == ["payback"]


def test_a_policy_that_wants_nothing_new_keeps_its_own_rules() -> None:
    """It wants no range where none is held; that is not a reason to leave one."""
    view = nearly_sold_out()
    asked: list[int] = []

    class Entering:
        def target(self, seen: View) -> Target:
            asked.append(len(seen.snapshot.positions))
            return keep(seen.snapshot.positions, "it does not pay to enter")

    decision = decided(view, Entering(), act_at_capacity_used=Fraction(4, 5))
    assert isinstance(decision, Hold)
    assert asked == [0, 1]


# ---- the hedge ----


def too_much_base() -> View:
    """Of WETH, the base, 81 % of the value, most of it in the wallet."""
    return a_view(a_market(positions=(LEFT_BEHIND,)), a_record((0, 10**12)), an_outlook())


def hedged(**appetite: object) -> Swap:
    plan = decided(too_much_base(), **appetite)
    assert isinstance(plan, Plan)
    (swap,) = plan.actions
    assert isinstance(swap, Swap)
    return swap


def test_with_a_risk_aversion_a_hedge_goes_to_the_edge_of_its_band_and_no_further() -> None:
    whole, part = hedged(), hedged(risk_aversion=Fraction(3))
    view = too_much_base()
    band = hedge_limits(view, a_limits(appetite=Appetite(risk_aversion=Fraction(3)))).hedge_band
    assert 0.20 < band < 0.30
    # the price is 1 and the swap hardly moves it; an imbalance of 1 is half of the value
    left = (whole.amount_in.raw - part.amount_in.raw) / float(view.inventory.value)
    assert left == pytest.approx(float(band) / 2, rel=0.01)


def test_the_less_averse_leave_the_inventory_alone() -> None:
    decision = decided(too_much_base(), risk_aversion=Fraction(1, 50))
    assert isinstance(decision, Hold)
    assert gate(decision, "imbalance").passed


def test_gamma_alone_makes_the_band_wider() -> None:
    """The same tokens, in a range and idle: value, mix and delta are equal, and the range alone has
    a gamma, by which its mix drifts."""
    wallet = (2 * 10**11, 44 * 10**10)
    ranged = a_view(a_market(positions=(LEFT_BEHIND,)), a_record(wallet))
    total = ranged.inventory.holdings.total
    idle = a_view(a_market(), a_record((total.amount0.raw, total.amount1.raw)))
    assert idle.inventory.imbalance == ranged.inventory.imbalance
    assert idle.inventory.exposure.delta == pytest.approx(ranged.inventory.exposure.delta)

    class Stays:
        def target(self, view: View) -> Target:
            return keep(view.snapshot.positions, "all is as it should be")

    assert isinstance(decided(idle, Stays(), risk_aversion=Fraction(3)), Plan)
    left_alone = decided(ranged, Stays(), risk_aversion=Fraction(3))
    assert isinstance(left_alone, Hold)
    assert gate(left_alone, "imbalance").passed


# ---- regimes ----


def turbulent() -> View:
    return left_behind(moves([*walk(100, 4, to=900), *walk(24, 60)]))


TWICE = Adjustment(width=Fraction(2), deploy=Fraction(1, 2), interval=Fraction(3))


def test_new_ranges_are_wider_and_hold_less_in_turbulence() -> None:
    usual, wide = (
        decided(turbulent(), regimes=regimes) for regimes in ({}, {Regime.TURBULENT: TWICE})
    )
    assert isinstance(usual, Plan)
    assert isinstance(wide, Plan)
    assert gate(wide, "regime").measured.startswith("turbulent")
    old, new = (plan.target.ranges[0] for plan in (usual, wide))
    assert new.range.width >= 2 * old.range.width
    assert new.range.centre == old.range.centre
    assert (old.weight, new.weight) == (1, Fraction(1, 2))


@pytest.mark.parametrize("tick", [601, 1_199])
@pytest.mark.parametrize(
    "widens",
    [
        {"regimes": {Regime.CALM: TWICE}, "where_missing": WhereMissing.IGNORE},
        {"min_stay_probability": Fraction(1, 2)},
    ],
    ids=["a regime", "the chance to stay"],
)
def test_a_range_that_was_widened_is_not_centred_again_as_if_it_were_not(
    tick: int, widens: dict[str, object]
) -> None:
    """A range twice as wide as the policy asked for; whatever widened it may be over by now."""
    wide = a_position("[-1200, 1200)", token_id=7, liquidity=10**13)
    view = a_view(a_market(tick=tick, positions=(wide,)), a_record((0, 0)), an_outlook())
    limits = a_limits(hedge_band=Fraction(1), appetite=Appetite(**widens))
    decision = decide("mine", view, FIXED, limits)
    assert "near enough to the centre" in decision.reason
    assert isinstance(decide("mine", view, FIXED, a_limits()), Plan)


def test_in_another_regime_nothing_changes() -> None:
    calm, usual = (decided(turbulent(), regimes=regimes) for regimes in ({Regime.CALM: TWICE}, {}))
    assert isinstance(calm, Plan)
    assert isinstance(usual, Plan)
    assert calm.actions == usual.actions


def test_turbulence_makes_the_pause_between_moves_longer() -> None:
    view = turbulent()
    usage = replace(view.record.usage, last_move_at=view.snapshot.block.timestamp - 1_000)
    view = replace(view, record=replace(view.record, usage=usage))
    assert isinstance(decided(view), Plan)
    held = decided(view, regimes={Regime.TURBULENT: TWICE})
    assert isinstance(held, Hold)
    assert closed(held) == ["interval"]


def test_turbulence_leaves_more_of_an_imbalance_alone() -> None:
    """An imbalance of about 0.3, against a band of 0.2 and one of twice that."""
    swaps = moves([*walk(100, 4, to=-105), *walk(24, 60, to=0)])
    snapshot = left_behind(swaps, tick=0).snapshot
    view = a_view(snapshot, a_record((2 * 10**11, 6 * 10**11)), an_outlook())
    wider = Adjustment(hedge_band=Fraction(2))
    for usual in ({}, {Regime.CALM: wider}):
        plan = decided(view, regimes=usual)
        assert isinstance(plan, Plan)
        assert [type(action) for action in plan.actions] == [Swap]
    held = decided(view, regimes={Regime.TURBULENT: wider})
    assert isinstance(held, Hold)
    assert gate(held, "imbalance").passed
    assert gate(held, "imbalance").limit == "0.400 around 50.0%"


def test_an_order_beside_the_price_is_never_widened_over_it() -> None:
    plan = decided(
        turbulent(),
        Passive(half_width_ticks=600, order_width_ticks=300),
        regimes={Regime.TURBULENT: TWICE},
    )
    assert isinstance(plan, Plan)
    order = [a for a in plan.actions if isinstance(a, Mint)][-1].range
    assert 1_005 not in order


# ---- too little history ----

ASKED = {
    "toxic flow": {"max_toxic_share": Fraction(1, 2)},
    "markout": {"leave_while_toxic": True},
    "jump": {"pause_after_jump_s": 1_800},
    "regime": {"regimes": {Regime.CALM: Adjustment()}},
    "VPIN": {"max_vpin": Fraction(1, 2)},
    "TWAP attack": {"min_twap_attack_cost": Fraction(1, 100)},
}


@pytest.mark.parametrize("name", ASKED)
def test_a_limit_on_what_cannot_be_estimated_is_broken(name: str) -> None:
    held = decided(left_behind(), **ASKED[name])
    assert isinstance(held, Hold)
    assert closed(held) == [name]
    assert gate(held, name).measured == "unknown"
    assert "need" in gate(held, name).reason


@pytest.mark.parametrize("name", ASKED)
def test_or_is_ignored_where_that_is_configured_and_its_open_gate_says_why(name: str) -> None:
    plan = decided(left_behind(), where_missing=WhereMissing.IGNORE, **ASKED[name])
    assert isinstance(plan, Plan)
    missing = gate(decided(left_behind(), **ASKED[name]), name)
    ignored = gate(plan, name)
    assert ignored.measured.startswith("ignored: ")
    assert missing.reason == f"{ignored.reason}: {ignored.measured.removeprefix('ignored: ')}"


def test_a_pool_without_active_liquidity_pays_nothing_that_is_known() -> None:
    view = left_behind()
    empty = replace(view.snapshot, state=replace(view.snapshot.state, liquidity=Liquidity(0)))
    pay = pay_of(replace(view, snapshot=empty), an_outlook())
    assert isinstance(pay, Missing)
    assert "active liquidity, found 0" in pay.reason
