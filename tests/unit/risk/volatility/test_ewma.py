"""Variance in which the past fades."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from price_series import normal_returns

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.ewma import (
    decay_of_half_life,
    ewma_variance_rate,
    ewma_variance_rates,
    faded_means,
)


def test_each_step_back_counts_the_decay_less() -> None:
    weights = [0.94**back for back in (2, 1, 0)]
    expected = sum(w * v for w, v in zip(weights, (1, 2, 4), strict=True)) / sum(weights)
    assert list(faded_means((1, 2, 4), 0.94)) == pytest.approx([1, (0.94 + 2) / 1.94, expected])


def test_a_long_series_follows_riskmetrics() -> None:
    """variance = 0.94 variance + 0.06 return**2, once the beginning is forgotten."""
    returns = normal_returns(400)
    rates = ewma_variance_rates(returns, 300)
    assert not isinstance(rates, Missing)
    assert rates[-1] == pytest.approx(0.94 * rates[-2] + 0.06 * returns[-1] ** 2 / 300)
    assert ewma_variance_rate(returns, 300) == rates[-1]


def test_after_a_half_life_a_return_counts_half() -> None:
    assert decay_of_half_life(300, 300) == 0.5
    assert decay_of_half_life(3_600, 300) ** 12 == pytest.approx(0.5)


def test_constant_variance_is_told_from_the_first_return_on() -> None:
    rates = ewma_variance_rates((0.01, -0.01) * 10, 100)
    assert rates == pytest.approx([1e-6] * 20)


def test_what_cannot_be_is_refused() -> None:
    for decay in (0.0, 1.0, -0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            ewma_variance_rate((0.1,) * 20, 300, decay)
    for half_life, step in ((0, 300), (-1, 300), (300, 0)):
        with pytest.raises(ValueError, match="above 0"):
            decay_of_half_life(half_life, step)


def test_too_little_history_says_how_much_is_needed() -> None:
    assert ewma_variance_rate((0.1,) * 19, 300) == Missing(
        "EWMA variance needs 20 returns of 300 s, found 19; limits.history_s "
        "of more than 1 h 40 min tells them"
    )
    assert isinstance(ewma_variance_rates((0.0,) * 30, 300), Missing)


@settings(max_examples=40)
@given(st.integers(20, 39), st.floats(-1, 1))
def test_an_estimate_knows_nothing_later(known: int, other: float) -> None:
    returns = normal_returns(40)
    changed = (*returns[:known], *(other + 0.01 for _ in returns[known:]))
    before, after = ewma_variance_rates(returns, 300), ewma_variance_rates(changed, 300)
    assert not isinstance(before, Missing)
    assert not isinstance(after, Missing)
    assert before[:known] == after[:known]
