"""Heston's parameters from past variances: simulated histories give back what made them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lpmanager.model.units import LOG_TICK
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.heston.moments import HestonMoments, heston_from_moments
from lpmanager.risk.missing import Missing
from lpmanager.risk.monte_carlo.random_paths import moves_under
from lpmanager.risk.monte_carlo.simulation import variance_paths
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.volatility.periods import Periods, periods_of

HESTON = Heston(start=0.0025, mean=0.0025, reversion=8.0, vol_of_vol=0.1, correlation=-0.6)
HOUR_DAYS = 1 / 24
_STEPS = 8


def history(
    count: int, seed: int = 1, heston: Heston = HESTON, period_days: float = HOUR_DAYS
) -> Periods:
    random, days = np.random.default_rng(seed), period_days / _STEPS
    path = variance_paths(random, (1, count * _STEPS), days=days, heston=heston)
    moves = moves_under(random, path, days=days, heston=heston).reshape(count, _STEPS)
    return Periods(
        period_s=round(period_days * 86_400),
        returns=tuple(moves.sum(axis=1).tolist()),
        variances=tuple((moves**2).sum(axis=1).tolist()),
    )


def moments(periods: Periods) -> HestonMoments:
    found = heston_from_moments(periods)
    assert isinstance(found, HestonMoments)
    return found


def test_a_long_history_gives_back_the_model_that_made_it() -> None:
    model = moments(history(60_000)).model
    assert model.mean == pytest.approx(HESTON.mean, rel=0.05)
    assert model.reversion == pytest.approx(HESTON.reversion, rel=0.15)
    assert model.vol_of_vol == pytest.approx(HESTON.vol_of_vol, rel=0.1)
    assert model.correlation == pytest.approx(HESTON.correlation, abs=0.1)


def test_a_price_that_rises_with_its_variance_is_told_from_one_that_falls() -> None:
    rising = moments(history(20_000, heston=replace(HESTON, correlation=0.6)))
    assert rising.model.correlation > 0.3


def test_a_return_that_only_pays_for_its_own_variance_is_no_correlation() -> None:
    """Without it, the half of the variance that a log return loses would be taken for -0.15."""
    wild = Heston(start=0.09, mean=0.09, reversion=1.0, vol_of_vol=0.3, correlation=0.0)
    found = moments(history(60_000, heston=wild, period_days=1.0))
    assert found.correlation_found == pytest.approx(0, abs=0.03)


def test_the_variance_starts_where_the_newest_period_left_it() -> None:
    periods = history(2_000)
    assert moments(periods).model.start == pytest.approx(periods.variances[-1] * 24)


def test_a_correlation_beyond_its_bounds_is_put_into_them_and_told() -> None:
    periods = history(2_000)
    loud = replace(periods, returns=tuple(50 * each for each in periods.returns))
    found = moments(loud)
    assert found.model.correlation == -1
    assert found.correlation_found < -1


def test_variances_that_do_not_cluster_have_no_model() -> None:
    random = np.random.default_rng(2)
    free = tuple(random.chisquare(12, 2_000).tolist())
    found = heston_from_moments(Periods(period_s=3_600, returns=free, variances=free))
    constant = heston_from_moments(
        Periods(period_s=3_600, returns=(0.0,) * 500, variances=(0.0,) * 500)
    )
    assert isinstance(found, Missing)
    assert isinstance(constant, Missing)
    assert "does not cluster" in found.reason
    assert "must be above" in found.reason
    assert "500 periods is the same to a thousandth" in constant.reason


@pytest.mark.parametrize("start", [199_045, -80_000, 276_324, 12])
@pytest.mark.parametrize("seed", range(6))
def test_the_rounding_of_prices_is_no_volatility_of_variance(start: int, seed: int) -> None:
    """Every move is of three ticks, up or down: all that the hours' variances differ by is the last
    bits of the logarithms, which cluster."""
    ups = np.random.default_rng(seed).integers(0, 2, 12 * 24 * 20)
    ticks = (start + np.cumsum(6 * ups - 3)).tolist()
    prices = tuple(tick * LOG_TICK for tick in ticks)
    times = tuple(range(300, 300 * (len(ticks) + 1), 300))
    hours = periods_of(PricePath(times, prices), period_s=3_600, step_s=300)
    assert isinstance(hours, Periods)
    found = heston_from_moments(hours)
    assert isinstance(found, Missing)
    assert "479 periods is the same to a thousandth" in found.reason


def test_a_price_of_constant_variance_has_no_model_however_its_hours_fall_out() -> None:
    """Of twelve returns an hour's variance is off by 40 %, and by chance that clusters a little."""
    for seed in range(200):
        returns = np.random.default_rng(seed).standard_normal((500, 12)) * 1e-3
        hours = Periods(
            period_s=3_600,
            returns=tuple(returns.sum(axis=1).tolist()),
            variances=tuple((returns**2).sum(axis=1).tolist()),
        )
        found = heston_from_moments(hours)
        assert isinstance(found, Missing), seed
        assert "does not cluster" in found.reason


def test_too_short_a_history_says_how_much_is_needed() -> None:
    found = heston_from_moments(history(199))
    assert found == Missing("Heston's moments need 200 periods of 3600 s, found 199")
