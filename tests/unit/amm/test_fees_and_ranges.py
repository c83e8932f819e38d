"""Fee growth, uncollected fees, and swaps worked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lpmanager.amm import (
    Pool,
    PoolRevert,
    TickDataMissing,
    burn_minimums_down,
    fee_growth_inside,
    liquidity_for_amounts_down,
    principal_down,
    sqrt_price_at_tick,
    uncollected_fees,
)
from lpmanager.model import Liquidity, PoolState, Position, SqrtPriceX96, TickRange, TickState

Q96 = SqrtPriceX96(2**96)
Q128 = 2**128
RANGE = TickRange(-600, 600)


def a_position(**changes: int) -> Position:
    nothing = Position(
        token_id=1,
        range=RANGE,
        liquidity=Liquidity(10**18),
        fee_growth_inside0_x128=0,
        fee_growth_inside1_x128=0,
        fee_growth_inside0_last_x128=0,
        fee_growth_inside1_last_x128=0,
        tokens_owed0=0,
        tokens_owed1=0,
    )
    return replace(nothing, **changes)  # type: ignore[arg-type]


def a_state(known: TickRange) -> PoolState:
    """One position of 10**18 liquidity in RANGE, at price 1."""
    edges = ((-600, 10**18), (600, -(10**18)))
    return PoolState(
        sqrt_price_x96=Q96,
        tick=0,
        liquidity=Liquidity(10**18),
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        fee_protocol=0,
        ticks=tuple(
            TickState(tick=tick, liquidity_gross=10**18, liquidity_net=net)
            for tick, net in edges
            if tick in known
        ),
        known=known,
    )


def a_pool(known: TickRange, fee_pips: int = 500) -> Pool:
    return Pool.from_state(a_state(known), fee_pips, 60)


@pytest.mark.parametrize(
    ("tick", "inside"), [(-601, 70 - 20), (-600, 100 - 70 - 20), (599, 10), (600, 20 - 70)]
)
def test_growth_inside_is_global_less_what_grew_beyond_each_edge(tick: int, inside: int) -> None:
    growth = fee_growth_inside(
        tick_range=RANGE,
        tick=tick,
        global_x128=100,
        lower_outside_x128=70,
        upper_outside_x128=20,
    )
    assert growth == inside % 2**256


def test_uncollected_fees_are_what_was_owed_and_what_grew_since() -> None:
    position = a_position(
        fee_growth_inside0_x128=3 * Q128 + Q128 // 2,
        fee_growth_inside0_last_x128=3 * Q128,
        tokens_owed0=7,
        tokens_owed1=9,
    )
    assert uncollected_fees(position) == (7 + 10**18 // 2, 9)


def test_growth_that_wrapped_around_still_counts_from_the_last_one() -> None:
    position = a_position(
        fee_growth_inside1_x128=2 * Q128, fee_growth_inside1_last_x128=2**256 - Q128
    )
    assert uncollected_fees(position) == (0, 3 * 10**18)


def test_fees_are_cut_to_128_bits_as_the_position_manager_does() -> None:
    assert uncollected_fees(a_position(tokens_owed0=Q128 - 1, fee_growth_inside0_x128=Q128)) == (
        10**18 - 1,
        0,
    )


def test_principal_is_all_token0_below_the_range_and_all_token1_above() -> None:
    below, above = sqrt_price_at_tick(-700), sqrt_price_at_tick(700)
    assert principal_down(a_position(), below)[1] == 0 < principal_down(a_position(), below)[0]
    assert principal_down(a_position(), above)[0] == 0 < principal_down(a_position(), above)[1]


def test_offered_tokens_beyond_uint128_liquidity_are_refused() -> None:
    with pytest.raises(ValueError, match="uint128"):
        liquidity_for_amounts_down(Q96, RANGE, 10**38, 1)


def test_a_swap_inside_one_range_moves_the_price_by_its_net_input() -> None:
    pool = a_pool(RANGE, fee_pips=10_000)
    result = pool.swap(False, 10**16)
    # 1 % of 10**16 is fee; the rest over 10**18 of liquidity moves sqrtP up by 0.0099
    assert result.amount1 == 10**16
    assert pool.sqrt_price_x96 == result.sqrt_price_x96 == Q96 + 99 * 10**14 * Q96 // 10**18
    assert -result.amount0 == 99 * 10**14 * 10_000 // 10_099
    assert pool.fee_growth_global1_x128 == 10**14 * Q128 // 10**18
    assert [step.crossed for step in result.steps] == [None]


def test_crossing_an_edge_takes_its_liquidity_out() -> None:
    pool = a_pool(TickRange(-6000, 600))
    result = pool.swap(True, 10**18, sqrt_price_at_tick(-660))
    assert [step.crossed for step in result.steps if step.crossed is not None] == [-600]
    assert (result.liquidity, result.tick) == (pool.liquidity, pool.tick) == (0, -660)


def test_a_swap_that_leaves_the_known_ticks_raises_instead_of_guessing() -> None:
    pool = a_pool(TickRange(-600, 120))
    with pytest.raises(TickDataMissing, match="tick 120 is needed, but ticks are known only in"):
        pool.swap(False, 10**18)


def test_a_swap_that_stays_in_the_known_ticks_does_not_mind_the_rest() -> None:
    narrow, wide = (a_pool(TickRange(-600, upper)).swap(False, 10**15) for upper in (120, 6000))
    assert narrow == wide


def test_broken_tick_data_is_noticed_when_liquidity_would_turn_negative() -> None:
    broken = replace(a_state(TickRange(-6000, 6000)), liquidity=Liquidity(10**17))
    pool = Pool.from_state(broken, 500, 60)
    with pytest.raises(PoolRevert, match="LS"):
        pool.swap(True, 10**18)
    assert pool.state() == broken


def test_without_slippage_a_burn_must_bring_its_whole_principal() -> None:
    position = a_position()
    assert burn_minimums_down(Q96, RANGE, position.liquidity, 0) == principal_down(position, Q96)
