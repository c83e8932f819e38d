"""The loss by which forecasts are told apart."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.scoring import mean_qlike, qlike

variances = st.floats(1e-12, 1e3)


def test_a_right_forecast_loses_nothing() -> None:
    assert qlike(0.3, 0.3) == 0


def test_half_and_double_by_hand() -> None:
    assert qlike(2.0, 1.0) == pytest.approx(1 - math.log(2))
    assert qlike(1.0, 2.0) == pytest.approx(math.log(2) - 1 / 2)


@settings(max_examples=40)
@given(variances, variances)
def test_a_wrong_forecast_loses_and_its_unit_does_not_matter(real: float, forecast: float) -> None:
    assert qlike(real, forecast) >= 0
    assert qlike(real * 7, forecast * 7) == pytest.approx(
        qlike(real, forecast), rel=1e-9, abs=1e-12
    )


@settings(max_examples=40)
@given(st.floats(1.01, 100))
def test_too_low_is_worse_than_as_much_too_high(factor: float) -> None:
    assert qlike(1.0, 1 / factor) > qlike(1.0, factor)


def test_the_mean_leaves_out_periods_without_a_move() -> None:
    assert mean_qlike((2.0, 0.0, 1.0), (1.0, 5.0, 1.0)) == pytest.approx((1 - math.log(2)) / 2)
    assert mean_qlike((0.0, 0.0), (1.0, 1.0)) == Missing(
        "QLIKE needs a period in which the price moved, found 0 of 2"
    )


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_a_forecast_that_is_no_variance_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="a forecast must be above 0"):
        qlike(1.0, wrong)
    with pytest.raises(ValueError, match="a realised variance must be above 0"):
        qlike(wrong, 1.0)
