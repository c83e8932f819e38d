"""Fee growth, uncollected fees, and one swap worked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lpmanager.amm import (
    TickDataMissing,
    burn_minimums_down,
    fee_growth_inside,
    liquidity_for_amounts_down,
    mint_minimums_down,
    principal_down,
    sqrt_price_at_tick,
    swap,
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


def a_pool(known: TickRange) -> PoolState:
    """One position of 10**18 liquidity in RANGE, at price 1."""
    return PoolState(
        sqrt_price_x96=Q96,
        tick=0,
        liquidity=Liquidity(10**18),
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        fee_protocol=0,
        ticks=(TickState(tick=-600, liquidity_gross=10**18, liquidity_net=10**18),),
        known=known,
    )


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
    result = swap(
        a_pool(RANGE), fee_pips=10_000, tick_spacing=60, zero_for_one=False,
        amount_specified=10**16,
    )  # fmt: skip
    # 1 % of 10**16 is fee; the rest over 10**18 of liquidity moves sqrtP up by 0.0099
    assert result.amount1 == 10**16
    assert result.state.sqrt_price_x96 == Q96 + 99 * 10**14 * Q96 // 10**18
    assert -result.amount0 == 99 * 10**14 * 10_000 // 10_099
    assert result.state.fee_growth_global1_x128 == 10**14 * Q128 // 10**18
    assert result.crossed == ()


def test_crossing_an_edge_takes_its_liquidity_out() -> None:
    result = swap(
        a_pool(TickRange(-6000, 600)), fee_pips=500, tick_spacing=60, zero_for_one=True,
        amount_specified=10**18, sqrt_price_limit_x96=sqrt_price_at_tick(-660),
    )  # fmt: skip
    assert result.crossed == (-600,)
    assert (result.state.liquidity, result.state.tick) == (0, -660)


def test_a_swap_that_leaves_the_known_ticks_raises_instead_of_guessing() -> None:
    with pytest.raises(TickDataMissing, match="tick 120, but ticks are known only in"):
        swap(
            a_pool(TickRange(-600, 120)), fee_pips=500, tick_spacing=60, zero_for_one=False,
            amount_specified=10**18,
        )  # fmt: skip


def test_a_swap_that_stays_in_the_known_ticks_does_not_mind_the_rest() -> None:
    narrow, wide = (
        swap(
            a_pool(TickRange(-600, upper)), fee_pips=500, tick_spacing=60, zero_for_one=False,
            amount_specified=10**15,
        )
        for upper in (120, 6000)
    )  # fmt: skip
    assert (narrow.amount0, narrow.state.tick) == (wide.amount0, wide.state.tick)


def test_broken_tick_data_is_noticed_when_liquidity_would_turn_negative() -> None:
    pool = replace(a_pool(TickRange(-6000, 600)), liquidity=Liquidity(10**17))
    with pytest.raises(ValueError, match="bad tick data"):
        swap(pool, fee_pips=500, tick_spacing=60, zero_for_one=True, amount_specified=10**18)


@pytest.mark.parametrize(("zero_for_one", "limit"), [(True, Q96 + 1), (False, Q96), (True, 1)])
def test_a_price_limit_behind_the_price_is_refused(zero_for_one: bool, limit: int) -> None:
    with pytest.raises(ValueError, match="price limit must be"):
        swap(
            a_pool(RANGE), fee_pips=500, tick_spacing=60, zero_for_one=zero_for_one,
            amount_specified=1, sqrt_price_limit_x96=SqrtPriceX96(limit),
        )  # fmt: skip


def test_a_swap_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an amount"):
        swap(a_pool(RANGE), fee_pips=500, tick_spacing=60, zero_for_one=True, amount_specified=0)


def test_a_range_narrower_than_the_slippage_has_no_minimum_of_either_token() -> None:
    narrow = TickRange(-10, 10)
    assert mint_minimums_down(Q96, narrow, 10**18, 10**18, 50) == (0, 0)
    assert burn_minimums_down(Q96, narrow, Liquidity(10**18), 50) == (0, 0)


def test_without_slippage_a_burn_must_bring_its_whole_principal() -> None:
    position = a_position()
    assert burn_minimums_down(Q96, RANGE, position.liquidity, 0) == principal_down(position, Q96)
