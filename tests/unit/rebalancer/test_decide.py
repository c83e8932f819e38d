"""The decision: plan, hedge or hold, and each gate at its very limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
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
    a_record,
    a_view,
    an_outlook,
)
from decisions import closed, gate

from lpmanager.model import (
    MAX_TICK,
    Decision,
    Hold,
    Liquidity,
    Mint,
    Plan,
    SqrtPriceX96,
    Swap,
    SwapPurpose,
    Target,
    TickRange,
    WeightedRange,
    Withdraw,
)
from lpmanager.rebalancer import Limits, View, decide
from lpmanager.rebalancer.candidates import rerange, rerange_without_swap
from lpmanager.rebalancer.policies import FixedWidth, Passive

FIXED = FixedWidth(half_width_ticks=600)
LEFT_BEHIND = a_position("[-600, 600)", token_id=7, liquidity=10**13)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """A policy that wants what the test says."""

    ranges: tuple[str, ...]
    swap: bool

    def target(self, _view: View) -> Target:
        pairs = (text.strip("[)").split(", ") for text in self.ranges)
        ranges = [TickRange(int(lower), int(upper)) for lower, upper in pairs]
        weighted = tuple(WeightedRange(r, Fraction(1)) for r in ranges)
        return Target(ranges=weighted, swap=self.swap, reason="because")


#: So calm that an order five ticks from the price would never be reached.
CALM = an_outlook(variance_rate=1e-13)


def left_behind(**record: object) -> View:
    """A position whose range the price has left upwards: it is all token1 now."""
    market = a_market(tick=1_005, positions=(LEFT_BEHIND,))
    return a_view(market, a_record((0, 0), **record), CALM)


def lively() -> View:
    """As `left_behind`, in a market that comes to an order and pays little."""
    return replace(left_behind(), outlook=an_outlook(fee_rate=1e-9, variance_rate=2e-8))


def decided(view: View, limits: Limits | None = None, policy=FIXED) -> Decision:
    return decide("mine", view, policy, limits or a_limits())


def planned(view: View, limits: Limits | None = None, policy=FIXED) -> Plan:
    decision = decided(view, limits, policy)
    assert isinstance(decision, Plan), decision
    return decision


def held(view: View, limits: Limits | None = None, policy=FIXED) -> Hold:
    decision = decided(view, limits, policy)
    assert isinstance(decision, Hold), decision
    return decision


# ---- reasons to hold before anything is worked out ----


def test_a_campaign_that_holds_nothing_holds() -> None:
    assert "holds nothing" in held(a_view(record=a_record((0, 0)))).reason


def test_without_an_outlook_nothing_is_planned() -> None:
    assert closed(held(replace(a_view(), outlook=NO_OUTLOOK))) == ["history"]


def test_a_displaced_price_is_not_acted_upon() -> None:
    view = a_view(a_market(twap_tick=-101))
    assert closed(held(view)) == ["TWAP"]


def test_without_a_mean_price_nothing_is_planned() -> None:
    view = a_view()
    assert closed(held(replace(view, snapshot=replace(view.snapshot, twap=None)))) == ["TWAP"]


def test_a_range_in_its_place_and_tokens_in_balance_need_nothing() -> None:
    hold = held(a_view(a_market(positions=(a_position(),)), a_record((0, 0))))
    assert closed(hold) == []
    assert float(gate(hold, "imbalance").measured) == 0


# ---- re-ranging ----


def test_a_range_left_behind_is_withdrawn_swapped_and_minted_in_that_order() -> None:
    plan = planned(left_behind())
    assert [action.kind for action in plan.actions] == ["withdraw", "swap", "mint"]
    withdraw, swapped, mint = plan.actions
    assert isinstance(withdraw, Withdraw)
    assert isinstance(swapped, Swap)
    assert isinstance(mint, Mint)
    assert (withdraw.token_id, withdraw.liquidity) == (7, LEFT_BEHIND.liquidity)
    assert swapped.purpose is SwapPurpose.RERANGE
    assert swapped.amount_in.token == WETH
    assert 1_005 in mint.range


def test_a_plan_says_where_when_and_until_when_it_holds() -> None:
    view = left_behind()
    plan, snapshot = planned(view, a_limits(plan_ttl_s=120)), view.snapshot
    assert (plan.campaign, plan.chain_id, plan.account, plan.pool) == (
        "mine",
        snapshot.chain_id,
        snapshot.wallet.address,
        snapshot.pool.address,
    )
    assert plan.block == snapshot.block
    assert plan.expires_at == snapshot.block.timestamp + 120
    assert plan.sqrt_price_min_x96 < snapshot.state.sqrt_price_x96 < plan.sqrt_price_max_x96


def test_of_two_ways_the_one_that_leaves_more_is_planned() -> None:
    """An order beside the price earns like a range around it, and saves the swap, unless the
    price is too calm to come to it."""
    assert "with a swap" in planned(left_behind()).reason
    assert "without a swap" in planned(lively()).reason


def test_a_way_that_a_gate_closes_leaves_the_other() -> None:
    no_swaps = a_limits(max_swap_cost_per_day_raw=0)
    assert [a.kind for a in planned(lively(), no_swaps).actions] == ["withdraw", "mint"]


def test_passive_fills_base_and_order_without_a_swap() -> None:
    policy = Passive(half_width_ticks=600, order_width_ticks=300)
    plan = planned(a_view(a_market(tick=5), a_record((10**12, 10**11))), policy=policy)
    base, order = plan.actions
    assert isinstance(base, Mint)
    assert isinstance(order, Mint)
    assert (str(base.range), str(order.range)) == ("[-600, 610)", "[20, 320)")
    assert order.minimum.amount0.raw > order.desired.amount0.raw * 98 // 100
    assert order.minimum.amount1.raw == 0


def test_a_full_range_is_planned_like_any_other() -> None:
    full = FixedWidth(half_width_ticks=2 * MAX_TICK)
    plan = planned(a_view(a_market(tick=50_000), a_record((10**12, 10**12))), policy=full)
    assert str(plan.actions[-1].range) == "[-887270, 887270)"


def test_no_ranges_wanted_means_everything_is_withdrawn() -> None:
    plan = planned(left_behind(), policy=Wants(ranges=(), swap=False))
    assert [type(action) for action in plan.actions] == [Withdraw]
    assert "payback" not in [judged.name for judged in plan.gates]


def test_leaving_may_not_cost_more_than_moving_as_much_by_a_hedge() -> None:
    """Gas of 960 raw units against 50 bps of what is taken out."""
    dust = a_view(a_market(tick=0, positions=(replace(LEFT_BEHIND, liquidity=10**6),)))
    hold = held(dust, policy=Wants(ranges=(), swap=False))
    assert closed(hold) == ["leaving cost"]


def test_what_a_target_forgoes_is_not_held_against_any_way_to_reach_it() -> None:
    wide = (WeightedRange(TickRange(-6_000, 6_000), Fraction(1)),)
    view = left_behind()
    for forgoes in (Fraction(0), Fraction(1)):
        target = Target(ranges=wide, swap=True, reason="for less risk", forgoes=forgoes)
        assert rerange_without_swap(view, target, a_limits()).target.forgoes == forgoes


def test_dust_is_not_swapped_for_nothing() -> None:
    """What would bring nothing back has no minimum that could protect it."""
    view = a_view(record=a_record((10**12, 10**12 + 1)))
    for action in planned(view).actions:
        assert not isinstance(action, Swap) or action.minimum_out.raw > 0


def test_a_position_outside_the_ticks_read_is_no_reason_to_fail() -> None:
    view = left_behind()
    state, known = view.snapshot.state, TickRange(-256, 2_560)
    narrow = replace(state, known=known, ticks=tuple(t for t in state.ticks if t.tick in known))
    hold_or_plan = decided(replace(view, snapshot=replace(view.snapshot, state=narrow)))
    assert hold_or_plan.campaign == "mine"


def test_a_swap_that_would_leave_the_ticks_read_is_not_planned() -> None:
    view, limits = off_balance((10**12, 0))
    shallow = replace(
        view.snapshot.state, known=TickRange(-10, 10), ticks=(), liquidity=Liquidity(10**13)
    )
    hold = held(replace(view, snapshot=replace(view.snapshot, state=shallow)), limits)
    assert closed(hold) == ["imbalance", "depth"]
    assert "read more ticks" in gate(hold, "depth").reason


# ---- hedging ----


def off_balance(wallet: tuple[int, int], **limits: object) -> tuple[View, Limits]:
    allowed = a_limits(**limits)
    market = a_market(positions=(a_position(liquidity=10**13),))
    return a_view(market, a_record(wallet), limits=allowed), allowed


@pytest.mark.parametrize("sold", ["USDC", "WETH"])
def test_the_heavier_token_is_sold_from_the_wallet_towards_the_target(sold: str) -> None:
    wallet = (10**12, 0) if sold == "USDC" else (0, 10**12)
    view, limits = off_balance(wallet)
    (swap,) = planned(view, limits).actions
    assert isinstance(swap, Swap)
    assert swap.purpose is SwapPurpose.HEDGE
    assert swap.amount_in.token.symbol == sold
    assert swap.amount_in.raw == pytest.approx(5 * 10**11, rel=0.01)
    assert swap.minimum_out.raw == swap.expected_out.raw * 9950 // 10_000


def test_a_hedge_sells_no_more_than_the_wallet_has() -> None:
    view, limits = off_balance((10**11, 0), target_weight=Fraction(9, 10))
    (swap,) = planned(view, limits).actions
    assert isinstance(swap, Swap)
    assert swap.amount_in.raw == 10**11


def test_the_band_is_left_alone_up_to_its_edge() -> None:
    view, _ = off_balance((10**12, 0))
    off = abs(view.inventory.imbalance or 0)
    assert closed(held(view, a_limits(hedge_band=off))) == []
    assert planned(view, a_limits(hedge_band=off - Fraction(1, 10**9)))


def test_what_is_not_in_the_wallet_cannot_be_hedged() -> None:
    view, limits = off_balance((10**6, 0), target_weight=Fraction(1, 10))
    hold = held(view, limits)
    assert closed(hold) == ["imbalance"]


def test_a_hedge_that_costs_more_than_it_protects_is_held() -> None:
    view, limits = off_balance((10**12, 0))
    dear = replace(view, snapshot=replace(view.snapshot, gas_price=10**15))
    assert "hedge cost" in closed(held(dear, limits))


@pytest.mark.parametrize("quote", [USDC, WETH])
def test_the_target_weight_is_the_base_tokens_whichever_is_the_quote(quote) -> None:
    limits = a_limits(target_weight=Fraction(3, 4))
    market = a_market(positions=(a_position(liquidity=10**13),), quote=quote)
    wallet = (10**12, 0) if quote == USDC else (0, 10**12)  # all of it quote
    (swap,) = planned(a_view(market, a_record(wallet), limits=limits), limits).actions
    assert isinstance(swap, Swap)
    assert swap.amount_in.token == quote
    assert swap.amount_in.raw > 6 * 10**11


# ---- every gate at its very limit ----


def test_gas_of_the_day_may_reach_its_limit() -> None:
    view = left_behind(gas=10**15)
    whole = 10**15 + gas_of(planned(view))
    assert planned(view, a_limits(max_gas_per_day_raw=whole))
    assert closed(held(view, a_limits(max_gas_per_day_raw=whole - 1))) == ["gas per day"]


def gas_of(plan: Plan) -> int:
    """In wei; the builders' native coin is worth 3 / 10**9 raw quote units a wei."""
    wei = plan.estimate.gas / Fraction(3, 10**9)
    assert wei.denominator == 1
    return wei.numerator


