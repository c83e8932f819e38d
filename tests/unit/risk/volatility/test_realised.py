"""Variance as it was, by hand and against what the returns were made of."""

from __future__ import annotations

import math

import pytest
from price_series import normal_returns, with_return

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.realised import bipower_variance_rate, realised_variance_rate

ALTERNATING = (0.003, -0.003) * 10


def test_realised_variance_is_the_mean_square_per_second() -> None:
    assert realised_variance_rate(ALTERNATING, 300) == pytest.approx(9e-6 / 300)
    assert realised_variance_rate((0.0, 0.01) * 10, 60) == pytest.approx(5e-5 / 60)


def test_bipower_variation_is_the_mean_product_of_neighbours_times_half_pi() -> None:
    assert bipower_variance_rate(ALTERNATING, 300) == pytest.approx(math.pi / 2 * 9e-6 / 300)
    assert bipower_variance_rate((0.0, 0.0, 0.0, 0.01, 0.02) * 4, 60) == pytest.approx(
        math.pi / 2 * 4 * 2e-4 / 19 / 60
    )


def test_both_find_the_variance_of_a_walk() -> None:
    returns = normal_returns(20_000, 0.001)
    assert realised_variance_rate(returns, 300) == pytest.approx(1e-6 / 300, rel=0.03)
    assert bipower_variance_rate(returns, 300) == pytest.approx(1e-6 / 300, rel=0.03)


def test_only_realised_variance_holds_a_jump() -> None:
    calm = normal_returns(288, 0.001)
    jumped = with_return(calm, 100, 0.05)
    assert realised_variance_rate(jumped) > 5 * realised_variance_rate(calm)
    assert bipower_variance_rate(jumped) < 1.5 * bipower_variance_rate(calm)


def test_too_little_history_says_how_much_is_needed() -> None:
    assert bipower_variance_rate(ALTERNATING[:7]) == Missing(
        "bipower variation needs 20 returns of 300 s, found 7; limits.history_s "
        "of more than 1 h 40 min tells them"
    )
    assert realised_variance_rate(ALTERNATING[:19], 60) == Missing(
        "realised variance needs 20 returns of 60 s, found 19; limits.history_s "
        "of more than 20 min tells them"
    )


def test_constant_prices_are_no_variance_of_zero() -> None:
    assert isinstance(realised_variance_rate((0.0,) * 300), Missing)
    assert isinstance(bipower_variance_rate((0.0,) * 300), Missing)
