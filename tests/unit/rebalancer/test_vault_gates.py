"""What a vault's code would refuse is not planned; everything else is decided as for a wallet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from builders import (
    ACCOUNT,
    VAULT,
    a_block,
    a_limits,
    a_market,
    a_position,
    a_range,
    a_record,
    a_vault,
    a_view,
    amounts,
    an_outlook,
    in_a_vault,
    price_at,
)
from decisions import closed, gate

from lpmanager.amm import principal_down
from lpmanager.errors import GuardVeto
from lpmanager.model import (
    Collect,
    Decision,
    Hold,
    Liquidity,
    Mint,
    Plan,
    Swap,
    Target,
    VaultBounds,
    VaultState,
    VaultTurn,
    WeightedRange,
    Withdraw,
)
from lpmanager.rebalancer import Limits, Policy, View, decide
from lpmanager.rebalancer.by_hand import close_plan, collect_plan, open_plan
from lpmanager.rebalancer.candidates import rerange
from lpmanager.rebalancer.economics import VAULT_GAS, WALLET_GAS, gas_wei_up
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.rebalancer.vault_gates import vault_gates
from lpmanager.venues.liquidity_vault import position_id

NAMES = [
    "vault paused",
    "vault operator",
    "vault cooldown",
    "vault price",
    "vault width",
    "vault ranges",
    "vault move",
    "vault loss",
    "vault loss per day",
]
FIXED = FixedWidth(half_width_ticks=600)
LEFT_BEHIND = a_position("[-600, 600)", token_id=7, liquidity=10**13)
NOW = a_block().timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """A policy that wants what the test says, with or without a swap."""

    ranges: tuple[str, ...]
    swap: bool = False
    weight: Fraction = Fraction(1)

    def target(self, _view: View) -> Target:
        weighted = tuple(WeightedRange(a_range(text), self.weight) for text in self.ranges)
        return Target(ranges=weighted, swap=self.swap, reason="because")


def bounds(**changes: int) -> VaultBounds:
    return replace(a_vault().bounds, **changes)


def left_behind(vault: VaultState | None = None) -> View:
    """A vault whose range the price has left upwards: it is all token1 now."""
    market = a_market(tick=1_005, positions=(LEFT_BEHIND,))
    return in_a_vault(a_view(market, a_record((0, 0)), an_outlook(variance_rate=1e-13)), vault)


def idle(vault: VaultState | None = None, **market: int) -> View:
    """A vault with tokens and no position."""
    return in_a_vault(a_view(a_market(**market), a_record((10**12, 10**12))), vault)


def decided(view: View, policy: Policy = FIXED, limits: Limits | None = None) -> Decision:
    return decide("mine", view, policy, limits or a_limits())


def planned(view: View, policy: Policy = FIXED) -> Plan:
    decision = decided(view, policy)
    assert isinstance(decision, Plan), decision
    return decision


# ---- the turn and the gas ----


def test_a_plan_for_a_vault_names_its_turn_and_who_signs() -> None:
    plan = planned(left_behind(a_vault(seq=41)))
    assert plan.vault == VaultTurn(address=VAULT, seq=41)
    assert plan.account == ACCOUNT
    assert [action.kind for action in plan.actions] == ["withdraw", "swap", "mint"]


def test_a_plan_for_a_wallet_has_neither_a_turn_nor_a_vaults_gates() -> None:
    market = a_market(tick=1_005, positions=(LEFT_BEHIND,))
    plan = planned(a_view(market, a_record((0, 0)), an_outlook(variance_rate=1e-13)))
    assert plan.vault is None
    assert not {gate.name for gate in plan.gates} & set(NAMES)


def test_every_bound_of_the_vault_is_among_the_gates_with_its_numbers() -> None:
    plan = planned(left_behind())
    assert [gate.name for gate in plan.gates if gate.name.startswith("vault")] == NAMES
    assert all(gate.measured and gate.limit and gate.reason for gate in plan.gates)


def test_the_gas_of_a_vaults_plan_is_that_of_one_transaction() -> None:
    view, plan = left_behind(), planned(left_behind())
    wei = gas_wei_up(view.snapshot, plan.actions)
    kinds = [action.kind for action in plan.actions]
    assert wei == VAULT_GAS.of_up(kinds) * view.snapshot.gas_price
    assert wei < WALLET_GAS.of_up(kinds) * view.snapshot.gas_price * 6 // 10
    native_price = view.snapshot.native_price
    assert native_price is not None
    assert plan.estimate.gas == native_price.ratio * wei


# ---- each gate at its very limit ----


def test_a_paused_vault_is_left_alone() -> None:
    hold = decided(left_behind(a_vault(paused=True)))
    assert isinstance(hold, Hold)
    assert closed(hold) == ["vault paused"]
    assert "lpm vault unpause" in gate(hold, "vault paused").reason


def test_only_the_operator_plans_for_a_vault() -> None:
    somebody = f"0x{0x0B:040x}"
    hold = decided(left_behind(a_vault(operator=somebody)))
    assert closed(hold) == ["vault operator"]
    assert (gate(hold, "vault operator").measured, gate(hold, "vault operator").limit) == (
        somebody,
        ACCOUNT,
    )


@pytest.mark.parametrize(("ago", "names"), [(300, []), (299, ["vault cooldown"])])
def test_a_vault_is_rebalanced_again_once_its_cooldown_is_over(ago: int, names: list[str]) -> None:
    vault = a_vault(rebalanced_at=NOW - ago, bounds=bounds(cooldown_s=300))
    assert closed(decided(left_behind(vault))) == names


def test_a_vault_that_was_never_rebalanced_need_not_wait() -> None:
    decision = decided(left_behind(a_vault(bounds=bounds(cooldown_s=2**32 - 1))))
    assert gate(decision, "vault cooldown").measured == "no rebalance yet"
    assert closed(decision) == []


@pytest.mark.parametrize(("limit", "names"), [(30, []), (29, ["vault price"])])
@pytest.mark.parametrize("side", [1, -1])
def test_the_price_may_be_so_far_from_its_mean(limit: int, names: list[str], side: int) -> None:
    vault = a_vault(bounds=bounds(max_deviation_ticks=limit))
    view = idle(vault, tick=500, twap_tick=500 + 30 * side)
    policy = Wants(ranges=("[-9000, 9000)",))
    assert closed(decided(view, policy, a_limits(max_pool_share=Fraction(1)))) == names


def test_the_price_after_our_own_swap_counts_too() -> None:
    """It begins at the mean, and the swap takes it away from there."""
    market = a_market(positions=(a_position(liquidity=10**12),), others=10**15)
    limits = a_limits(max_pool_share=Fraction(1), slippage_bps=500)

    def decision(limit: int) -> Decision:
        vault = a_vault(bounds=bounds(max_deviation_ticks=limit))
        view = in_a_vault(a_view(market, a_record((10**12, 0)), limits=limits), vault)
        return decided(view, limits=limits)

    away = int(gate(decision(200), "vault price").measured.removesuffix(" ticks"))
    assert away > 0
    assert "vault price" not in closed(decision(away))
    assert "vault price" in closed(decision(away - 1))


@pytest.mark.parametrize(("limit", "names"), [(1_200, []), (1_201, ["vault width"])])
def test_every_new_range_is_as_wide_as_the_vault_wants(limit: int, names: list[str]) -> None:
    policy = Wants(ranges=("[-6000, 6000)", "[-600, 600)"), weight=Fraction(1, 2))
    vault = a_vault(bounds=bounds(min_width_ticks=limit))
    assert closed(decided(idle(vault), policy)) == names


def test_a_narrow_range_that_is_kept_is_no_new_one() -> None:
    narrow = a_position("[-60, 60)", token_id=9, liquidity=10**12)
    market = a_market(positions=(narrow,))
    vault = a_vault(bounds=bounds(min_width_ticks=1_000))
    view = in_a_vault(a_view(market, a_record((10**12, 10**12))), vault)
    assert closed(decided(view, Wants(ranges=("[-60, 60)", "[-600, 600)")))) == []


@pytest.mark.parametrize(("count", "names"), [(4, []), (5, ["vault ranges"])])
def test_four_ranges_fit_into_a_vault(count: int, names: list[str]) -> None:
    kept = a_position("[-6000, 6000)", token_id=9, liquidity=10**12)
    wanted = tuple(f"[{-600 * i}, {600 * i})" for i in range(1, count))
    policy = Wants(ranges=("[-6000, 6000)", *wanted), weight=Fraction(1, count))
    view = in_a_vault(a_view(a_market(positions=(kept,)), a_record((10**12, 10**12))))
    assert closed(decided(view, policy)) == names


@pytest.mark.parametrize(("limit", "names"), [(250, []), (249, ["vault move"])])
def test_the_centre_of_all_ranges_moves_no_further_than_the_vault_lets_it(
    limit: int, names: list[str]
) -> None:
    """From [-600, 600) to [-600, 600) and [-600, 1100): the middle of both is 250."""
    kept = a_position("[-600, 600)", token_id=9, liquidity=10**12)
    vault = a_vault(centre=0, bounds=bounds(max_move_ticks=limit))
    view = in_a_vault(a_view(a_market(positions=(kept,)), a_record((10**12, 10**12))), vault)
    assert closed(decided(view, Wants(ranges=("[-600, 600)", "[-600, 1100)")))) == names


@pytest.mark.parametrize(("limit", "names"), [(80, []), (79, ["vault move"])])
def test_without_a_centre_the_mean_price_takes_its_place(limit: int, names: list[str]) -> None:
    vault = a_vault(bounds=bounds(max_move_ticks=limit))
    view = idle(vault, tick=0, twap_tick=20)
    assert closed(decided(view, Wants(ranges=("[-9000, 9200)",)))) == names


@pytest.mark.parametrize(("text", "centre"), [("[-10, 21)", 5), ("[-21, 10)", -5)])
def test_a_middle_between_two_ticks_is_the_one_towards_zero(text: str, centre: int) -> None:
    """As Solidity divides; the edges add up to an odd number in pools of spacing one."""
    view = in_a_vault(a_view(), a_vault(centre=centre, bounds=bounds(max_move_ticks=0)))
    candidate = rerange(view, FIXED.target(view), a_limits())
    placed = ((a_range(text), Liquidity(1)),)
    found = vault_gates(view, replace(candidate, placed=placed))
    assert "vault move" not in [gate.name for gate in found if not gate.passed]


def test_a_vault_that_is_emptied_has_no_centre_to_move() -> None:
    vault = a_vault(centre=10**5, bounds=bounds(max_move_ticks=1))
    plan = close_plan("mine", left_behind(vault), a_limits())
    assert gate(plan, "vault move").measured == "no ranges left"


def test_what_a_swap_costs_the_vault_is_bound_by_the_call_and_by_the_day() -> None:
    lost = Fraction(gate(planned(left_behind()), "vault loss").measured.rstrip("%")) / 100
    assert 0 < lost < Fraction(1, 1_000)
    pips, wad = int(lost * 10**6), int(lost * 10**18)

    def with_limits(call: int, left: int) -> list[str]:
        vault = a_vault(budget_left_wad=left, bounds=bounds(max_loss_per_call_pips=call))
        return closed(decided(left_behind(vault)))

    assert with_limits(pips + 2, wad + 10**12) == []
    assert with_limits(pips - 2, wad + 10**12) == ["vault loss"]
    assert with_limits(pips + 2, wad - 10**12) == ["vault loss per day"]


def test_a_range_opened_at_a_price_away_from_the_mean_is_a_loss_at_the_mean() -> None:
    """No swap, and yet: were the price to come back, the range would have bought too dear."""
    policy = Wants(ranges=("[-60, 60)",))
    at_the_mean = gate(decided(idle(tick=0), policy), "vault loss")
    away = gate(decided(idle(tick=0, twap_tick=50), policy), "vault loss")
    assert Fraction(at_the_mean.measured.rstrip("%")) == 0
    assert Fraction(away.measured.rstrip("%")) > Fraction(1, 100)


def test_a_vault_that_is_worth_nothing_loses_nothing() -> None:
    nothing = amounts(0, 0)
    burn = Withdraw(token_id=7, liquidity=Liquidity(0), minimum=nothing, expected=nothing)
    view = in_a_vault(a_view(record=a_record((0, 0))))
    candidate = replace(rerange(view, FIXED.target(view), a_limits()), actions=(burn,))
    (found,) = [g for g in vault_gates(view, candidate) if g.name == "vault loss"]
    assert found.passed
    assert found.measured == "0.0000%"


@pytest.mark.parametrize("name", ["vault price", "vault move", "vault loss", "vault loss per day"])
def test_without_a_mean_price_the_gates_that_need_it_are_closed(name: str) -> None:
    view = left_behind()
    candidate = rerange(view, FIXED.target(view), a_limits())
    blind = replace(view, snapshot=replace(view.snapshot, twap=None))
    (found,) = [g for g in vault_gates(blind, candidate) if g.name == name]
    assert not found.passed
    assert found.measured == "no history"


# ---- what a vault can do besides ----


def test_the_inventory_of_a_vault_is_hedged_by_a_swap_that_keeps_its_ranges() -> None:
    held = a_position(liquidity=10**11)
    view = in_a_vault(a_view(a_market(positions=(held,)), a_record((10**12, 10**9))))
    plan = planned(view)
    (swap,) = plan.actions
    assert isinstance(swap, Swap)
    assert plan.vault is not None
    assert gate(plan, "vault move").measured == "0 ticks"


@pytest.mark.parametrize("liquidity", [10**11, 10**13])
def test_a_loss_is_counted_against_all_that_the_vault_holds(liquidity: int) -> None:
    """At the upper end of the present tick, where what was sold is worth the most."""
    market = a_market(positions=(a_position(liquidity=liquidity),))
    view = in_a_vault(a_view(market, a_record((10**12, 10**9))))
    plan = planned(view)
    (swap,) = plan.actions
    assert isinstance(swap, Swap)
    pool, there = view.snapshot.pool, price_at(1)
    price = pool.price(view.snapshot.quote, there)
    (kept,) = view.snapshot.positions
    whole = view.record.wallet + pool.amounts(*principal_down(kept, there))
    lost = price.value_of(swap.amount_in) - price.value_of(swap.expected_out)
    share = lost / price.value(whole)
    assert gate(plan, "vault loss").measured == f"{float(share):.4%}"
    assert share > Fraction(1, 10_000)


@pytest.mark.parametrize(("wallet", "dear"), [((10**12, 10**9), -50), ((10**9, 10**12), 50)])
def test_a_swap_that_looks_like_a_gain_at_the_mean_is_a_loss_at_the_price(
    wallet: tuple[int, int], dear: int
) -> None:
    """What is sold is dear now: at the mean the vault would seem to have sold it well."""

    def lost(twap_tick: int) -> Fraction:
        market = a_market(positions=(a_position(liquidity=10**11),), twap_tick=twap_tick)
        plan = planned(in_a_vault(a_view(market, a_record(wallet))))
        return Fraction(gate(plan, "vault loss").measured.rstrip("%"))

    assert 0 < lost(0) == lost(dear) < lost(-dear)


def test_a_range_that_is_wanted_twice_is_opened_once() -> None:
    for view in (idle(), a_view(record=a_record((10**12, 10**12)))):
        twice = planned(view, Wants(ranges=("[-600, 600)", "[-600, 600)"), weight=Fraction(1, 2)))
        once = planned(view, Wants(ranges=("[-600, 600)",)))
        assert twice.actions == once.actions
        assert len(once.actions) == 1


def test_shares_of_a_range_that_is_wanted_twice_add_up_to_all_at_most() -> None:
    twice = planned(left_behind(), Wants(ranges=("[400, 1600)", "[400, 1600)"), swap=True))
    once = planned(left_behind(), Wants(ranges=("[400, 1600)",), swap=True))
    assert [action.kind for action in once.actions] == ["withdraw", "swap", "mint"]
    assert twice.actions == once.actions


# ---- by hand ----


def with_fees(vault: VaultState | None = None) -> View:
    market = a_market(positions=(a_position("[-60, 60)", token_id=7, fees=(5, 6)),))
    return in_a_vault(a_view(market, a_record((10**6, 10**6))), vault)


def test_fees_are_collected_whatever_the_bounds_say_of_a_rebalance() -> None:
    tight = VaultBounds(
        twap_window_s=600,
        max_deviation_ticks=0,
        min_width_ticks=10**6,
        max_move_ticks=0,
        cooldown_s=10**6,
        max_loss_per_call_pips=0,
        max_loss_per_day_pips=0,
    )
    vault = a_vault(rebalanced_at=NOW - 1, centre=500, budget_left_wad=0, bounds=tight)
    plan = collect_plan("mine", with_fees(vault), a_limits())
    (collect,) = plan.actions
    assert isinstance(collect, Collect)
    assert collect.token_id == position_id(VAULT, a_range("[-60, 60)"))
    assert [gate.name for gate in plan.gates if gate.name.startswith("vault")] == NAMES[:2]


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"paused": True}, "vault paused"), ({"operator": f"0x{9:040x}"}, "vault operator")],
)
def test_a_vault_that_does_not_obey_collects_nothing_either(
    changes: dict[str, object], name: str
) -> None:
    with pytest.raises(GuardVeto, match=f"gate {name} is closed"):
        collect_plan("mine", with_fees(a_vault(**changes)), a_limits())


def test_what_a_person_asks_for_stays_within_the_vaults_bounds() -> None:
    vault = a_vault(bounds=bounds(min_width_ticks=1_000))
    plan = open_plan("mine", with_fees(vault), a_range("[-500, 500)"), a_limits())
    assert any(isinstance(action, Mint) for action in plan.actions)
    with pytest.raises(GuardVeto, match="gate vault width is closed: 990 ticks, limit 1000 ticks"):
        open_plan("mine", with_fees(vault), a_range("[-490, 500)"), a_limits())


def test_a_vault_is_closed_by_hand_in_one_turn() -> None:
    plan = close_plan("mine", left_behind(a_vault(seq=3)), a_limits())
    assert plan.vault == VaultTurn(address=VAULT, seq=3)
    assert [action.kind for action in plan.actions] == ["withdraw"]
