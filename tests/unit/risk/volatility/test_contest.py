"""Forecasters against each other, each on what was over by then."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.contest import Contest, Forecast, contest, one_by_one, walk_forward
from lpmanager.risk.volatility.periods import Periods


def periods(*variances: float) -> Periods:
    return Periods(period_s=3_600, returns=(0.0,) * len(variances), variances=variances)


RISING = periods(*(1.0 + number for number in range(60)))


@dataclass
class Says:
    """Forecasts by a rule, and keeps what it was fitted on."""

    name: str
    rule: Callable[[Periods], float]
    fitted_on: list[int] = field(default_factory=list)

    def fit(self, history: Periods) -> Forecast:
        self.fitted_on.append(len(history))
        return one_by_one(self.rule)


@dataclass
class Unfit:
    name: str = "unfit"

    def fit(self, history: Periods) -> Missing:
        return Missing(f"it needs 999 periods, found {len(history)}")


LAST = Says("last", lambda history: history.variances[-1])
ONE = Says("one", lambda history: 1.0)


def decided(*forecasters: Says | Unfit) -> Contest:
    found = contest(RISING, forecasters, first=5, refit_every=10)
    assert isinstance(found, Contest), found
    return found


def test_the_lowest_loss_wins_whoever_is_named_first() -> None:
    for order in ((ONE, LAST), (LAST, ONE)):
        found = decided(*order)
        assert found.winner == "last"
        assert [score.name for score in found.scores] == ["last", "one"]
        assert found.scores[0].qlike < found.scores[1].qlike
        assert found.scored == 55


def test_each_forecast_is_made_from_the_periods_before_it() -> None:
    assert walk_forward(RISING, LAST, first=5, refit_every=7) == RISING.variances[4:-1]


def test_it_is_fitted_again_from_time_to_time_on_the_past_alone() -> None:
    said = Says("x", lambda history: 1.0)
    walk_forward(RISING, said, first=5, refit_every=20)
    assert said.fitted_on == [5, 25, 45]


def test_who_cannot_be_fitted_takes_no_part_and_says_why() -> None:
    found = decided(Unfit(), LAST)
    assert [score.name for score in found.scores] == ["last"]
    assert found.left_out == (("unfit", Missing("it needs 999 periods, found 5")),)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_who_forecasts_no_variance_takes_no_part(wrong: float) -> None:
    found = decided(Says("wrong", lambda history: wrong if len(history) == 30 else 1.0), LAST)
    ((name, missing),) = found.left_out
    assert (name, missing.reason) == ("wrong", f"it forecast a variance of {wrong} for period 30")


def test_without_a_forecaster_there_is_no_winner() -> None:
    assert contest(RISING, [], first=5, refit_every=1) == Missing(
        "no forecaster could take part: none was given"
    )
    found = contest(RISING, [Unfit()], first=5, refit_every=1)
    assert isinstance(found, Missing)
    assert "unfit: it needs 999 periods" in found.reason


def test_a_contest_needs_periods_in_which_the_price_moved() -> None:
    still = periods(*(1.0,) * 54, *(0.0,) * 500)
    assert contest(still, [LAST], first=5, refit_every=1) == Missing(
        "a contest needs 50 periods of 3600 s with a price that moves after the first 5, found 49"
    )


def test_what_cannot_be_is_refused() -> None:
    for first, refit_every in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="at least 1"):
            walk_forward(RISING, LAST, first=first, refit_every=refit_every)
