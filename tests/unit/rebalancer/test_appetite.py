"""The appetite for risk: each limit on an estimate changes what is decided."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import (
    BLOCK_TIME_S,
    a_limits,
    a_market,
    a_position,
    a_record,
    a_view,
    an_outlook,
)
from decisions import closed, gate
from order_flow_builders import a_flow, a_swap

from lpmanager.model import Decision, Hold, Liquidity, Mint, Plan, SwapEvent, Withdraw
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.policies import FixedWidth, Passive
from lpmanager.rebalancer.risk_gates import pay_of
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
    assert not {"fees over LVR", "toxic flow", "jump", "crash", "regime"} & {
        g.name for g in plan.gates
    }


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


def test_a_flow_that_comes_and_goes_is_not_toxic() -> None:
    calm = moves(1_005 + (n % 2) for n in range(59, -1, -1))
    assert isinstance(decided(left_behind(calm), max_toxic_share=Fraction(1, 2)), Plan)


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
    "jump": {"pause_after_jump_s": 1_800},
    "regime": {"regimes": {Regime.CALM: Adjustment()}},
}


@pytest.mark.parametrize("name", ASKED)
def test_a_limit_on_what_cannot_be_estimated_is_broken(name: str) -> None:
    held = decided(left_behind(), **ASKED[name])
    assert isinstance(held, Hold)
    assert closed(held) == [name]
    assert gate(held, name).measured == "unknown"
    assert "need" in gate(held, name).reason


@pytest.mark.parametrize("name", ASKED)
def test_or_is_left_out_where_that_is_configured(name: str) -> None:
    plan = decided(left_behind(), where_missing=WhereMissing.IGNORE, **ASKED[name])
    assert isinstance(plan, Plan)
    assert name not in {g.name for g in plan.gates}


def test_a_pool_without_active_liquidity_pays_nothing_that_is_known() -> None:
    view = left_behind()
    empty = replace(view.snapshot, state=replace(view.snapshot.state, liquidity=Liquidity(0)))
    pay = pay_of(replace(view, snapshot=empty), an_outlook())
    assert isinstance(pay, Missing)
    assert "active liquidity, found 0" in pay.reason
