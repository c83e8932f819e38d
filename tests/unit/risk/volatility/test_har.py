"""HAR on variances of which the law is known."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.har import fit_har
from lpmanager.risk.volatility.har_model import Har

HORIZONS = (1, 5, 22)


def obeying(count: int, noise: float, *, seed: int = 3) -> tuple[float, ...]:
    """Variances whose logs are -1 + .4 last + .3 mean of 5 + .2 mean of 22, and noise."""
    rng = random.Random(seed)
    logs = [rng.gauss(-10, 1) for _ in range(22)]
    while len(logs) < count:
        known = -1 + 0.4 * logs[-1] + 0.3 * sum(logs[-5:]) / 5 + 0.2 * sum(logs[-22:]) / 22
        logs.append(known + rng.gauss(0, noise))
    return tuple(math.exp(log) for log in logs)


def fitted(variances: tuple[float, ...], horizons: tuple[int, ...] = HORIZONS) -> Har:
    found = fit_har(variances, horizons)
    assert isinstance(found, Har), found
    return found


def test_a_law_without_noise_is_found_and_continued() -> None:
    variances = obeying(120, 0.0)
    har = fitted(variances[:-1])
    assert (har.constant, *har.weights) == pytest.approx((-1, 0.4, 0.3, 0.2), abs=1e-6)
    assert har.noise == pytest.approx(0, abs=1e-12)
    assert har.forecast(variances[:-1]) == pytest.approx(variances[-1])


def test_noise_lifts_the_mean_above_the_mean_of_logs() -> None:
    variances = obeying(3_000, 0.5)
    har = fitted(variances)
    assert har.noise == pytest.approx(0.25, rel=0.1)
    errors = [variances[i] / har.forecast(variances[:i]) for i in range(1_000, len(variances))]
    assert sum(errors) / len(errors) == pytest.approx(1, abs=0.05)


def test_no_forecast_leaves_what_was_seen() -> None:
    variances = obeying(200, 0.5)
    har = fitted(variances)
    assert (har.lowest, har.highest) == pytest.approx((min(variances), max(variances)))
    assert replace(har, constant=99.0).forecast(variances) == har.highest
    assert replace(har, constant=-99.0).forecast(variances) == har.lowest


def test_a_still_period_counts_as_the_quietest_that_moved() -> None:
    variances = obeying(120, 0.5)
    quietest = min(variances)
    still = tuple(0.0 if number == 50 else v for number, v in enumerate(variances))
    quiet = tuple(quietest if number == 50 else v for number, v in enumerate(variances))
    assert fitted(still) == fitted(quiet)


def test_too_little_history_says_how_much_is_needed() -> None:
    assert fit_har(obeying(81, 0.5), HORIZONS) == Missing(
        "HAR over (1, 5, 22) periods needs 82 of them, found 81"
    )
    assert isinstance(fit_har(obeying(82, 0.5), HORIZONS), Har)
    with pytest.raises(ValueError, match="looks back 22 periods, found 21"):
        fitted(obeying(100, 0.5)).forecast((1.0,) * 21)


def test_constant_prices_are_named() -> None:
    missing = fit_har((0.0,) * 100, HORIZONS)
    assert isinstance(missing, Missing)
    assert "stood still in 100 of 100" in missing.reason


def test_what_cannot_be_is_refused() -> None:
    for wrong in (math.nan, math.inf, -1.0):
        with pytest.raises(ValueError, match="realised variance"):
            fit_har((*obeying(100, 0.5), wrong), HORIZONS)
    for horizons in ((), (0, 5)):
        with pytest.raises(ValueError, match="at least one period"):
            fit_har(obeying(100, 0.5), horizons)
