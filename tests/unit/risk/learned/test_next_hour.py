"""The forecast that is believed: the best rule, or what is learned while it beats all of them."""

from __future__ import annotations

import math
import random

from price_series import normal_returns, path_along

from lpmanager.risk.learned.in_use import REACH
from lpmanager.risk.learned.next_hour import FIRST, HOUR_S, NextHour, next_hour
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.volatility.contest import next_of
from lpmanager.risk.volatility.forecasters import hourly_forecasters
from lpmanager.risk.volatility.periods import Periods, periods_of

STEP_S, STEPS = 300, 12
CALM, WILD = 1e-3, 6e-3


def a_path_of_hours(count: int) -> PricePath:
    """Every hour is like every other."""
    return path_along(normal_returns(count * STEPS, CALM), STEP_S)


def a_path_wild_after_two_rises(count: int) -> PricePath:
    """Which no mean of past variances tells; and the last two hours rose."""
    rng = random.Random(5)
    hours: list[list[float]] = []
    for _ in range(count):
        rose = len(hours) > 1 and all(sum(hour) > 0 for hour in hours[-2:])
        hours.append([rng.gauss(0, WILD if rose else CALM) for _ in range(STEPS)])
    ended = next(
        number
        for number in range(count, 0, -1)
        if sum(hours[number - 1]) > 0 and sum(hours[number - 2]) > 0
    )
    return path_along([change for hour in hours[:ended] for change in hour], STEP_S)


def found(path: PricePath) -> NextHour:
    told = next_hour(path)
    assert isinstance(told, NextHour), told
    return told


def test_where_there_is_nothing_to_learn_the_best_rule_tells_the_next_hour() -> None:
    told = found(a_path_of_hours(FIRST + 60))
    names = [score.name for score in told.contest.scores]
    assert "boosted trees" in names
    assert told.used == next(name for name in names if name != "boosted trees")
    assert told.unused is not None
    assert told.contest.scored == 60
    assert math.isclose(told.variance_rate * HOUR_S, STEPS * CALM**2, rel_tol=0.5)


def test_what_is_learned_is_used_while_it_beats_the_rules_and_stays_within_their_reach() -> None:
    path = a_path_wild_after_two_rises(FIRST + 170)
    told = found(path)
    assert (told.used, told.unused) == ("boosted trees", None)
    assert told.contest.winner == told.used
    periods = periods_of(path, period_s=HOUR_S, step_s=STEP_S)
    assert isinstance(periods, Periods)
    best = next(score.name for score in told.contest.scores if score.name != told.used)
    (rule,) = [each.fit(periods) for each in hourly_forecasters() if each.name == best]
    assert not isinstance(rule, Missing)
    by_rule = REACH * next_of(rule, periods)
    assert math.isclose(told.variance_rate * HOUR_S, by_rule, rel_tol=1e-9)


def test_a_short_path_says_what_a_contest_needs() -> None:
    assert next_hour(a_path_of_hours(FIRST + 49)) == Missing(
        f"a contest needs 50 periods of 3600 s with a price that moves after the first {FIRST}, "
        "found 49"
    )
    assert next_hour(PricePath((0, 60), (0.0, 0.1))) == Missing(
        "a period needs 12 returns of 300 s, found 0"
    )
