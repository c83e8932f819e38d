"""The volatility that fees pay for."""

from __future__ import annotations

import math

import pytest

from lpmanager.risk.implied_volatility import annual_volatility, implied_variance_rate
from lpmanager.risk.lvr import break_even_fee_rate

DAY = 86_400


def test_the_break_even_of_a_full_range() -> None:
    """A pool over all prices at a price of 1, of value 1 and so of liquidity 1/2, is paid 0.3 % of
    a fifth of its value a day."""
    rate = implied_variance_rate(0.003 * 0.2 / 0.5 / DAY, sqrt_price=1.0)
    assert math.sqrt(rate * DAY) == pytest.approx(0.06928203, abs=1e-8)
    assert annual_volatility(rate) == pytest.approx(1.323631, abs=1e-6)


def test_a_tick_that_is_traded_five_times_a_day() -> None:
    """Lambert (2021): 2 * fee * sqrt(volume of a day / value in the current tick) a root day. His
    tick is a tick spacing, twice the fee wide, which holds liquidity * sqrt(P) * fee."""
    fee, liquidity, sqrt_price = 0.003, 7e5, 44.7
    volume = 5 * liquidity * sqrt_price * fee
    rate = implied_variance_rate(fee * volume / liquidity / DAY, sqrt_price)
    assert annual_volatility(rate) == pytest.approx(0.2563201, abs=1e-7)


def test_fees_that_just_pay_imply_the_volatility_that_they_pay_for() -> None:
    variance, sqrt_price = 0.05**2 / DAY, 44.7
    paid = break_even_fee_rate(sqrt_price, variance)
    assert implied_variance_rate(paid, sqrt_price) == pytest.approx(variance)


def test_a_price_of_0_and_fees_that_are_no_number_are_refused() -> None:
    with pytest.raises(ValueError, match="sqrt_price"):
        implied_variance_rate(1.0, 0.0)
    with pytest.raises(ValueError, match="fee_rate"):
        implied_variance_rate(math.nan, 1.0)
