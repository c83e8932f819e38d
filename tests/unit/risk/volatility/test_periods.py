"""A path cut into periods."""

from __future__ import annotations

import math

import pytest
from price_series import path_along

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.periods import Periods, periods_of


def test_periods_end_where_the_path_ends() -> None:
    path = path_along((9.0, 1.0, -2.0, 3.0, 4.0), 60)
    periods = periods_of(path, period_s=120, step_s=60)
    assert periods == Periods(period_s=120, returns=(-1.0, 7.0), variances=(5.0, 25.0))


def test_a_path_of_whole_periods_loses_none() -> None:
    periods = periods_of(path_along((1.0, -2.0, 3.0, 4.0), 60), period_s=120, step_s=60)
    assert isinstance(periods, Periods)
    assert periods.returns == (-1.0, 7.0)


def test_a_path_shorter_than_a_period_has_none() -> None:
    found = periods_of(path_along((0.1, 0.2), 300), period_s=3_600, step_s=300)
    assert found == Missing("a period needs 12 returns of 300 s, found 2")


def test_a_period_is_a_whole_number_of_steps() -> None:
    for period_s, step_s in ((100, 60), (60, 0)):
        with pytest.raises(ValueError, match="not a whole number of steps"):
            periods_of(path_along((0.1,), 60), period_s=period_s, step_s=step_s)


def test_the_first_periods_are_what_was_known_then() -> None:
    periods = Periods(period_s=60, returns=(1.0, 2.0, 3.0), variances=(4.0, 5.0, 6.0))
    assert periods.first(2) == Periods(period_s=60, returns=(1.0, 2.0), variances=(4.0, 5.0))
    assert len(periods.first(0)) == 0
    for count in (-1, 4):
        with pytest.raises(ValueError, match=f"cannot take {count} of 3 periods"):
            periods.first(count)


@pytest.mark.parametrize(
    ("returns", "variances", "said"),
    [
        ((1.0,), (), "1 returns, but 0 variances"),
        ((math.nan,), (1.0,), "return of a period"),
        ((1.0,), (math.inf,), "realised variance"),
        ((1.0,), (math.nan,), "realised variance"),
        ((1.0,), (-1.0,), "realised variance"),
    ],
)
def test_what_is_no_period_is_refused(
    returns: tuple[float, ...], variances: tuple[float, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Periods(period_s=60, returns=returns, variances=variances)


def test_a_period_lasts() -> None:
    with pytest.raises(ValueError, match="at least 1 s, found 0"):
        Periods(period_s=0, returns=(), variances=())
