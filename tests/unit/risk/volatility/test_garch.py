"""GARCH against returns that were made by one, and against arch's own filter."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from arch.univariate import GARCH, ConstantMean, StudentsT

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.garch import fit_garch
from lpmanager.risk.volatility.garch_model import Garch

TRUE = Garch(mean=0.0, constant=5e-8, shock=0.15, persistence=0.8, freedom=8.0, start=1e-6)


def made_by(garch: Garch, count: int, *, seed: int = 5) -> tuple[float, ...]:
    """Returns of that law; a t variate is a normal over the root of a chi-square's mean."""
    rng = random.Random(seed)
    variance, returns = garch.start, []
    for _ in range(count):
        heavy = rng.gauss(0, 1) / math.sqrt(rng.gammavariate(garch.freedom / 2, 2) / garch.freedom)
        shock = heavy * math.sqrt((garch.freedom - 2) / garch.freedom * variance)
        returns.append(garch.mean + shock)
        variance = garch.constant + garch.shock * shock**2 + garch.persistence * variance
    return tuple(returns)


RETURNS = made_by(TRUE, 3_000)


def fitted(returns: tuple[float, ...]) -> Garch:
    found = fit_garch(returns)
    assert isinstance(found, Garch), found
    return found


def test_the_law_that_made_the_returns_is_found() -> None:
    found = fitted(RETURNS)
    assert found.shock == pytest.approx(TRUE.shock, abs=0.04)
    assert found.persistence == pytest.approx(TRUE.persistence, abs=0.06)
    assert found.constant == pytest.approx(TRUE.constant, rel=0.5)
    assert found.start == pytest.approx(1e-6, rel=0.25)
    assert found.freedom == pytest.approx(8, abs=3)


def test_tenfold_returns_have_a_hundredfold_variance() -> None:
    returns = RETURNS[:1_000]
    one, ten = fitted(returns), fitted(tuple(10 * change for change in returns))
    assert ten.forecast(tuple(10 * change for change in returns)) == pytest.approx(
        100 * one.forecast(returns), rel=1e-3
    )


def test_the_filter_is_the_one_of_arch() -> None:
    """Its filter begins otherwise; after some hundred returns that is forgotten."""
    model = ConstantMean(
        np.array(RETURNS), volatility=GARCH(1, 0, 1), distribution=StudentsT(), rescale=False
    )
    theirs = model.fix([TRUE.mean, TRUE.constant, TRUE.shock, TRUE.persistence, TRUE.freedom])
    ours = TRUE.filtered(RETURNS)
    assert len(ours) == len(RETURNS) + 1
    assert ours[500:-1] == pytest.approx(theirs.conditional_volatility[500:] ** 2)
    assert ours[-1] == pytest.approx(theirs.forecast(horizon=1).variance.iloc[-1, 0])


def test_a_variance_knows_nothing_later() -> None:
    changed = (*RETURNS[:100], *(9.0 for _ in range(50)))
    assert TRUE.filtered(changed)[:101] == TRUE.filtered(RETURNS)[:101]


def test_too_little_history_says_how_much_is_needed() -> None:
    assert fit_garch(RETURNS[:199]) == Missing("GARCH needs 200 returns, found 199")


def test_constant_prices_are_named() -> None:
    missing = fit_garch((*RETURNS[:100], *(0.0,) * 101))
    assert isinstance(missing, Missing)
    assert "stood still in 101 of 201" in missing.reason


def test_returns_that_are_all_alike_are_named() -> None:
    assert fit_garch((0.001,) * 250) == Missing(
        "GARCH needs returns that differ; all 250 are 0.001"
    )


def test_a_variance_that_does_not_fade_back_is_still_forecast() -> None:
    """After a quiet half and a wild one the coefficients add up to 1, and there is no mean."""
    calm, wild = RETURNS[:150], tuple(20 * change for change in RETURNS[150:300])
    found = fitted((*calm, *wild))
    assert found.shock + found.persistence == pytest.approx(1, abs=1e-3)
    assert 1e-5 < found.forecast((*calm, *wild)) < 1e-2


def test_a_search_that_is_not_over_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpmanager.risk.volatility.garch._MOST_STEPS", 1)
    missing = fit_garch(RETURNS[:300])
    assert isinstance(missing, Missing)
    assert "was not found in 300 returns" in missing.reason


def test_a_return_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        fit_garch((*RETURNS[:300], math.nan))