def with_native(view: View, raw: int) -> View:
    wallet = view.snapshot.wallet
    native = replace(wallet.native, raw=raw)
    return replace(view, snapshot=replace(view.snapshot, wallet=replace(wallet, native=native)))


def test_the_wallet_must_hold_the_gas_twice() -> None:
    view = left_behind()
    needed = 2 * gas_of(planned(view))
    assert planned(with_native(view, needed))
    assert "gas money" in closed(held(with_native(view, needed - 1)))


def test_moves_of_the_day_must_stay_below_their_limit() -> None:
    assert planned(left_behind(moves=5), a_limits(max_moves_per_day=6))
    assert closed(held(left_behind(moves=6), a_limits(max_moves_per_day=6))) == ["moves per day"]


def test_the_pause_between_moves_may_end_on_the_second() -> None:
    now = left_behind().snapshot.block.timestamp
    assert planned(left_behind(last_move_at=now - 600), a_limits(min_interval_s=600))
    early = held(left_behind(last_move_at=now - 599), a_limits(min_interval_s=600))
    assert closed(early) == ["interval"]
    assert gate(early, "interval").measured == "599 s"


def test_swap_cost_of_the_day_may_reach_its_limit() -> None:
    view = left_behind(swap_cost=1000)
    whole = math.ceil(1000 + planned(view).estimate.swap_cost)
    assert "with a swap" in planned(view, a_limits(max_swap_cost_per_day_raw=whole)).reason
    assert isinstance(decided(view, a_limits(max_swap_cost_per_day_raw=whole - 1)), Hold)


