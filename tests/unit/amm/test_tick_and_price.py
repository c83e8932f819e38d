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
from lpmanager.amm.tick_math import FACTORS_X128
from lpmanager.model import MAX_TICK, MIN_TICK, Liquidity, SqrtPriceX96

Q96 = SqrtPriceX96(2**96)

#: The factors of a tick's bits, lowest first, as v4-core's TickMath (MIT) writes them out.
CONTRACT_FACTORS = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)


def test_the_factors_of_a_ticks_bits_are_the_contracts_literals() -> None:
    assert FACTORS_X128 == CONTRACT_FACTORS


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
