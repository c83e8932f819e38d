"""Simulated results of a campaign, against closed forms and QuantLib's own price of an option.

Where chance is left, four standard errors of it are allowed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
import QuantLib as ql
from builders import a_range

from lpmanager.risk.held_range import HeldRange
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.missing import Missing
from lpmanager.risk.monte_carlo.distribution import Distribution, distribution_of
from lpmanager.risk.monte_carlo.random_paths import Jumps
from lpmanager.risk.monte_carlo.simulation import (
    Diffusion,
    Draw,
    Results,
    simulated_results,
    variance_paths,
)
from lpmanager.risk.residence import expected_seconds_in_range
from lpmanager.risk.stake import Stake, historical_results

DAY = 86_400
SIGMA = 0.05
DIFFUSION = Diffusion(variance_rate=SIGMA**2 / DAY)
#: Feller's condition is violated, as it is in most calibrations.
HESTON = Heston(start=0.001, mean=0.0025, reversion=4.0, vol_of_vol=0.25, correlation=-0.6)
JUMPS = Jumps(per_day=4.0, mean=-0.02, deviation=0.03)
DRAW = Draw(horizon_s=DAY, seed=1, paths=20_000, steps=12)
#: One base token at a price of 100, and nothing else.
HELD = Stake(sqrt_price=10.0, ranges=(), base=1.0, quote=0.0, fee_rate=0.0, gas=0.0)
TICK_RANGE = a_range("[-300, 300)")
RANGE = HeldRange(
    liquidity=1_000.0, sqrt_lower=10 * 1.0001 ** (-300 / 2), sqrt_upper=10 * 1.0001 ** (300 / 2)
)
PROVIDING = replace(HELD, base=0.0, ranges=(RANGE,))
DYNAMICS = [DIFFUSION, replace(DIFFUSION, jumps=JUMPS), HESTON]


def error(sample: Results) -> float:
    return 4 * float(sample.std()) / math.sqrt(len(sample))


def distribution(results: Results, confidence: float = 0.95) -> Distribution:
    found = distribution_of(results, confidence)
    assert isinstance(found, Distribution)
    return found


def test_a_held_token_has_the_tail_of_the_lognormal() -> None:
    found = distribution(simulated_results(HELD, DIFFUSION, replace(DRAW, paths=100_000, steps=1)))
    normal = NormalDist()
    z = normal.inv_cdf(0.05)
    var = 100 * (1 - math.exp(SIGMA * z - SIGMA**2 / 2))
    cvar = 100 * (1 - normal.cdf(z - SIGMA) / 0.05)
    assert found.mean == pytest.approx(0, abs=4 * found.mean_error)
    assert found.deviation == pytest.approx(100 * SIGMA, rel=0.01)
    assert found.tail.value_at_risk == pytest.approx(var, rel=0.015)
    assert found.tail.cvar == pytest.approx(cvar, abs=4 * found.cvar_error)
    assert dict(found.quantiles)[0.05] == pytest.approx(-found.tail.value_at_risk, rel=1e-3)
    assert sum(found.counts) == 100_000


def test_the_error_of_cvar_is_what_other_seeds_show() -> None:
    short = replace(DRAW, paths=4_000, steps=1)
    found = [
        distribution(simulated_results(HELD, DIFFUSION, replace(short, seed=seed)))
        for seed in range(60)
    ]
    spread = float(np.std([each.tail.cvar for each in found], ddof=1))
    stated = float(np.mean([each.cvar_error for each in found]))
    assert stated == pytest.approx(spread, rel=4 / math.sqrt(2 * 59))


@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_without_drift_a_price_is_worth_itself_on_average(dynamics: Diffusion | Heston) -> None:
    results = simulated_results(HELD, dynamics, DRAW)
    assert results.mean() == pytest.approx(0, abs=error(results))


def test_a_drift_is_the_growth_of_the_expected_price_jumps_included() -> None:
    for jumps in (None, JUMPS):
        drifting = replace(DIFFUSION, drift_rate=0.1 / DAY, jumps=jumps)
        results = simulated_results(HELD, drifting, DRAW)
        assert results.mean() == pytest.approx(100 * math.expm1(0.1), abs=error(results))


def test_fees_are_earned_for_the_expected_time_in_range() -> None:
    fine = replace(DRAW, steps=200, paths=10_000)
    earning = replace(PROVIDING, fee_rate=1e-9)
    fees = simulated_results(earning, DIFFUSION, fine) - simulated_results(
        PROVIDING, DIFFUSION, fine
    )
    seconds = fees / (1e-9 * RANGE.liquidity)
    expected = expected_seconds_in_range(0, TICK_RANGE, DIFFUSION.variance_rate, DAY)
    assert seconds.mean() == pytest.approx(expected, abs=error(seconds))
    assert seconds.min() > 0
    assert seconds.max() == pytest.approx(DAY)


def test_a_step_out_of_the_range_earns_half_of_its_fee() -> None:
    rising = replace(DIFFUSION, variance_rate=0.0, drift_rate=0.5 / DAY)
    once = replace(DRAW, paths=1, steps=1)
    earning = replace(PROVIDING, fee_rate=1e-3)
    (fee,) = simulated_results(earning, rising, once) - simulated_results(PROVIDING, rising, once)
    assert fee == pytest.approx(1e-3 * RANGE.liquidity * DAY / 2)


def test_a_range_loses_to_holding_what_arbitrage_takes() -> None:
    """Without fees a wide range loses L sigma^2 sqrt(P) / 4 a day on average (Milionis 2022)."""
    wide = HeldRange(liquidity=1_000.0, sqrt_lower=1.0, sqrt_upper=100.0)
    results = simulated_results(replace(PROVIDING, ranges=(wide,)), DIFFUSION, DRAW)
    expected = -1_000 * SIGMA**2 * 10 / 4
    assert results.mean() == pytest.approx(expected, abs=error(results), rel=1e-3)


def test_one_path_is_played_as_history_would_be() -> None:
    still = replace(DIFFUSION, variance_rate=0.0, drift_rate=0.05 / DAY)
    full = Stake(sqrt_price=10.0, ranges=(RANGE,), base=-2.0, quote=70.0, fee_rate=1e-9, gas=3.0)
    fine = replace(DRAW, paths=1, steps=20_000)
    (simulated,) = simulated_results(full, still, fine)
    (historical,) = historical_results(full, [0.05], DAY)
    assert simulated == pytest.approx(historical, rel=1e-6)


def test_outside_its_range_liquidity_earns_nothing_and_gas_is_still_paid() -> None:
    far = replace(PROVIDING, sqrt_price=40.0, fee_rate=1.0, gas=5.0)
    assert simulated_results(far, DIFFUSION, replace(DRAW, paths=100)) == pytest.approx(-5.0)


@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_a_seed_tells_the_results_and_more_paths_only_add_some(
    dynamics: Diffusion | Heston,
) -> None:
    few = replace(DRAW, paths=2_000, steps=3)
    results = simulated_results(PROVIDING, dynamics, few)
    assert np.array_equal(results, simulated_results(PROVIDING, dynamics, few))
    more = simulated_results(PROVIDING, dynamics, replace(few, paths=4_001))
    assert np.array_equal(more[:2_000], results)
    assert not np.array_equal(results, simulated_results(PROVIDING, dynamics, replace(few, seed=2)))


def test_results_of_a_seed_are_those_of_other_machines() -> None:
    draw = replace(DRAW, paths=3, steps=2)
    found = {
        type(each).__name__: simulated_results(HELD, each, draw).tolist()
        for each in (DIFFUSION, HESTON)
    }
    assert found["Diffusion"] == pytest.approx([4.0828295686, -3.5013194607, 4.7640914123])
    assert found["Heston"] == pytest.approx([-2.8946545159, 1.4692654161, -0.1755867305])


def test_many_variances_at_once_follow_the_law_of_the_process() -> None:
    many = variance_paths(np.random.default_rng(3), (40_000, 4), days=0.05, heston=HESTON)
    assert many.min() >= 0
    for step in range(5):
        decay = math.exp(-HESTON.reversion * 0.05 * step)
        expected = HESTON.mean + (HESTON.start - HESTON.mean) * decay
        assert many[:, step].mean() == pytest.approx(expected, abs=error(many[:, step]) + 1e-15)
    steady = replace(HESTON, start=HESTON.mean)
    late = variance_paths(np.random.default_rng(5), (20_000, 60), days=0.05, heston=steady)[:, -1]
    stationary = HESTON.mean * HESTON.vol_of_vol**2 / (2 * HESTON.reversion)
    squares = (late - HESTON.mean) ** 2
    assert squares.mean() == pytest.approx(stationary, abs=error(squares))


def test_hestons_paths_price_an_option_as_quantlib_does() -> None:
    """A put 10 days out; QuantLib counts in years of 365 days."""
    strike, days = 95.0, 10
    results = simulated_results(HELD, HESTON, replace(DRAW, horizon_s=days * DAY, steps=80))
    payoff = np.maximum(strike - 100 - results, 0)
    expected = _quantlib_put(strike, days)
    assert payoff.mean() == pytest.approx(expected, abs=error(payoff))
    assert error(payoff) < 0.06 * expected


def _quantlib_put(strike: float, days: int) -> float:
    saved = ql.SavedSettings()
    today = ql.Date(1, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    process = ql.HestonProcess(
        flat,
        flat,
        ql.QuoteHandle(ql.SimpleQuote(100.0)),
        HESTON.start * 365,
        HESTON.reversion * 365,
        HESTON.mean * 365,
        HESTON.vol_of_vol * 365,
        HESTON.correlation,
    )
    option = ql.VanillaOption(
        ql.PlainVanillaPayoff(ql.Option.Put, strike), ql.EuropeanExercise(today + days)
    )
    option.setPricingEngine(ql.AnalyticHestonEngine(ql.HestonModel(process), 144))
    value = float(option.NPV())
    del saved
    return value


def test_a_result_that_is_no_number_leaves_no_distribution() -> None:
    broken = np.array([1.0] * 30 + [math.nan])
    assert isinstance(distribution_of(broken), Missing)
    assert isinstance(distribution_of(np.ones(5)), Missing)


def test_constant_results_are_a_distribution_of_one_value() -> None:
    found = distribution(np.full(50, -2.0))
    assert (found.mean, found.deviation, found.tail.cvar, found.cvar_error) == (-2.0, 0, 2.0, 0)


@pytest.mark.parametrize(
    "wrong", [{"horizon_s": 0.0}, {"horizon_s": math.nan}, {"paths": 0}, {"steps": -1}]
)
def test_a_draw_of_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="found"):
        replace(DRAW, **wrong)


@pytest.mark.parametrize(
    "wrong", [{"variance_rate": -1.0}, {"variance_rate": math.nan}, {"drift_rate": math.inf}]
)
def test_a_diffusion_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="found"):
        replace(DIFFUSION, **wrong)
