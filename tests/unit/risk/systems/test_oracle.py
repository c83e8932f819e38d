"""What it costs to move a mean price, and how far back an oracle sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpmanager.amm import sqrt_price_at_tick
from lpmanager.amm.sqrt_price import amount0_delta_up, amount1_delta_up
from lpmanager.model import Liquidity
from lpmanager.model.units import LOG_TICK
from lpmanager.risk.missing import Missing
from lpmanager.risk.systems.liquidity_bands import LiquidityBand
from lpmanager.risk.systems.oracle import Attack, TwapCost, cheapest_twap_attack, oracle_reach_s

EVERYWHERE = (LiquidityBand(lower=-88.0, upper=88.0, liquidity=1_000.0),)
#: 1 % in a mean of half an hour, in which there are 150 blocks.
ATTACK = Attack(shift=0.01, window_s=1_800, block_s=12)
#: The factor of the price's root that shifts the mean, held for all of the window.
ROOT = 1.01**0.5


def cost(
    attack: Attack = ATTACK,
    fee: float = 0.0,
    log_price: float = 0.0,
    bands: Sequence[LiquidityBand] = EVERYWHERE,
) -> TwapCost:
    found = cheapest_twap_attack(bands, log_price, fee, attack)
    assert isinstance(found, TwapCost)
    return found


def by_ticks(*levels: tuple[int, int, float]) -> tuple[LiquidityBand, ...]:
    """So much liquidity from one tick to another, of each level."""
    return tuple(
        LiquidityBand(lower=lower * LOG_TICK, upper=upper * LOG_TICK, liquidity=liquidity)
        for lower, upper, liquidity in levels
    )


def cost_of_holding(
    seconds: float, bands: Sequence[LiquidityBand], attack: Attack, fee: float
) -> float:
    """By the amounts of a swap from a price of 1, band by band: token1 paid in to raise the price,
    or token0 to lower it, less what others pay to trade it back."""
    end = math.log1p(attack.shift) * attack.window_s / seconds
    lost = 0.0
    for band in bands:
        low, high = max(band.lower, min(end, 0.0)), min(band.upper, max(end, 0.0))
        if low < high:
            token1 = band.liquidity * (math.exp(high / 2) - math.exp(low / 2))
            token0 = band.liquidity * (math.exp(-low / 2) - math.exp(-high / 2))
            paid, taken = (token1, token0) if end > 0 else (token0, token1)
            lost += paid / (1 - fee) - taken
    return lost * seconds / attack.block_s


def test_where_liquidity_is_the_same_everywhere_the_price_is_held_all_the_time() -> None:
    """Further away the loss grows as the square of the distance, and the time saved as itself."""
    assert cost().held_s == 1_800
    assert cost().displaced_ticks == pytest.approx(math.log(1.01) / math.log(1.0001))
    assert cost().loss == pytest.approx(150 * 1_000 * (ROOT - 1) ** 2 / ROOT)


def test_a_window_of_one_block_leaves_no_choice() -> None:
    one = replace(ATTACK, window_s=12)
    assert cost(one).loss == pytest.approx(1_000 * (ROOT - 1) ** 2 / ROOT)


def test_where_liquidity_is_thin_further_away_it_costs_less_to_go_there_for_less_time() -> None:
    near = by_ticks((-880_000, -120, 10), (-120, 120, 1_000), (120, 880_000, 10))
    found, always = cost(bands=near), cost_of_holding(1_800, near, ATTACK, 0.0)
    assert found.held_s < 1_000
    assert found.loss < 0.6 * always
    assert found.displaced_ticks * found.held_s == pytest.approx(1_800 * cost().displaced_ticks)
    assert found.loss == pytest.approx(cost_of_holding(found.held_s, near, ATTACK, 0.0))


levels = st.lists(st.tuples(st.integers(1, 4_000), st.floats(0, 1_000)), min_size=1, max_size=8)


@given(
    up=levels, down=levels, fee=st.sampled_from([0.0, 0.0005, 0.01]), shift=st.floats(-0.05, 0.05)
)
def test_no_time_to_hold_the_price_is_cheaper(
    up: list[tuple[int, float]], down: list[tuple[int, float]], fee: float, shift: float
) -> None:
    if abs(shift) < 1e-4:
        shift = 1e-4
    edges: list[tuple[int, int, float]] = []
    reached = 0
    for width, liquidity in up:
        edges.append((reached, reached + width, liquidity))
        reached += width
    edges.append((reached, 880_000, 1.0))
    reached = 0
    for width, liquidity in down:
        edges.insert(0, (reached - width, reached, liquidity))
        reached -= width
    edges.insert(0, (-880_000, reached, 1.0))
    bands, attack = by_ticks(*edges), replace(ATTACK, shift=shift)
    found = cost(attack, fee, bands=bands)
    assert 12 <= found.held_s <= 1_800
    exact = cost_of_holding(found.held_s, bands, attack, fee)
    assert found.loss == pytest.approx(exact, rel=1e-6, abs=1e-12)
    for seconds in [12 * blocks for blocks in range(1, 151)]:
        tried = cost_of_holding(seconds, bands, attack, fee)
        assert found.loss <= tried * (1 + 1e-6) + 1e-12


@pytest.mark.parametrize(("start", "end"), [(5, 150), (5, -300), (-50, 700)])
def test_a_block_loses_what_the_pools_own_maths_take_and_pay_back(start: int, end: int) -> None:
    """10^18 everywhere, twice as much more in [-100, 50), three times as much in [0, 200)."""
    whole = 10**18
    levels = [(-1000, -100, 1), (-100, 0, 3), (0, 50, 6), (50, 200, 4), (200, 1000, 1)]
    low, high = min(start, end), max(start, end)
    token0 = token1 = 0
    for lower, upper, times in levels:
        if max(low, lower) < min(high, upper):
            prices = (sqrt_price_at_tick(max(low, lower)), sqrt_price_at_tick(min(high, upper)))
            token0 += amount0_delta_up(*prices, Liquidity(times * whole))
            token1 += amount1_delta_up(*prices, Liquidity(times * whole))
    worth0 = token0 * 1.0001**start
    attack = Attack(shift=1.0001 ** (end - start) - 1, window_s=12, block_s=12)
    bands = by_ticks(*((lower, upper, times * whole) for lower, upper, times in levels))
    found = cost(attack, log_price=start * LOG_TICK, bands=bands)
    expected = token1 - worth0 if end > start else worth0 - token1
    assert found.loss == pytest.approx(expected, rel=1e-6)


def test_a_fall_costs_what_the_same_rise_of_the_other_token_does() -> None:
    down = replace(ATTACK, shift=1 / 1.01 - 1)
    assert cost(down).loss == pytest.approx(cost().loss)
    assert cost(down).displaced_ticks == pytest.approx(-cost().displaced_ticks)


def test_the_fee_is_lost_with_the_rest() -> None:
    paid_in = 150 * 1_000 * (ROOT - 1)
    assert cost(fee=0.003).loss - cost().loss == pytest.approx(paid_in * (1 / 0.997 - 1))


def test_costs_are_in_token1_at_the_price_before() -> None:
    assert cost(log_price=2.0).loss == pytest.approx(cost().loss * math.e)
    down = replace(ATTACK, shift=1 / 1.01 - 1)
    assert cost(down, log_price=2.0).loss == pytest.approx(cost().loss * math.e)


def test_where_no_price_is_far_enough_the_attack_cannot_be_paid() -> None:
    far = cost(replace(ATTACK, shift=math.expm1(90)))
    assert far.loss == math.inf


def test_a_price_is_not_moved_beyond_the_last_one() -> None:
    """A block alone would have to carry 150 times the shift of a tenth of all prices."""
    thin = by_ticks((-887_272, 88_800, 1_000), (88_800, 887_272, 0))
    found = cost(replace(ATTACK, shift=math.expm1(8.87)), bands=thin)
    assert found.displaced_ticks == pytest.approx(887_272)


def test_beyond_the_known_liquidity_the_cost_is_missing() -> None:
    near = by_ticks((-90, 90, 1_000))
    missing = cheapest_twap_attack(near, 0.0, 0.0, ATTACK)
    assert isinstance(missing, Missing)
    assert "known up to 90 ticks" in missing.reason
    assert isinstance(cheapest_twap_attack((), 0.0, 0.0, ATTACK), Missing)


def test_further_than_the_mean_must_move_unknown_liquidity_counts_as_none() -> None:
    """So the cost is never told too high; what is known may show that this changes nothing."""
    enough, few = by_ticks((-8_000, 8_000, 1_000)), by_ticks((-200, 200, 1_000))
    assert cost(bands=enough) == cost()
    found = cost(bands=few)
    assert found.held_s == pytest.approx(12)
    emptied = by_ticks((-880_000, -200, 0), (-200, 200, 1_000), (200, 880_000, 0))
    assert found.loss == pytest.approx(cost_of_holding(12, emptied, ATTACK, 0.0))


def test_a_pool_without_liquidity_costs_nothing_to_move() -> None:
    assert cost(fee=0.003, bands=by_ticks((-880_000, 880_000, 0))).loss == 0


@pytest.mark.parametrize(
    "wrong",
    [{"shift": 0.0}, {"shift": -1.0}, {"shift": math.nan}, {"window_s": 5}, {"block_s": 0.0}],
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