def test_our_share_of_the_pool_may_reach_its_limit() -> None:
    policy = Wants(ranges=("[-600, 600)",), swap=False)
    view = a_view(record=a_record((10**12, 10**12)))
    ours = 34_344_000_000_000
    plan = planned(view, policy=policy)
    share = Fraction(gate(plan, "pool share").measured.rstrip("%")) / 100
    assert share == pytest.approx(Fraction(ours, 10**18 + ours), abs=1e-4)
    assert closed(held(view, a_limits(max_pool_share=share / 2), policy)) == ["pool share"]


def test_a_wanted_range_of_one_tick_can_have_an_order_beside_it() -> None:
    """Of which half is less than a tick."""
    pool = replace(a_pool(), tick_spacing=1)
    view = a_view(a_market(pool=pool), a_record((10**9, 0), pool=pool))
    target = Wants(ranges=("[0, 1)",), swap=True).target(view)
    found = rerange_without_swap(view, target, a_limits())
    assert [each.range for each in found.target.ranges] == [TickRange(0, 1), TickRange(2, 3)]


@pytest.mark.parametrize(("limit", "names"), [(700, []), (699, ["step"])])
def test_the_centre_may_move_up_to_its_limit(limit: int, names: list[str]) -> None:
    policy = Wants(ranges=("[400, 1000)",), swap=False)
    view = replace(left_behind(), outlook=an_outlook())
    assert closed(decided(view, a_limits(max_step_ticks=limit), policy)) == names


