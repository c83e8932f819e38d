"""Random paths have the moments of their processes.

Bounds are four standard errors at a fixed seed.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest

from lpmanager.risk.heston.model import Heston
from lpmanager.risk.monte_carlo.random_paths import (
    Jumps,
    gbm_moves,
    heston_moves,
    jump_moves,
    moves_under,
    variance_path,
)
from lpmanager.risk.monte_carlo.simulation import variance_paths

#: Feller's condition is violated, as it is in most calibrations: 2 * 4 * 0.0025 < 0.25^2.
HESTON = Heston(start=0.001, mean=0.0025, reversion=4.0, vol_of_vol=0.25, correlation=-0.6)
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


@pytest.mark.parametrize("name", [field.name for field in fields(Heston)])
@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_parameter_that_is_no_finite_number_is_refused_by_its_name(
    name: str, wrong: float
) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a finite number, found {wrong}"):
        replace(HESTON, **{name: wrong})


@pytest.mark.parametrize(
    "vol_of_vol", [1e-2, 1e-4, 1e-8, 1e-12, 1e-16, 1e-20, 1e-100, 1e-160, 5e-324]
)
def test_a_variance_that_hardly_trembles_leaves_the_price_of_one_that_is_known(
    vol_of_vol: float,
) -> None:
    """It goes from 0.04 to 0.01, and what the price does is normal, whatever goes with what."""
    count, steps = 20_000, 48
    falling = Heston(start=0.04, mean=0.01, reversion=5.0, vol_of_vol=vol_of_vol, correlation=-0.9)
    random = np.random.default_rng(18)
    path = variance_paths(random, (count, steps), days=1 / steps, heston=falling)
    moves = moves_under(random, path, days=1 / steps, heston=falling).sum(axis=1)
    whole = 0.01 + 0.03 * (1 - math.exp(-5)) / 5
    spread = math.sqrt(whole)
    assert moves.mean() == pytest.approx(-whole / 2, abs=4 * spread / math.sqrt(count))
    assert moves.std() == pytest.approx(spread, rel=4 / math.sqrt(2 * count))
    assert (((moves - moves.mean()) / spread) ** 3).mean() == pytest.approx(
        0, abs=4 * math.sqrt(15 / count) + 0.6 * vol_of_vol / math.sqrt(whole)
    )


@pytest.mark.parametrize("reversion", [1e-6, 1e-12, 1e-17, 1e-300, 5e-324])
def test_a_variance_that_hardly_returns_moves_as_one_that_does_not(reversion: float) -> None:
    slow, none = (replace(HESTON, reversion=each) for each in (reversion, 1e-5))
    paths = [
        variance_paths(np.random.default_rng(19), (100, 48), days=1 / 48, heston=each)
        for each in (slow, none)
    ]
    assert paths[0] == pytest.approx(paths[1], rel=1e-3, abs=1e-9)
    moves = [
        moves_under(np.random.default_rng(20), path, days=1 / 48, heston=each)
        for path, each in zip(paths, (slow, none), strict=True)
    ]
    assert moves[0] == pytest.approx(moves[1], abs=1e-4)
    assert slow.mean_variance(1.0) == pytest.approx(HESTON.start, rel=1e-4)


@pytest.mark.parametrize("level", [0.0, 1e-300, 1e-200])
def test_a_price_without_variance_stands_still(level: float) -> None:
    still = replace(HESTON, start=level, mean=level)
    moves = heston_moves(np.random.default_rng(21), 1_000, days=1 / 48, heston=still)
    assert moves == pytest.approx(0, abs=1e-90)


@pytest.mark.parametrize("reversion", [4.0, 24.0, 100.0])
def test_a_price_has_all_of_its_variance_where_steps_are_long(reversion: float) -> None:
    """What the variance's own noise does not tell of the price's is drawn beside it."""
    fast = replace(HESTON, start=HESTON.mean, reversion=reversion, correlation=-1.0)
    random = np.random.default_rng(22)
    path = variance_paths(random, (COUNT, 1), days=DAYS, heston=fast)
    moves = moves_under(random, path, days=DAYS, heston=fast)
    squares = (moves - moves.mean()) ** 2
    assert squares.mean() == pytest.approx(
        HESTON.mean * DAYS, abs=4 * squares.std() / math.sqrt(COUNT)
    )
