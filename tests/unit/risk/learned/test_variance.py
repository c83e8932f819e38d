"""Boosted trees find what rules cannot see, and are not used where there is nothing to find."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lpmanager.risk.learned.in_use import beaten, stricter_within_reach, within_reach
from lpmanager.risk.learned.variance import LOOKBACK, LearnedForecaster
from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.contest import Contest, Score, contest, next_of, walk_forward
from lpmanager.risk.volatility.forecasters import (
    EwmaForecaster,
    HarForecaster,
    hourly_forecasters,
)
from lpmanager.risk.volatility.har import HOUR_QUARTER_DAY
from lpmanager.risk.volatility.periods import Periods

TREES = LearnedForecaster()
RULES = (EwmaForecaster(), HarForecaster(HOUR_QUARTER_DAY))
CALM, WILD = 1e-5, 16e-5


def market(count: int, seed: int = 1) -> Periods:
    """Wild after two rises in a row, which no mean of past variances tells."""
    random = np.random.default_rng(seed)
    returns: list[float] = []
    variances: list[float] = []
    for _ in range(count):
        rises = len(returns) > 1 and min(returns[-2:]) > 0
        true = WILD if rises else CALM
        variances.append(true * random.chisquare(12) / 12)
        returns.append(math.sqrt(true) * random.standard_normal())
    return Periods(period_s=3_600, returns=tuple(returns), variances=tuple(variances))


def plain(count: int) -> Periods:
    """The same variance always, measured with noise."""
    random = np.random.default_rng(2)
    variances = CALM * random.chisquare(12, count) / 12
    returns = math.sqrt(CALM) * random.standard_normal(count)
    return Periods(
        period_s=3_600, returns=tuple(returns.tolist()), variances=tuple(variances.tolist())
    )


def decided(periods: Periods) -> Contest:
    found = contest(periods, (*RULES, TREES), first=400, refit_every=60)
    assert isinstance(found, Contest), found
    return found


def test_what_hangs_on_more_than_past_variances_is_learned() -> None:
    found = decided(market(460))
    assert found.winner == TREES.name
    assert beaten(found, TREES.name) is None


def test_where_there_is_nothing_to_learn_the_rules_are_used() -> None:
    missing = beaten(decided(plain(460)), TREES.name)
    assert isinstance(missing, Missing)
    assert "boosted trees is not used: its out-of-sample QLIKE over 60 periods" in missing.reason


def test_nothing_later_than_a_period_changes_its_forecast() -> None:
    """Neither what comes after its stretch nor what comes later in it."""
    one = market(340)
    first = walk_forward(one, TREES, first=305, refit_every=20)
    assert isinstance(first, tuple)
    for known in (325, 315):
        other = replace(
            one,
            returns=one.returns[:known] + (0.5,) * (340 - known),
            variances=one.variances[:known] + (9.0,) * (340 - known),
        )
        second = walk_forward(other, TREES, first=305, refit_every=20)
        assert isinstance(second, tuple)
        same = known - 305 + 1
        assert first[:same] == second[:same]
        assert first[same] != second[same]


def test_a_stretch_is_forecast_to_the_last_bit_as_its_periods_one_by_one() -> None:
    """Each of which is told nothing but the periods before it."""
    periods = market(420)
    for forecaster in (*hourly_forecasters(), TREES):
        forecast = forecaster.fit(periods.first(330))
        assert not isinstance(forecast, Missing)
        alone = [next_of(forecast, periods.first(number)) for number in range(330, 421)]
        assert list(forecast(periods, 330)) == alone


def test_a_burst_that_is_announced_is_forecast_at_its_size() -> None:
    """A large return comes before a burst; the mean that a forecast is a multiple of has not seen
    the burst yet."""
    burst = [number % 15 == 14 for number in range(600)]
    announced = [*burst[1:], True]
    periods = Periods(
        period_s=3_600,
        returns=tuple(0.5 if each else 1e-3 for each in announced),
        variances=tuple(400 * CALM if each else CALM for each in burst),
    )
    forecast = TREES.fit(periods)
    assert not isinstance(forecast, Missing)
    assert next_of(forecast, periods.first(599)) == pytest.approx(400 * CALM, rel=0.25)
    assert next_of(forecast, periods.first(598)) == pytest.approx(CALM, rel=0.25)


def test_forecasts_are_in_the_unit_of_the_variances() -> None:
    small = market(340)
    large = replace(
        small,
        returns=tuple(10 * each for each in small.returns),
        variances=tuple(100 * each for each in small.variances),
    )
    forecasts = []
    for each in (small, large):
        forecast = TREES.fit(each)
        assert not isinstance(forecast, Missing)
        forecasts.append(next_of(forecast, each))
    assert forecasts[1] == pytest.approx(100 * forecasts[0], rel=1e-6)
    assert CALM / 3 < forecasts[0] < 3 * WILD


def test_too_short_or_too_still_a_history_says_so() -> None:
    short = TREES.fit(market(299))
    assert short == Missing("boosted trees need 300 periods of 3600 s, found 299")
    still = market(400)
    still = replace(still, variances=still.variances[:190] + (0.0,) * 210)
    found = TREES.fit(still)
    assert isinstance(found, Missing)
    assert "stood still in 210 of 400" in found.reason


def test_a_forecast_needs_what_it_looks_back_on() -> None:
    forecast = TREES.fit(market(320))
    assert not isinstance(forecast, Missing)
    with pytest.raises(ValueError, match=f"look back {LOOKBACK}"):
        next_of(forecast, market(LOOKBACK - 1))


# ---- when it is used ----


def result(**losses: float) -> Contest:
    scores = sorted((Score(name=n, qlike=q) for n, q in losses.items()), key=lambda s: s.qlike)
    return Contest(scores=tuple(scores), left_out=(), scored=100)


def test_the_learned_forecast_must_beat_every_rule() -> None:
    assert beaten(result(trees=0.4, HAR=0.5, EWMA=0.6), "trees") is None
    for losses in ({"trees": 0.5, "HAR": 0.5}, {"trees": 0.55, "HAR": 0.5, "EWMA": 0.6}):
        missing = beaten(result(**losses), "trees")
        assert isinstance(missing, Missing)
        assert "that of HAR 0.5000" in missing.reason


def test_who_took_no_part_is_not_used() -> None:
    left_out = (("trees", Missing("it needs more")),)
    found = Contest(scores=(Score(name="HAR", qlike=0.5),), left_out=left_out, scored=100)
    assert beaten(found, "trees") == Missing("trees took no part: it needs more")


def test_a_rule_that_took_no_part_was_not_beaten() -> None:
    """The trees are the best of those that did."""
    left_out = (("HAR", Missing("it needs more")), ("GARCH", Missing("it does not converge")))
    found = replace(result(trees=0.2, EWMA=0.3), left_out=left_out)
    assert beaten(found, "trees") == Missing(
        "trees is not used: it was not compared with HAR (it needs more) and GARCH (it does not "
        "converge)"
    )


@pytest.mark.parametrize("losses", [{"trees": 0.5}, {"HAR": 0.5}])
def test_to_win_against_nobody_says_nothing(losses: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="and others"):
        beaten(result(**losses), "trees")


def test_what_is_learned_moves_the_rule_by_no_more_than_its_reach() -> None:
    assert within_reach(1.5, 1.0) == 1.5
    assert within_reach(9.0, 1.0) == 2.0
    assert within_reach(0.1, 1.0) == 0.5
    assert within_reach(0.1, 1.0, reach=1.0) == 1.0


@pytest.mark.parametrize(("learned", "rule"), [(0.0, 1.0), (1.0, math.nan), (math.nan, 1.0)])
def test_a_variance_that_is_none_is_refused(learned: float, rule: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        within_reach(learned, rule)


@pytest.mark.parametrize(
    ("learned", "judged"), [(0.0, 0.3), (0.3, 0.3), (0.45, 0.45), (0.6, 0.6), (1.0, 0.6)]
)
def test_a_learned_share_makes_a_limit_stricter_within_reach_and_never_looser(
    learned: float, judged: float
) -> None:
    assert stricter_within_reach(learned, 0.3) == judged
    assert stricter_within_reach(learned, 0.0) == 0.0


@pytest.mark.parametrize(("learned", "measured"), [(1.1, 0.5), (0.5, -0.1), (math.nan, 0.5)])
def test_a_share_that_is_none_is_refused(learned: float, measured: float) -> None:
    with pytest.raises(ValueError, match=r"shares are in \[0, 1\]"):
        stricter_within_reach(learned, measured)