def test_the_first_range_is_no_step() -> None:
    view = a_view(a_market(tick=50_000), a_record((10**12, 10**12)))
    assert planned(view, a_limits(max_step_ticks=1))


def test_our_own_swap_may_not_move_the_price_past_the_slippage() -> None:
    def moved(others: int) -> Decision:
        market = a_market(positions=(a_position(liquidity=10**12),), others=others)
        whole = a_limits(max_pool_share=Fraction(1))
        return decided(a_view(market, a_record((10**12, 0))), whole)

    assert "price impact" in closed(moved(10**14))
    assert isinstance(moved(10**16), Plan)


def test_a_range_narrower_than_the_slippage_is_minted_and_left_with_minimums_all_the_same() -> None:
    narrow = a_position("[-20, 20)", liquidity=10**15)
    mint = planned(
        a_view(record=a_record((10**12, 10**12))), policy=Wants(ranges=("[-20, 20)",), swap=False)
    ).actions[0]
    view = a_view(a_market(positions=(narrow,)))
    wider = Wants(ranges=("[-600, 600)",), swap=False).target(view)
    leave = rerange(view, wider, a_limits()).actions[0]
    assert isinstance(mint, Mint)
    assert isinstance(leave, Withdraw)
    assert not mint.minimum.is_zero
    assert not leave.minimum.is_zero


def test_a_mint_of_dust_has_no_minimum_and_is_not_planned() -> None:
    policy = Wants(ranges=("[-20, 20)",), swap=False)
    assert "minimums" in closed(held(a_view(record=a_record((1, 1))), policy=policy))


def test_a_move_must_earn_more_than_it_costs() -> None:
    view = left_behind()
    assert closed(held(replace(view, outlook=an_outlook(fee_rate=0.0)))) == ["payback"]
    cost = planned(view).estimate
    assert cost.fees_gained > cost.gas + cost.swap_cost
    assert cost.worst_case > cost.gas + cost.swap_cost


def test_what_a_day_of_flow_earns_is_shared_with_our_own_liquidity() -> None:
    def gained(liquidity_factor: int) -> Fraction:
        record = a_record((10**12 * liquidity_factor, 10**12 * liquidity_factor))
        wants = Wants(ranges=("[-600, 600)",), swap=False)
        limits = a_limits(max_pool_share=Fraction(1))
        return planned(a_view(record=record), limits, wants).estimate.fees_gained

    assert gained(10**4) < 10**4 * gained(1)
    assert gained(10**4) > gained(1)


def test_a_market_the_other_way_round_decides_the_same() -> None:
    pool = a_pool(token0=replace(WETH, address=USDC.address), token1=replace(USDC, address="0x3"))
    market = a_market(pool=pool, quote=pool.token0, positions=(LEFT_BEHIND,), tick=1_005)
    plan = planned(a_view(market, a_record((0, 0), pool=pool), CALM))
    assert [action.kind for action in plan.actions] == ["withdraw", "swap", "mint"]


def test_a_range_whose_edge_lies_a_hair_beside_the_price_is_not_planned() -> None:
    """One token alone would give more liquidity there than the contract can count."""
    view = a_view()
    state = view.snapshot.state
    beside = replace(state, sqrt_price_x96=SqrtPriceX96(state.sqrt_price_x96 + 1))
    hold = held(
        replace(view, snapshot=replace(view.snapshot, state=beside)),
        policy=Wants(ranges=("[0, 600)",), swap=False),
    )
    assert closed(hold) == ["liquidity"]
    assert "does not fit uint128" in gate(hold, "liquidity").reason
