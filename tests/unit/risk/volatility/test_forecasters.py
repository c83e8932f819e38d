"""The forecasters in a contest: on a market made by a law, and on a real one."""

from __future__ import annotations

import csv
import gzip
import math
import random
from dataclasses import replace
from datetime import datetime

import pytest
from market_builders import POLYGON_MINUTES, needs_data
from price_series import log_of

from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.volatility.contest import Contest, contest, walk_forward
from lpmanager.risk.volatility.forecasters import (
    EwmaForecaster,
    HarForecaster,
    LastHourForecaster,
    hourly_forecasters,
)
from lpmanager.risk.volatility.har import HOUR_QUARTER_DAY
from lpmanager.risk.volatility.periods import Periods, periods_of


def slowly_changing(count: int, *, seed: int = 11) -> Periods:
    """Periods whose log variance reverts by a tenth each period, seen with noise."""
    rng, level = random.Random(seed), 0.0
    returns, variances = [], []
    for _ in range(count):
        level += -0.1 * level + rng.gauss(0, 0.4)
        variance = math.exp(level - 9)
        returns.append(rng.gauss(0, math.sqrt(variance)))
        variances.append(variance * rng.gammavariate(6, 1 / 6))
    return Periods(period_s=3_600, returns=tuple(returns), variances=tuple(variances))


def other_after(periods: Periods, known: int) -> Periods:
    """The same market up to there, and a wild one from there on."""
    tail = len(periods) - known
    return replace(
        periods,
        returns=(*periods.returns[:known], *(0.5,) * tail),
        variances=(*periods.variances[:known], *(0.25,) * tail),
    )


def assert_nothing_later_is_known(periods: Periods, first: int, known: int) -> None:
    other = other_after(periods, known)
    for forecaster in hourly_forecasters():
        now = walk_forward(periods, forecaster, first=first, refit_every=168)
        then = walk_forward(other, forecaster, first=first, refit_every=168)
        assert not isinstance(now, Missing), now
        assert not isinstance(then, Missing), then
        # the forecast of period `known` is the last that rests on what was known
        assert now[: known - first + 1] == then[: known - first + 1]
        assert now[known - first + 1 :] != then[known - first + 1 :]


def test_all_take_part_and_those_that_remember_beat_a_plain_mean() -> None:
    periods = slowly_changing(500)
    plain = EwmaForecaster(decay=0.9999)
    found = contest(periods, (plain, *hourly_forecasters()), first=300, refit_every=100)
    assert isinstance(found, Contest), found
    assert found.left_out == ()
    assert [score.name for score in found.scores][-1] == plain.name
    assert found.winner == "HAR 1/6/24"
    assert {score.name for score in found.scores} == {
        "last hour",
        "EWMA 0.94",
        "EWMA 0.9999",
        "HAR 1/6/24",
        "HAR 1/24/168",
        "GARCH(1,1)-t",
    }


def test_the_last_hour_forecasts_the_next_and_is_judged_beside_the_others() -> None:
    periods = slowly_changing(60)
    told = walk_forward(periods, LastHourForecaster(), first=20, refit_every=40)
    assert told == pytest.approx(periods.variances[19:59], rel=1e-6)


def test_a_forecast_knows_nothing_later() -> None:
    assert_nothing_later_is_known(slowly_changing(450), first=300, known=400)


def test_who_has_too_little_history_says_so() -> None:
    short = slowly_changing(19)
    for forecaster in (*hourly_forecasters(), HarForecaster(HOUR_QUARTER_DAY)):
        fitted = forecaster.fit(short)
        assert isinstance(fitted, Missing)
        assert "found 19" in fitted.reason


@pytest.mark.realdata
@needs_data
def test_all_forecast_the_hours_of_a_real_month_and_know_nothing_later() -> None:
    with gzip.open(POLYGON_MINUTES, "rt") as file:
        rows = [(row["timestamp"], row["closeTick"]) for row in csv.DictReader(file)]
    minutes = {
        int(datetime.fromisoformat(f"{time[:19]}+00:00").timestamp()) + 60: log_of(float(tick))
        for time, tick in rows
        if tick
    }
    path = PricePath(tuple(minutes), tuple(minutes.values()))
    periods = periods_of(path, period_s=3_600, step_s=300)
    assert isinstance(periods, Periods), periods
    found = contest(periods, hourly_forecasters(), first=336, refit_every=168)
    assert isinstance(found, Contest), found
    assert (found.left_out, found.scored) == ((), 503)
    assert_nothing_later_is_known(periods.first(560), first=400, known=500)
