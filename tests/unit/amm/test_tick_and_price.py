"""Anchors of the tick and price maths, from the contracts' own literals and by hand."""

from __future__ import annotations

import pytest

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    amount0_delta_down,
    amount0_delta_up,
    amount1_delta_down,
    amount1_delta_up,
    div_up,
    mul_div_down,
    mul_div_up,
    next_sqrt_price_from_input,
    next_sqrt_price_from_output,
    sqrt_price_at_tick,
    tick_at_sqrt_price,
)
from lpmanager.model import MAX_TICK, MIN_TICK, Liquidity, SqrtPriceX96

Q96 = SqrtPriceX96(2**96)


def test_prices_at_the_end_ticks_and_at_zero_are_the_contracts() -> None:
    assert sqrt_price_at_tick(MIN_TICK) == MIN_SQRT_PRICE == 4295128739
    assert sqrt_price_at_tick(0) == 2**96
    assert (
        sqrt_price_at_tick(MAX_TICK)
        == MAX_SQRT_PRICE
        == 1461446703485210103287273052203988822378723970342
    )


@pytest.mark.parametrize(
    ("tick", "price"),
    [
        (1, 79232123823359799118286999568),
        (-1, 79224201403219477170569942574),
        (50_000, 965075977353221155028623082916),
        (-50_000, 6504256538020985011912221507),
        (738_203, 847134979253254120489401328389043031315994541),
    ],
)
def test_single_ticks_have_their_published_price(tick: int, price: int) -> None:
    assert sqrt_price_at_tick(tick) == price


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_a_tick_beyond_the_last_has_no_price(tick: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        sqrt_price_at_tick(tick)


@pytest.mark.parametrize("price", [MIN_SQRT_PRICE - 1, MAX_SQRT_PRICE])
def test_a_price_that_no_pool_can_have_has_no_tick(price: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        tick_at_sqrt_price(SqrtPriceX96(price))


def test_one_unit_below_a_ticks_price_belongs_to_the_tick_below() -> None:
    for tick in (-256, -1, 0, 1, 255, MAX_TICK - 1):
        price = sqrt_price_at_tick(tick)
        assert tick_at_sqrt_price(price) == tick
        assert tick_at_sqrt_price(SqrtPriceX96(price - 1)) == tick - 1


def test_quotients_round_the_way_their_name_says() -> None:
    assert (mul_div_down(7, 3, 2), mul_div_up(7, 3, 2), div_up(7, 2)) == (10, 11, 4)
    assert (mul_div_down(8, 3, 2), mul_div_up(8, 3, 2), div_up(8, 2)) == (12, 12, 4)


def test_amounts_between_price_1_and_price_4_are_half_and_all_of_the_liquidity() -> None:
    one, four = Q96, SqrtPriceX96(2 * Q96)
    liquidity = Liquidity(1_001)
    # 1/sqrt(1) - 1/sqrt(4) = 1/2 and sqrt(4) - sqrt(1) = 1
    assert amount0_delta_down(one, four, liquidity) == 500
    assert amount0_delta_up(four, one, liquidity) == 501
    assert amount1_delta_down(one, four, liquidity) == 1_001
    assert amount1_delta_up(four, SqrtPriceX96(one + 1), liquidity) == 1_001


def test_input_of_as_much_as_there_is_halves_or_doubles_the_sqrt_price() -> None:
    liquidity = Liquidity(10**18)
    assert next_sqrt_price_from_input(Q96, liquidity, 10**18, True) == Q96 // 2
    assert next_sqrt_price_from_input(Q96, liquidity, 10**18, False) == Q96 * 2
    assert next_sqrt_price_from_input(Q96, liquidity, 0, True) == Q96


def test_output_of_half_the_reserve_moves_the_price_back() -> None:
    liquidity = Liquidity(10**18)
    assert next_sqrt_price_from_output(Q96, liquidity, 5 * 10**17, True) == Q96 // 2
    assert next_sqrt_price_from_output(Q96, liquidity, 5 * 10**17, False) == Q96 * 2


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_more_output_than_the_liquidity_holds_is_refused(zero_for_one: bool) -> None:
    with pytest.raises(ValueError, match="cannot pay out"):
        next_sqrt_price_from_output(Q96, Liquidity(10**18), 10**18, zero_for_one)


def test_input_beyond_256_bits_takes_the_contracts_coarser_quotient() -> None:
    price, liquidity, amount = SqrtPriceX96(3 * 2**157), Liquidity(2**127), 2**99
    reserve = liquidity << 96
    assert reserve + amount * price >= 2**256
    exact = -(-reserve * price // (reserve + amount * price))
    # 2**223 / (3 * 2**157) is 2**66 / 3, cut to a whole number before the amount is added to it
    coarse = -(-reserve // (2**66 // 3 + amount))
    assert next_sqrt_price_from_input(price, liquidity, amount, True) == coarse != exact
