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
from lpmanager.backtest.markets.arbitrage import within_fees
from lpmanager.backtest.markets.market import Events, Market
from lpmanager.backtest.markets.synthetic import Setting
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.monte_carlo.random_paths import Jumps, gbm_moves

TICK = 200_000
SETTING = Setting(pool=a_pool(), begins=MIDNIGHT, step_s=12, tick=TICK, liquidity=10**19)
NOISY = replace(SETTING, noise0=10**9, noise1=3 * 10**17)
JUMPS = Jumps(per_day=4.0, mean=-0.02, deviation=0.03)
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
