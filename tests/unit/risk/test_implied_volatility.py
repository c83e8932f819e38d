"""The volatility that fees pay for."""

from __future__ import annotations

import math

import pytest
from builders import a_market

from lpmanager.risk.implied_volatility import (
    annual_volatility,
    full_range_break_even_variance_rate,
    implied_variance_rate,
    implied_variance_rate_of_growth,
    lambert_annual_volatility,
)
from lpmanager.risk.lvr import break_even_fee_rate
from lpmanager.risk.missing import Missing

DAY = 86_400


def test_lamberts_reference() -> None:
    found = lambert_annual_volatility(fee=0.003, day_volume=5.0, tick_liquidity_value=1.0)
    assert found == pytest.approx(0.2563201, abs=1e-7)


def test_the_break_even_of_a_full_range() -> None:
    rate = full_range_break_even_variance_rate(fee=0.003, day_volume=0.2, pool_value=1.0)
    assert isinstance(rate, float)
    assert math.sqrt(rate * DAY) == pytest.approx(0.06928203, abs=1e-8)
    assert annual_volatility(rate) == pytest.approx(1.323631, abs=1e-6)


def test_fees_that_just_pay_imply_the_volatility_that_they_pay_for() -> None:
    variance, sqrt_price = 0.05**2 / DAY, 44.7
    paid = break_even_fee_rate(sqrt_price, variance)
    assert implied_variance_rate(paid, sqrt_price) == pytest.approx(variance)


@pytest.mark.parametrize("began", [0, 2**256 - 1])
def test_fee_growth_counters_tell_the_same_also_where_they_wrap_around(began: int) -> None:
    snapshot = a_market(tick=1_000)
    sqrt_price = snapshot.state.sqrt_price_x96 / 2**96
    grown0, grown1 = 2**128 // 1_000, 2**128 // 500
    found = implied_variance_rate_of_growth(
        growth0_x128=(began + grown0) % 2**256 - began,
        growth1_x128=grown1,
        sqrt_price=sqrt_price,
        seconds=100,
    )
    fees = (sqrt_price**2 / 1_000 + 1 / 500) / 100
    assert found == pytest.approx(implied_variance_rate(fees, sqrt_price))


def test_nothing_to_divide_by_is_missing() -> None:
    empty = lambert_annual_volatility(fee=0.003, day_volume=5.0, tick_liquidity_value=0.0)
    none = full_range_break_even_variance_rate(fee=0.003, day_volume=1.0, pool_value=0.0)
    at_once = implied_variance_rate_of_growth(
        growth0_x128=1, growth1_x128=1, sqrt_price=1.0, seconds=0
    )
    for found, word in ((empty, "liquidity"), (none, "holds something"), (at_once, "apart")):
        assert isinstance(found, Missing)
        assert word in found.reason


def test_a_price_of_0_and_fees_that_are_no_number_are_refused() -> None:
    with pytest.raises(ValueError, match="sqrt_price"):
        implied_variance_rate(1.0, 0.0)
    with pytest.raises(ValueError, match="fee_rate"):
        implied_variance_rate(math.nan, 1.0)
