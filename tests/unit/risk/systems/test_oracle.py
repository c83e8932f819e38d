"""What it costs to move a mean price, and how far back an oracle sees."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lpmanager.risk.missing import Missing
from lpmanager.risk.systems.liquidity_bands import LiquidityBand
from lpmanager.risk.systems.oracle import Attack, TwapCost, cost_to_move_twap, oracle_reach_s

EVERYWHERE = (LiquidityBand(lower=-80.0, upper=80.0, liquidity=1_000.0),)
#: 1 % in a mean of half an hour, by one block of 12 seconds: a price e^1.49 times as high.
ATTACK = Attack(shift=0.01, window_s=1_800, held_s=12, block_s=12)


def cost(attack: Attack = ATTACK, fee: float = 0.0, log_price: float = 0.0) -> TwapCost:
    found = cost_to_move_twap(EVERYWHERE, log_price, fee, attack)
    assert isinstance(found, TwapCost)
    return found


def test_a_block_must_carry_the_shift_of_the_whole_window() -> None:
    assert cost().displaced_ticks == pytest.approx(150 * math.log(1.01) / math.log(1.0001))
    root = 1.01**75
    assert cost().capital == pytest.approx(1_000 * (root - 1))
    assert cost().loss == pytest.approx(1_000 * (root - 1) ** 2 / root)


def test_a_fall_costs_what_the_same_rise_of_the_other_token_does() -> None:
    down = replace(ATTACK, shift=1 / 1.01 - 1)
    assert cost(down).capital == pytest.approx(cost().capital)
    assert cost(down).loss == pytest.approx(cost().loss)
    assert cost(down).displaced_ticks == pytest.approx(-cost().displaced_ticks)


def test_the_fee_is_lost_with_the_rest() -> None:
    assert cost(fee=0.003).capital == pytest.approx(cost().capital / 0.997)
    assert cost(fee=0.003).loss - cost().loss == pytest.approx(cost().capital * (1 / 0.997 - 1))


def test_to_hold_it_longer_takes_less_and_is_paid_for_in_each_block() -> None:
    two = replace(ATTACK, held_s=24)
    root = 1.01 ** (75 / 2)
    assert cost(two).capital == pytest.approx(1_000 * (root - 1))
    assert cost(two).loss == pytest.approx(2 * 1_000 * (root - 1) ** 2 / root)


def test_costs_are_in_token1_at_the_price_before() -> None:
    assert cost(log_price=2.0).loss == pytest.approx(cost().loss * math.e)
    down = replace(ATTACK, shift=1 / 1.01 - 1)
    assert cost(down, log_price=2.0).loss == pytest.approx(cost().loss * math.e)


def test_where_no_price_is_far_enough_no_capital_is_either() -> None:
    far = cost(replace(ATTACK, shift=1.0))
    assert far.capital == far.loss == math.inf


def test_beyond_the_known_liquidity_the_cost_is_missing() -> None:
    near = (LiquidityBand(lower=-1.0, upper=1.0, liquidity=1_000.0),)
    assert isinstance(cost_to_move_twap(near, 0.0, 0.0, ATTACK), Missing)


def test_a_pool_without_liquidity_costs_nothing_to_move() -> None:
    empty = (LiquidityBand(lower=-80.0, upper=80.0, liquidity=0.0),)
    found = cost_to_move_twap(empty, 0.0, 0.003, ATTACK)
    assert isinstance(found, TwapCost)
    assert found.loss == found.capital == 0


@pytest.mark.parametrize(
    "wrong",
    [{"shift": 0.0}, {"shift": -1.0}, {"shift": math.nan}, {"held_s": 2_000}, {"held_s": 5}],
)
def test_an_attack_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="found"):
        replace(ATTACK, **wrong)


def test_a_fee_that_takes_all_is_refused() -> None:
    with pytest.raises(ValueError, match="fee"):
        cost(fee=1.0)


def test_an_oracle_sees_back_one_stretch_fewer_than_it_has_observations() -> None:
    assert oracle_reach_s(1, 12.0) == 0
    assert oracle_reach_s(151, 12.0) == 1_800


@pytest.mark.parametrize(("cardinality", "between"), [(0, 12.0), (5, 0.0), (5, math.nan)])
def test_an_oracle_that_cannot_be_is_refused(cardinality: int, between: float) -> None:
    with pytest.raises(ValueError, match="found"):
        oracle_reach_s(cardinality, between)
