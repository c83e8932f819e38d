"""How wide the price swings, and what it is worth to know where."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.risk.lookback import (
    expected_log_range,
    expected_squared_log_range,
    hindsight_price,
    lookback_call,
    lookback_put,
    parkinson_variance_rate,
)
from lpmanager.risk.missing import Missing

DAY = 86_400
FIVE_PERCENT_A_DAY = 0.05**2 / DAY


def test_the_range_of_a_week_at_five_percent_a_day() -> None:
    assert expected_log_range(FIVE_PERCENT_A_DAY, 7 * DAY) == pytest.approx(0.21110041, abs=5e-9)
    assert expected_squared_log_range(FIVE_PERCENT_A_DAY, 7 * DAY) == pytest.approx(
        0.04852030, abs=5e-9
    )


def test_a_price_that_does_not_move_has_no_range() -> None:
    assert expected_log_range(0, DAY) == expected_log_range(1e-9, 0) == 0
    assert hindsight_price(price=2_000, variance_rate=0, seconds=DAY) == 0


def test_parkinsons_variance_is_the_one_that_makes_such_ranges() -> None:
    swing = math.sqrt(expected_squared_log_range(FIVE_PERCENT_A_DAY, 3_600))
    assert parkinson_variance_rate((swing,) * 10, 3_600) == pytest.approx(FIVE_PERCENT_A_DAY)
    assert parkinson_variance_rate((0.0, swing) * 10, 3_600) == pytest.approx(
        FIVE_PERCENT_A_DAY / 2
    )


def test_parkinson_without_bars_or_moves_says_so() -> None:
    assert parkinson_variance_rate((0.1,) * 9, 60) == Missing(
        "Parkinson's variance needs 10 bars of 60 s, found 9"
    )
    assert isinstance(parkinson_variance_rate((0.0,) * 99, 60), Missing)
    for wrong in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="is low above high"):
            parkinson_variance_rate((0.1, wrong), 60)
    with pytest.raises(ValueError, match="at least 1 s"):
        parkinson_variance_rate((0.1,) * 10, 0)


def test_lookbacks_without_carry_have_the_reference_values() -> None:
    """Discounted at 5 % over a year, as the values were."""
    discount = math.exp(-0.05)
    call = lookback_call(price=100, lowest=90, spread=0.3)
    put = lookback_put(price=100, highest=110, spread=0.3)
    assert discount * call == pytest.approx(21.817075601551579, abs=1e-9)
    assert discount * put == pytest.approx(26.407720137984153, abs=1e-9)


def test_an_extreme_far_away_is_the_one_that_stays() -> None:
    assert lookback_call(price=100, lowest=1, spread=0.05) == pytest.approx(99)
    assert lookback_put(price=100, highest=300, spread=0.05) == pytest.approx(200)
    assert lookback_call(price=100, lowest=90, spread=0) == 10
    assert lookback_put(price=100, highest=110, spread=0) == 10


@settings(max_examples=40)
@given(st.floats(1e-6, 0.2))
def test_for_a_short_time_hindsight_is_the_log_range_times_the_price(spread: float) -> None:
    worth = hindsight_price(price=2_000, variance_rate=spread**2, seconds=1)
    assert worth == pytest.approx(2_000 * expected_log_range(spread**2, 1), rel=spread**2)


def test_what_cannot_be_is_refused() -> None:
    for wrong in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="variance rate must be finite"):
            expected_log_range(wrong, 1)
        with pytest.raises(ValueError, match="time must be finite"):
            hindsight_price(price=1, variance_rate=1, seconds=wrong)
    for price, lowest in ((100, 101), (100, 0), (math.nan, 90), (math.inf, 90)):
        with pytest.raises(ValueError, match="the lowest price"):
            lookback_call(price=price, lowest=lowest, spread=0.1)
    for price, highest in ((100, 99), (0, 99), (math.nan, 110), (100, math.inf)):
        with pytest.raises(ValueError, match="the highest price"):
            lookback_put(price=price, highest=highest, spread=0.1)
