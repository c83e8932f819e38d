"""Wherever the price is, up to both ends of the ticks, there is a decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from builders import (
    USDC,
    WETH,
    a_limits,
    a_market,
    a_pool,
    a_position,
    a_record,
    a_view,
    an_outlook,
    price_at,
    with_liquidity,
)
from decisions import gate
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Decision,
    Hold,
    Mint,
    Plan,
    SqrtPriceX96,
    Target,
    TickRange,
    Token,
    Withdraw,
)
from lpmanager.model.tick import max_usable_tick, min_usable_tick
from lpmanager.rebalancer import Policy, View, decide
from lpmanager.rebalancer.policies import (
    FixedWidth,
    InventorySkew,
    Passive,
    PredictableLoss,
    VolatilityWidth,
)
from lpmanager.rebalancer.ranges import NoRoom
from lpmanager.risk.appetite import Adjustment, Appetite

APPETITES = (
    Appetite(),
    Appetite(min_stay_probability=Fraction(1, 2)),
    Appetite(regimes={"usual": Adjustment(width=Fraction(2))}, leave_below_fee_to_lvr=Fraction(2)),
)
#: The last tick that a price can be at: a pool that is drained of token1 is at the first, one that
#: is drained of token0 at this one.
LAST_TICK = MAX_TICK - 1

widths = st.sampled_from([1, 600, 5_000, 10**6])
around_the_price = st.one_of(
    st.builds(FixedWidth, half_width_ticks=widths),
    st.builds(Passive, half_width_ticks=widths, order_width_ticks=widths),
    st.builds(InventorySkew, half_width_ticks=widths),
    st.builds(
        VolatilityWidth,
        multiplier=st.sampled_from([Fraction(1, 1_000), Fraction(2)]),
        horizon_s=st.just(86_400),
        min_half_width_ticks=st.just(1),
        max_half_width_ticks=st.just(10**6),
    ),
)
policies = st.one_of(
    around_the_price,
    st.builds(
        InventorySkew,
        half_width_ticks=widths,
        one_sided=st.just(True),
        max_imbalance=st.just(Fraction(1, 4)),
    ),
    st.builds(
        PredictableLoss,
        move_cost=st.just(Fraction(1, 100)),
        min_half_width_ticks=st.sampled_from([1, 600]),
        max_half_width_ticks=st.just(2_000),
        enter_at=st.just(Fraction(1, 1_000)),
        leave_at=st.just(Fraction(1, 1_000)),
    ),
)
#: As often within a few steps of the grid from an end as anywhere.
ticks = st.one_of(
    st.integers(MIN_TICK, LAST_TICK),
    st.integers(MIN_TICK, MIN_TICK + 700),
    st.integers(LAST_TICK - 700, LAST_TICK),
    st.sampled_from([MIN_TICK, LAST_TICK]),
)
raws = st.sampled_from([0, 1, 10**6, 10**12, 10**20])


def at(
    tick: int,
    *,
    high: bool,
    spacing: int = 10,
    held: bool = False,
    quote: Token = USDC,
    liquidity: int = 10**18,
    wallet: tuple[int, int] = (10**12, 10**12),
) -> View:
    """A pool with liquidity of others up to the ends of its grid, its price at the lower or upper
    end of a tick; and a position of ours as near as can be, where one is held."""
    pool = replace(a_pool(), tick_spacing=spacing)
    lowest, highest = min_usable_tick(spacing), max_usable_tick(spacing)
    middle = min(max(tick // spacing * spacing, lowest + spacing), highest - spacing)
    ours = a_position(f"[{middle - spacing}, {middle + spacing})", token_id=7)
    market = a_market(
        tick=tick, pool=pool, quote=quote, positions=(ours,) if held else (), others=0
    )
    price = SqrtPriceX96(price_at(tick + 1) - 1) if high else price_at(tick)
    theirs = a_position(f"[{lowest}, {highest})", liquidity=liquidity)
    state = with_liquidity(replace(market.state, sqrt_price_x96=price), (theirs,))
    return a_view(replace(market, state=state), a_record(wallet, pool=pool), an_outlook())


@st.composite
def views(draw: st.DrawFn) -> View:
    return at(
        draw(ticks),
        high=draw(st.booleans()),
        spacing=draw(st.sampled_from([1, 10, 60, 200])),
        held=draw(st.booleans()),
        quote=draw(st.sampled_from([USDC, WETH])),
        liquidity=draw(st.sampled_from([1, 10**12, 10**18])),
        wallet=draw(st.tuples(raws, raws)),
    )


def decided(view: View, policy: Policy, appetite: Appetite = APPETITES[0]) -> Decision:
    limits = a_limits(max_pool_share=Fraction(1), max_step_ticks=10**7, appetite=appetite)
    return decide("mine", view, policy, limits)


FIXED = FixedWidth(half_width_ticks=600)


@settings(max_examples=600)
@given(view=views(), policy=policies, appetite=st.sampled_from(APPETITES))
@example(
    view=at(MIN_TICK, high=False, spacing=1, wallet=(10**12, 0)),
    policy=FIXED,
    appetite=APPETITES[0],
)
def test_wherever_the_price_is_it_is_decided(
    view: View, policy: Policy, appetite: Appetite
) -> None:
    decision = decided(view, policy, appetite)
    event(type(decision).__name__)
    assert decision.reason
    spacing = view.snapshot.pool.tick_spacing
    if isinstance(decision, Plan):
        for mint in (action for action in decision.actions if isinstance(action, Mint)):
            mint.range.require_spacing(spacing)
            assert min_usable_tick(spacing) <= mint.range.lower
            assert mint.range.upper <= max_usable_tick(spacing)


@given(
    tick=st.sampled_from([MIN_TICK, LAST_TICK]),
    high=st.booleans(),
    wallet=st.sampled_from([(10**12, 0), (0, 10**12), (10**12, 10**12)]),
    policy=around_the_price,
)
def test_beyond_the_ends_of_the_grid_nothing_is_placed_and_that_is_said(
    tick: int, high: bool, wallet: tuple[int, int], policy: Policy
) -> None:
    decision = decided(at(tick, high=high, wallet=wallet), policy)
    assert isinstance(decision, Hold)
    room = gate(decision, "room")
    assert room.measured == f"tick {tick}"
    assert decision.reason == room.reason
    assert f"has no place at tick {tick}: the price is at an end of the ticks" in room.reason


@pytest.mark.parametrize("spacing", [1, 10, 60, 200])
@pytest.mark.parametrize("heavy0", [True, False])
def test_an_order_beside_the_price_stays_on_the_grid_and_is_never_empty(
    spacing: int, heavy0: bool
) -> None:
    """Nor is it placed elsewhere where it has no room: two steps above the price's own, or one
    below it."""
    end = max_usable_tick(spacing) if heavy0 else min_usable_tick(spacing)
    last = end - 2 * spacing - 1 if heavy0 else end + 2 * spacing
    wallet = (10**12, 0) if heavy0 else (0, 10**12)
    policy = Passive(half_width_ticks=600, order_width_ticks=600)

    def order(tick: int) -> TickRange:
        *_, found = policy.target(at(tick, high=False, spacing=spacing, wallet=wallet)).ranges
        return found.range

    assert order(last) == (
        TickRange(end - spacing, end) if heavy0 else TickRange(end, end + spacing)
    )
    with pytest.raises(NoRoom):
        order(last + 1 if heavy0 else last - 1)


def test_more_than_a_range_can_take_is_a_hold_too() -> None:
    """Token1 at a price of next to none of it."""
    view = at(-655_384, high=False, spacing=1, wallet=(10**12, 10**21))
    decision = decided(view, Passive(half_width_ticks=1, order_width_ticks=1))
    assert isinstance(decision, Hold)
    assert gate(decision, "liquidity").measured == "beyond uint128"
    assert "does not fit uint128" in decision.reason


@dataclass(frozen=True)
class Nothing:
    """A policy that wants no ranges."""

    def target(self, _view: View) -> Target:
        return Target(ranges=(), swap=False, reason="stay out")


@pytest.mark.parametrize(("tick", "quote"), [(MIN_TICK, USDC), (LAST_TICK, WETH)])
def test_a_pool_that_is_drained_to_its_end_can_be_left(tick: int, quote: Token) -> None:
    decision = decided(at(tick, high=False, held=True, quote=quote), Nothing())
    assert isinstance(decision, Plan), decision
    assert [type(action) for action in decision.actions] == [Withdraw]
