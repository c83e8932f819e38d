"""Generated markets follow their random path through the pool's own maths."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from builders import a_pool, price_at
from market_builders import MIDNIGHT, same_columns

from lpmanager.amm import Pool, tick_at_sqrt_price
from lpmanager.amm.fast.packing import from_limbs
from lpmanager.backtest.markets import synthetic
from lpmanager.backtest.markets.market import Events, Market
from lpmanager.backtest.markets.paths import (
    Heston,
    Jumps,
    gbm_moves,
    heston_moves,
    jump_moves,
    variance_path,
    within_fees,
)
from lpmanager.backtest.markets.synthetic import Setting

TICK = 200_000
SETTING = Setting(pool=a_pool(), begins=MIDNIGHT, step_s=12, tick=TICK, liquidity=10**19)
NOISY = replace(SETTING, noise0=10**9, noise1=3 * 10**17)
JUMPS = Jumps(per_day=4.0, mean=-0.02, deviation=0.03)
#: Feller's condition is violated, as it is in most calibrations: 2 * 4 * 0.0025 < 0.25^2.
HESTON = Heston(start=0.001, mean=0.0025, reversion=4.0, vol_of_vol=0.25, correlation=-0.6)


def events_of(market: Market) -> Events:
    assert isinstance(market.rows, Events)
    return market.rows


MAKERS: dict[str, Callable[[Setting, int], Market]] = {
    "gbm": lambda s, seed: synthetic.gbm(s, steps=300, sigma=0.05, seed=seed),
    "jumps": lambda s, seed: synthetic.jumps(s, steps=300, sigma=0.05, jumps=JUMPS, seed=seed),
    "heston": lambda s, seed: synthetic.heston(s, steps=300, heston=HESTON, seed=seed),
    "arbitraged": lambda s, seed: synthetic.arbitraged(s, steps=300, sigma=0.2, seed=seed),
}


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_equal_seeds_give_equal_markets_and_others_give_others(
    maker: Callable[[Setting, int], Market],
) -> None:
    one, same, other = maker(NOISY, 7), maker(NOISY, 7), maker(NOISY, 8)
    assert same_columns(one.rows, same.rows)
    assert replace(one, rows=same.rows) == same
    assert not same_columns(one.rows, other.rows)
    assert one.name != other.name


def test_a_long_path_is_the_same_market_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = MAKERS["gbm"](NOISY, 7)
    monkeypatch.setattr(synthetic, "_STEPS_AT_ONCE", 37)
    assert same_columns(MAKERS["gbm"](NOISY, 7).rows, at_once.rows)


def test_every_event_is_what_the_pool_itself_does() -> None:
    market = synthetic.gbm(NOISY, steps=40, sigma=0.5, seed=1)
    rows = events_of(market)
    assert market.start is not None
    pool = Pool.from_state(market.start, NOISY.pool.fee_pips, NOISY.pool.tick_spacing)
    amounts0 = from_limbs(rows.amount0, signed=True)
    amounts1 = from_limbs(rows.amount1, signed=True)
    prices = from_limbs(rows.sqrt_price)
    for row, (amount0, amount1) in enumerate(zip(amounts0, amounts1, strict=True)):
        done = pool.swap(amount0 > 0, max(amount0, amount1), prices[row])
        assert (done.amount0, done.amount1) == (amount0, amount1)
        assert (pool.sqrt_price_x96, pool.tick) == (prices[row], rows.tick[row])
    assert set(from_limbs(rows.liquidity)) == {NOISY.liquidity}
    assert len(rows) == 4 * 40


def test_each_step_ends_at_the_paths_price() -> None:
    moves = gbm_moves(np.random.default_rng(5), 300, days=SETTING.days, sigma=0.05)
    rows = events_of(synthetic.market_along(NOISY, np.cumsum(moves), "a path"))
    last = np.flatnonzero(np.diff(rows.block, append=0))
    reached = np.array(from_limbs(rows.sqrt_price[last]), float)
    expected = float(price_at(TICK)) * np.exp(np.cumsum(moves) / 2)
    assert np.abs(reached / expected - 1).max() < 1e-15
    assert rows.time[last].tolist() == [MIDNIGHT + 12 * step for step in range(300)]
    assert [tick_at_sqrt_price(p) for p in from_limbs(rows.sqrt_price)] == rows.tick.tolist()


def test_noise_pays_its_volume_in_beside_the_way_of_the_price() -> None:
    still = np.zeros(50)
    rows = events_of(synthetic.market_along(NOISY, still, "a path that stays"))
    paid0 = [a for a in from_limbs(rows.amount0, signed=True) if a > 0]
    paid1 = [a for a in from_limbs(rows.amount1, signed=True) if a > 0]
    assert paid0.count(NOISY.noise0) >= 50
    assert paid1.count(NOISY.noise1) >= 50
    assert from_limbs(rows.sqrt_price)[-1] == price_at(TICK)


def test_a_step_that_moves_nothing_is_no_event() -> None:
    rows = events_of(synthetic.market_along(SETTING, np.array([0.0, 0.01, 0.01, 0.0]), "a path"))
    assert rows.time.tolist() == [MIDNIGHT + 12, MIDNIGHT + 36]
    assert rows.block.tolist() == [2, 4]


@pytest.mark.parametrize("moves", [np.zeros(3), np.zeros(0)])
def test_a_path_on_which_nothing_happens_is_refused(moves: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no step of the path moves the pool"):
        synthetic.market_along(SETTING, moves, "a path")


@pytest.mark.parametrize("move", [120.0, -120.0, 1e9])
def test_a_path_beyond_the_prices_of_a_pool_is_refused(move: float) -> None:
    with pytest.raises(ValueError, match="leaves the prices that a pool can have"):
        synthetic.market_along(SETTING, np.array([move]), "a path")


# ---- moments: bounds are four standard errors at a fixed seed ----

COUNT, DAYS = 200_000, 1 / 24


def test_gbm_has_its_volatility_and_its_drift() -> None:
    moves = gbm_moves(np.random.default_rng(11), COUNT, days=DAYS, sigma=0.3, drift=0.01)
    spread = 0.3 * math.sqrt(DAYS)
    assert moves.std() == pytest.approx(spread, rel=4 / math.sqrt(2 * COUNT))
    growth = np.expm1(moves).mean()
    assert growth == pytest.approx(0.01 * DAYS, abs=4 * spread / math.sqrt(COUNT))


def test_jumps_come_as_often_as_they_should_and_are_as_large() -> None:
    rare = Jumps(per_day=2.4, mean=-0.3, deviation=0.02)
    random, level = np.random.default_rng(12), rare.per_day * rare.growth
    moves = jump_moves(random, COUNT, days=DAYS, sigma=0.001, jumps=rare, drift=level)
    # A jump is about 15 of its deviations from zero: steps with one are told from those without.
    jumped = moves[moves < -0.15]
    share = -math.expm1(-2.4 * DAYS)
    error = math.sqrt(share * (1 - share) / COUNT)
    assert len(jumped) / COUNT == pytest.approx(share, abs=4 * error)
    single = jumped[jumped > -0.45]
    assert single.mean() == pytest.approx(-0.3, abs=4 * 0.02 / math.sqrt(len(single)) + 1e-4)
    assert single.std() == pytest.approx(0.02, rel=0.03)


def test_jumps_leave_the_expected_price_where_the_drift_puts_it() -> None:
    wild = Jumps(per_day=4.0, mean=-0.02, deviation=0.2)
    moves = jump_moves(
        np.random.default_rng(13), COUNT, days=DAYS, sigma=0.05, jumps=wild, drift=0.1
    )
    growth = np.expm1(moves)
    assert growth.mean() == pytest.approx(0.1 * DAYS, abs=4 * growth.std() / math.sqrt(COUNT))
    variance = 0.05**2 * DAYS + wild.per_day * DAYS * (wild.mean**2 + wild.deviation**2)
    assert moves.var() == pytest.approx(variance, rel=0.04)


def test_hestons_variance_has_its_mean_its_spread_and_its_memory() -> None:
    steps = 200_000
    path = variance_path(np.random.default_rng(14), steps, days=DAYS, heston=HESTON)
    assert path[0] == HESTON.start
    assert path.min() >= 0
    later = path[500:]
    steady = HESTON.mean * HESTON.vol_of_vol**2 / (2 * HESTON.reversion)
    # A path of n steps is worth n * reversion * days / 2 independent draws.
    error = math.sqrt(steady / (steps * HESTON.reversion * DAYS / 2))
    assert later.mean() == pytest.approx(HESTON.mean, abs=4 * error)
    assert later.var() == pytest.approx(steady, rel=0.1)
    decay = math.exp(-HESTON.reversion * DAYS)
    memory = np.corrcoef(later[:-1], later[1:])[0, 1]
    assert memory == pytest.approx(decay, abs=0.01)


def test_each_step_of_hestons_variance_has_the_processes_own_mean_and_variance() -> None:
    path = variance_path(np.random.default_rng(15), COUNT, days=DAYS, heston=HESTON)
    decay = math.exp(-HESTON.reversion * DAYS)
    before, after = path[:-1], path[1:]
    surprise = after - (HESTON.mean + (before - HESTON.mean) * decay)
    expected = before * HESTON.vol_of_vol**2 * decay * (
        1 - decay
    ) / HESTON.reversion + HESTON.mean * HESTON.vol_of_vol**2 * (1 - decay) ** 2 / (
        2 * HESTON.reversion
    )
    scaled = surprise / np.sqrt(expected)
    assert scaled.mean() == pytest.approx(0, abs=4 / math.sqrt(COUNT))
    assert (scaled**2).mean() == pytest.approx(1, abs=4 * (scaled**2).std() / math.sqrt(COUNT))


def test_hestons_price_has_the_variance_of_its_path_and_its_drift() -> None:
    wild = replace(HESTON, start=0.09, mean=0.09, vol_of_vol=1.0)
    moves = heston_moves(np.random.default_rng(16), COUNT, days=DAYS, heston=wild, drift=0.02)
    path = variance_path(np.random.default_rng(16), COUNT, days=DAYS, heston=wild)
    between = (path[:-1] + path[1:]) / 2 * DAYS
    assert moves.var() == pytest.approx(between.mean(), rel=0.03)
    growth = np.expm1(moves)
    assert growth.mean() == pytest.approx(0.02 * DAYS, abs=4 * growth.std() / math.sqrt(COUNT))


def test_hestons_price_falls_with_a_rising_variance_as_its_correlation_says() -> None:
    calm = replace(HESTON, start=HESTON.mean, vol_of_vol=0.02)
    minute = 1 / 1440
    moves = heston_moves(np.random.default_rng(17), COUNT, days=minute, heston=calm)
    path = variance_path(np.random.default_rng(17), COUNT, days=minute, heston=calm)
    root = np.sqrt(path[:-1])
    together = np.corrcoef(moves / root, np.diff(path) / root)[0, 1]
    assert together == pytest.approx(-0.6, abs=4 * (1 - 0.6**2) / math.sqrt(COUNT))


@pytest.mark.parametrize(
    "wrong", [{"mean": -1.0}, {"reversion": 0.0}, {"vol_of_vol": 0.0}, {"correlation": -1.1}]
)
def test_a_variance_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="found"):
        replace(HESTON, **wrong)


# ---- arbitrage ----


def test_a_pool_follows_the_price_outside_at_the_distance_of_its_fee() -> None:
    outside = np.log([1.0, 1.004, 1.02, 1.016, 0.9])
    pool = np.exp(within_fees(outside, 0.01))
    edges = [1.0, 1.0, 1.02 * 0.99, 1.02 * 0.99, 0.9 / 0.99]
    assert pool == pytest.approx(edges, rel=1e-12)


def test_without_a_fee_the_pool_is_at_the_price_outside() -> None:
    outside = np.cumsum(gbm_moves(np.random.default_rng(2), (3, 50), days=1, sigma=0.1), axis=1)
    assert np.array_equal(within_fees(outside, 0.0), outside)


def test_an_arbitraged_market_trades_only_beyond_the_fee() -> None:
    dear = replace(SETTING, pool=replace(a_pool(), fee_pips=3_000))
    rows = events_of(synthetic.arbitraged(dear, steps=20_000, sigma=0.02, seed=3))
    assert 0 < len(rows) < 2_000
    moves = gbm_moves(np.random.default_rng(3), 20_000, days=SETTING.days, sigma=0.02)
    outside = float(price_at(TICK)) * np.exp(np.cumsum(moves) / 2)
    step = (rows.time - MIDNIGHT) // 12
    apart = 2 * np.log(np.array(from_limbs(rows.sqrt_price), float) / outside[step])
    assert np.abs(np.abs(apart) + math.log1p(-0.003)).max() < 1e-12
