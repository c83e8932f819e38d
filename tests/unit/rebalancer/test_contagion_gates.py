"""What other campaigns hold and see changes what is decided for this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import (
    BLOCK_TIME_S,
    NO_OUTLOOK,
    USDC,
    WETH,
    a_limits,
    a_market,
    a_pool,
    a_position,
    a_record,
    a_token,
    a_view,
    amounts,
    in_a_vault,
)
from decisions import closed, gate
from order_flow_builders import a_swap, after

from lpmanager.inventory.holdings import Holdings
from lpmanager.model import Decision, Hold, Liquidity, Mint, Plan, Swap, Twap, Withdraw
from lpmanager.rebalancer import Limits, View, decide
from lpmanager.rebalancer.assessment.contagion import peg_measures, shared_measures
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.risk.appetite import Appetite, WhereMissing
from lpmanager.risk.contagion.depeg import Peg
from lpmanager.risk.contagion.neighbours import Loan, Neighbour, Surroundings, as_neighbour
from lpmanager.risk.missing import Missing

FIXED = FixedWidth(half_width_ticks=600)
USDT = a_token("USDT", 6, 5)
PEG = Peg(token="USDC", against="USDT", value=1.0, tolerance=0.01, for_s=600)
LEFT_BEHIND = a_position("[-600, 600)", token_id=7, liquidity=10**13)
NOW = a_market().block.timestamp
MILLION = 10**12


def a_neighbour(
    name: str = "stable",
    *,
    usdc: int = 0,
    age: int = 0,
    pooled: int = 0,
    pegs: Mapping[str, bool] | None = None,
) -> Neighbour:
    """A campaign of USDC and USDT, with raw USDC outside its pool and in it."""
    pool = a_pool(USDC, USDT, 0xF1)
    none = amounts(0, 0, pool)
    seen = as_neighbour(
        name,
        a_market(pool=pool),
        Holdings(
            wallet=amounts(usdc, 0, pool), principal=amounts(pooled, 0, pool), uncollected=none
        ),
    )
    return replace(seen, seen_at=NOW - age, pegs=pegs or {})


def among(
    view: View, *neighbours: Neighbour, unseen: tuple[str, ...] = (), **known: object
) -> View:
    around = Surroundings(neighbours=neighbours, unseen=unseen, **known)
    return replace(view, surroundings=around)


def decided(view: View, **appetite: object) -> Decision:
    return decide("mine", view, FIXED, a_limits(appetite=Appetite(**appetite)))


# ---- what all campaigns together hang on ----


def ready() -> View:
    """Idle: a million of each token at a raw price of 1, which is a million million in USDC."""
    return a_view(record=a_record((MILLION, MILLION)))


def test_by_default_nobody_asks_what_the_others_hold() -> None:
    asked = {each.name for each in decided(among(ready(), unseen=("other",))).gates}
    assert not {name for name in asked if name.startswith(("share in", "peg", "RPC", "base fee"))}


def test_a_pool_that_would_hold_too_much_of_everything_is_not_filled() -> None:
    alone = decided(ready(), max_share_in_pool=Fraction(3, 5))
    assert isinstance(alone, Hold)
    assert closed(alone) == ["share in pool"]
    assert gate(alone, "share in pool").measured.startswith("0.0% to ")
    richer = decided(
        among(ready(), a_neighbour(usdc=2 * MILLION)), max_share_in_pool=Fraction(3, 5)
    )
    assert isinstance(richer, Plan)
    assert [type(action) for action in richer.actions] == [Mint]


def lopsided(**around: object) -> View:
    """The range that the policy wants, and so much ether beside it that the hedge buys USDC."""
    market = a_market(positions=(LEFT_BEHIND,))
    view = a_view(market, a_record((0, 2 * MILLION)))
    return replace(view, surroundings=Surroundings(**around))


def test_a_token_of_which_all_together_have_too_much_is_not_bought() -> None:
    hedge = decided(lopsided(), max_share_in_token=Fraction(3, 5))
    assert isinstance(hedge, Plan)
    assert [type(action) for action in hedge.actions] == [Swap]
    rich = lopsided(neighbours=(a_neighbour(usdc=3 * MILLION),))
    assert isinstance(decided(rich), Plan)
    held = decided(rich, max_share_in_token=Fraction(3, 5))
    assert isinstance(held, Hold)
    assert closed(held) == ["share in token"]
    assert gate(held, "share in token").measured.endswith("in USDC")


def test_tokens_of_one_issuer_count_as_one() -> None:
    euros = replace(a_neighbour(), base="EURC", idle_base=3e6)
    limit = {"max_share_in_issuer": Fraction(3, 5)}
    apart = decided(lopsided(neighbours=(euros,), issuers={"USDC": "Circle"}), **limit)
    assert isinstance(apart, Plan)
    together = {"USDC": "Circle", "EURC": "Circle"}
    held = decided(lopsided(neighbours=(euros,), issuers=together), **limit)
    assert isinstance(held, Hold)
    assert closed(held) == ["share in issuer"]
    assert gate(held, "share in issuer").measured.endswith("in Circle")


def test_a_token_of_which_no_issuer_is_named_is_an_issuer_of_its_own() -> None:
    """The hedge buys USDC, whoever stands behind it."""
    for issuers in ({}, {"EURC": "Circle"}, {"WETH": "Nobody"}):
        held = decided(lopsided(issuers=issuers), max_share_in_issuer=Fraction(1, 100))
        assert isinstance(held, Hold)
        assert closed(held) == ["share in issuer"]
        assert gate(held, "share in issuer").measured.endswith("in USDC")
        assert isinstance(decided(lopsided(issuers=issuers), max_share_in_issuer=Fraction(1)), Plan)


def test_where_nothing_is_lent_no_lender_is_asked_about() -> None:
    plan = decided(ready(), max_share_in_lender=Fraction(1, 100))
    assert isinstance(plan, Plan)
    assert "share in lender" not in {each.name for each in plan.gates}


def lent(million: float) -> tuple[Loan, ...]:
    return (Loan(lender="Aave", token="USDC", amount=million * 1e6),)


def test_what_is_lent_of_a_token_counts_in_what_all_together_have_of_it() -> None:
    assert isinstance(decided(lopsided(), max_share_in_token=Fraction(3, 5)), Plan)
    held = decided(lopsided(loans=lent(3)), max_share_in_token=Fraction(3, 5))
    assert isinstance(held, Hold)
    assert closed(held) == ["share in token"]


def test_nothing_is_placed_while_too_much_of_everything_is_with_a_lender() -> None:
    """Half of all; no plan can change that, so that a share which only stays is too much too."""
    view = replace(ready(), surroundings=Surroundings(loans=lent(2)))
    assert isinstance(decided(view, max_share_in_lender=Fraction(51, 100)), Plan)
    held = decided(view, max_share_in_lender=Fraction(49, 100))
    assert isinstance(held, Hold)
    assert closed(held) == ["share in lender"]
    assert gate(held, "share in lender").measured.endswith("in Aave")


def test_too_much_with_a_lender_stops_nobody_from_leaving() -> None:
    view = a_view(a_market(tick=1_005, positions=(LEFT_BEHIND,)), a_record((0, 0)))
    view = replace(view, surroundings=Surroundings(loans=lent(10**6)))
    leaving = {"leave_below_fee_to_lvr": Fraction(1_000), "max_share_in_lender": Fraction(1, 10)}
    assert isinstance(decided(view, **leaving), Plan)


def test_what_is_too_much_already_may_be_moved_and_taken_out() -> None:
    """The range is left behind: all of it stays in its pool, and the tokens are the same."""
    view = a_view(a_market(tick=1_005, positions=(LEFT_BEHIND,)), a_record((0, 0)))
    assert isinstance(decided(view), Plan)
    capped = decided(view, max_share_in_pool=Fraction(1, 10))
    assert isinstance(capped, Plan)
    assert gate(capped, "share in pool").passed


@pytest.mark.parametrize(
    ("around", "says"),
    [
        ({"unseen": ("other",)}, "nothing is known yet of other"),
        ({"neighbours": (a_neighbour(age=3_601),)}, "older than 1 h: stable 1 h 1 s"),
        ({"neighbours": (a_neighbour(age=-3_601),)}, "older than 1 h: stable 1 h 1 s"),
        (
            {"neighbours": (replace(a_neighbour(usdc=1), base="DAI", quote="EURC"),)},
            "no pools of these campaigns lead from EURC to USDC",
        ),
        (
            {"neighbours": (replace(a_neighbour(), base_address="0xbad", quote_address="0xbad"),)},
            "two tokens of chain 31337 call themselves USDC",
        ),
    ],
)
def test_what_is_not_known_of_others_closes_the_gate_or_leaves_it_out(
    around: dict[str, object], says: str
) -> None:
    view = replace(ready(), surroundings=Surroundings(**around))
    held = decided(view, max_share_in_pool=Fraction(1))
    assert isinstance(held, Hold)
    assert says in gate(held, "share in pool").reason
    ignored = decided(view, max_share_in_pool=Fraction(1), where_missing=WhereMissing.IGNORE)
    assert isinstance(ignored, Plan)
    assert says in gate(ignored, "share in pool").measured


def test_a_neighbour_that_is_not_known_stops_nobody_from_leaving() -> None:
    view = a_view(a_market(tick=1_005, positions=(LEFT_BEHIND,)), a_record((0, 0)))
    leaving = {"leave_below_fee_to_lvr": Fraction(1_000), "max_share_in_pool": Fraction(1, 10)}
    plan = decided(among(view, unseen=("other",)), **leaving)
    assert isinstance(plan, Plan)
    assert [type(action) for action in plan.actions] == [Withdraw]


def test_the_desk_tells_the_largest_shares_of_all_together() -> None:
    view = among(ready(), a_neighbour(usdc=MILLION), issuers={"USDC": "Circle"}, loans=lent(1))
    found = {each.name: each for each in shared_measures(view, Appetite())}
    assert found["share in one token"].value == pytest.approx(3 / 4)
    assert found["share in one token"].meaning.endswith(": USDC")
    assert found["share in one pool"].value == 0
    assert found["share in one issuer"].value == pytest.approx(3 / 4)
    assert found["share in one lender"].value == pytest.approx(1 / 4)
    assert found["share in one lender"].meaning.endswith(": Aave")
    unknown = shared_measures(among(view, unseen=("other",)), Appetite())
    assert all(isinstance(each.value, Missing) for each in unknown)


# ---- pegs ----


def holding_ether(**around: object) -> View:
    """A range of USDC and WETH around the price, as the policy wants it."""
    market = a_market(positions=(LEFT_BEHIND,))
    surroundings = Surroundings(pegs=(PEG,), **around)
    return replace(a_view(market, a_record((0, 0))), surroundings=surroundings)


FAILS, HOLDS = ({"USDC": failing} for failing in (True, False))


def test_a_depeg_that_another_campaign_sees_takes_this_one_out() -> None:
    seen = holding_ether(neighbours=(a_neighbour(pegs=FAILS),))
    assert isinstance(decided(seen), Hold)
    plan = decided(seen, leave_on_depeg=True)
    assert isinstance(plan, Plan)
    assert [type(action) for action in plan.actions] == [Withdraw]
    assert plan.reason == (
        "take everything out; stay out: USDC is off its peg to USDT, says stable"
    )


def test_a_peg_that_holds_changes_nothing() -> None:
    held = decided(holding_ether(neighbours=(a_neighbour(pegs=HOLDS),)), leave_on_depeg=True)
    assert isinstance(held, Hold)
    assert closed(held) == []


def test_one_campaign_that_sees_it_fail_is_believed_before_others() -> None:
    calm, alarmed = a_neighbour("calm", pegs=HOLDS), a_neighbour("alarmed", pegs=FAILS)
    assert isinstance(decided(holding_ether(neighbours=(calm, alarmed)), leave_on_depeg=True), Plan)


def test_nothing_is_placed_and_no_token_is_swapped_while_a_peg_fails() -> None:
    """Without a range there is nothing to leave, and the hedge would buy what fails."""
    view = a_view(record=a_record((0, 2 * MILLION)))
    assert isinstance(decided(view), Plan)
    around = Surroundings(pegs=(PEG,), neighbours=(a_neighbour(pegs=FAILS),))
    held = decided(replace(view, surroundings=around), leave_on_depeg=True)
    assert isinstance(held, Hold)
    assert closed(held) == ["peg of USDC"]
    assert gate(held, "peg of USDC").measured == "off by stable"


@pytest.mark.parametrize(
    ("around", "says"),
    [
        ({}, "no campaign tells it that was seen in the last 3600 s"),
        ({"unseen": ("stable",)}, "nothing is known yet of stable"),
        ({"neighbours": (a_neighbour(age=3_601, pegs=HOLDS),)}, "seen in the last 3600 s"),
    ],
)
def test_a_peg_that_nobody_tells_stops_what_is_new_and_takes_nothing_out(
    around: dict[str, object], says: str
) -> None:
    assert isinstance(decided(holding_ether(**around), leave_on_depeg=True), Hold)
    view = replace(ready(), surroundings=Surroundings(pegs=(PEG,), **around))
    held = decided(view, leave_on_depeg=True)
    assert isinstance(held, Hold)
    assert closed(held) == ["peg of USDC"]
    assert says in gate(held, "peg of USDC").reason
    assert isinstance(decided(view, leave_on_depeg=True, where_missing=WhereMissing.IGNORE), Plan)


def test_an_old_alarm_is_no_alarm_any_more_and_no_all_clear() -> None:
    old = holding_ether(neighbours=(a_neighbour(age=3_601, pegs=FAILS),))
    assert isinstance(decided(old, leave_on_depeg=True), Hold)
    assert isinstance(decided(old, leave_on_depeg=True, max_neighbour_age_s=4_000), Plan)


def test_a_campaign_whose_tokens_have_no_peg_cannot_leave_on_one() -> None:
    held = decided(ready(), leave_on_depeg=True)
    assert isinstance(held, Hold)
    assert "neither token of USDC/WETH 0.05% has one" in gate(held, "peg").reason


def stable_pool(ticks: Mapping[int, int]) -> View:
    """A range of USDC and USDT, in a pool traded to these ticks at these of 100 blocks."""
    pool = a_pool(USDC, USDT, 0xF1)
    traded = after(
        [a_swap(block, tick=tick) for block, tick in ticks.items()],
        last_block=100,
        tick=list(ticks.values())[-1],
    )
    market = a_market(pool=pool, tick=traded.state.tick, positions=(LEFT_BEHIND,))
    market = replace(market, block=traded.block, read_at=traded.read_at, flow=traded.flow)
    market = replace(market, read_at=market.block.timestamp)
    view = a_view(market, a_record((0, 0), pool=pool))
    return replace(view, surroundings=Surroundings(pegs=(PEG,)))


def test_the_pool_of_the_peg_sees_it_itself() -> None:
    plan = decided(stable_pool({40: -200}), leave_on_depeg=True)
    assert isinstance(plan, Plan)
    assert "USDC is off its peg to USDT by -1.98%, says this pool" in plan.reason
    assert isinstance(decided(stable_pool({40: -50}), leave_on_depeg=True), Hold)
    assert isinstance(decided(stable_pool({40: -50, 80: -200}), leave_on_depeg=True), Hold)


def test_the_desk_tells_each_peg_and_who_saw_it() -> None:
    (own,) = peg_measures(stable_pool({40: -200}), Appetite())
    assert own.value == pytest.approx(-0.0198, abs=1e-4)
    assert own.meaning.endswith("now it fails")
    (told,) = peg_measures(holding_ether(neighbours=(a_neighbour(pegs=HOLDS),)), Appetite())
    assert told.value == "holds"
    assert told.meaning.endswith("seen by stable")
    (unknown,) = peg_measures(holding_ether(), Appetite())
    assert isinstance(unknown.value, Missing)
    assert WETH.symbol not in unknown.name


def test_a_swap_is_never_planned_into_a_failing_token_by_a_re_range() -> None:
    view = a_view(a_market(tick=1_005, positions=(LEFT_BEHIND,)), a_record((0, 0)))
    usual = decided(view)
    assert isinstance(usual, Plan)
    assert any(isinstance(action, Swap) for action in usual.actions)
    around = Surroundings(pegs=(PEG,), neighbours=(a_neighbour(pegs=FAILS),))
    plan = decided(replace(view, surroundings=around), leave_on_depeg=True)
    assert isinstance(plan, Plan)
    assert [type(action) for action in plan.actions] == [Withdraw]


# ---- what leaving a failing token asks ----


def leaving(view: View, limits: Limits | None = None) -> Decision:
    appetite = Appetite(leave_on_depeg=True)
    return decide("mine", view, FIXED, replace(limits or a_limits(), appetite=appetite))


def at_tick(tick: int) -> Twap:
    return Twap(window_s=600, tick_cumulative_then=0, tick_cumulative_now=600 * tick)


THERE = at_tick(-200)


def depegged(
    *,
    liquidity: int = 10**13,
    twap: Twap | None = THERE,
    native: int = 10**18,
    **record: int,
) -> View:
    """USDC has been 2 % below its peg for longer than that takes."""
    seen = stable_pool({40: -200})
    position = replace(LEFT_BEHIND, liquidity=Liquidity(liquidity))
    there, pool = seen.snapshot, seen.snapshot.pool
    market = a_market(pool=pool, tick=-200, positions=(position,), native=native)
    market = replace(market, block=there.block, read_at=there.read_at, flow=there.flow, twap=twap)
    view = a_view(market, a_record((0, 0), pool=pool, **record))
    return replace(view, surroundings=seen.surroundings)


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(depegged(last_move_at=100 * BLOCK_TIME_S - 60), id="interval"),
        pytest.param(depegged(moves=6), id="moves per day"),
        pytest.param(depegged(swap_cost=10**18 + 1), id="swap cost per day"),
        pytest.param(depegged(twap=at_tick(0)), id="TWAP far behind"),
        pytest.param(depegged(twap=None), id="no TWAP"),
        pytest.param(replace(depegged(), outlook=NO_OUTLOOK), id="no history of fees"),
        pytest.param(depegged(liquidity=10**9), id="leaving cost"),
    ],
)
def test_nothing_that_only_saves_money_keeps_a_campaign_with_a_token_that_fails(view: View) -> None:
    plan = leaving(view)
    assert isinstance(plan, Plan)
    (withdraw,) = plan.actions
    assert isinstance(withdraw, Withdraw)
    assert not withdraw.minimum.is_zero
    assert [each.name for each in plan.gates] == [
        "head age",
        "price of gas",
        "gas per day",
        "gas money",
    ]


def test_leaving_for_too_little_pay_waits_like_every_move() -> None:
    view = replace(
        depegged(last_move_at=100 * BLOCK_TIME_S - 60),
        surroundings=Surroundings(),
    )
    held = decided(view, leave_below_fee_to_lvr=Fraction(10**6))
    assert isinstance(held, Hold)
    assert closed(held) == ["interval"]


def without_a_price_of_gas(view: View) -> View:
    return replace(view, snapshot=replace(view.snapshot, native_price=None))


def with_an_old_head(view: View) -> View:
    return replace(view, snapshot=replace(view.snapshot, read_at=view.snapshot.read_at + 61))


@pytest.mark.parametrize(
    ("view", "stopped_by"),
    [
        (with_an_old_head(depegged()), "head age"),
        (without_a_price_of_gas(depegged()), "price of gas"),
        (depegged(gas=10**17), "gas per day"),
        (depegged(native=0), "gas money"),
    ],
)
def test_leaving_a_failing_token_needs_a_young_head_and_gas(view: View, stopped_by: str) -> None:
    held = leaving(view)
    assert isinstance(held, Hold)
    assert closed(held) == [stopped_by]
    assert held.reason.endswith(
        f"USDC is off its peg to USDT by -1.98%, says this pool: stopped by {stopped_by}"
    )


def test_a_vault_lets_its_operator_leave_near_the_mean_price_and_its_owner_always() -> None:
    """By its bounds, the price may be 200 ticks from the mean."""
    assert isinstance(leaving(in_a_vault(depegged(twap=at_tick(0)))), Plan)
    held = leaving(in_a_vault(depegged(twap=at_tick(10))))
    assert isinstance(held, Hold)
    assert closed(held) == ["vault price"]
    assert held.reason.endswith("its owner can take everything out: `lpm vault exit mine --live`")
