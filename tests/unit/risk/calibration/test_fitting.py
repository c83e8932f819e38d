"""Making a calibration: each part of it from the history alone, or what that part needs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import pytest
from calibration_builders import HOUR_S, STEP_S
from price_series import normal_returns, path_along

from lpmanager.risk.calibration import fitting
from lpmanager.risk.calibration.calibration import (
    Calibration,
    RegimeCalibration,
    ToxicityCalibration,
    VolatilityCalibration,
)
from lpmanager.risk.calibration.fitting import calibrate
from lpmanager.risk.calibration.rules import next_variance
from lpmanager.risk.learned.next_hour import NextHour, next_hour
from lpmanager.risk.learned.toxic_share import FlowPeriods
from lpmanager.risk.learned.toxicity import toxicity_contest
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.volatility.contest import Forecaster
from lpmanager.risk.volatility.forecasters import (
    EwmaForecaster,
    GarchForecaster,
    HarForecaster,
)

CALM, WILD = 5e-4, 2e-3
#: The last of the stretches of returns began so many steps before the end.
LAST_STRETCH = 160


def a_switching_path(hours: int) -> PricePath:
    """Calm and wild by turns, two days each; at its end wild for some hours."""
    steps = hours * HOUR_S // STEP_S
    returns: list[float] = []
    while len(returns) < steps:
        wild = (len(returns) // 576) % 2 == 1
        returns += normal_returns(576, WILD if wild else CALM, seed=len(returns))
    calm, wild_end = returns[: steps - LAST_STRETCH], normal_returns(LAST_STRETCH, WILD, seed=9)
    quiet = normal_returns(576, CALM, seed=10)
    return path_along([*calm[:-576], *quiet, *wild_end], STEP_S)


FIRST = 210
NO_FLOW = Missing("no swaps are known")


def a_flow(hours: int, *, ends: int) -> FlowPeriods:
    """Toxic two hours after each hour of large volume."""
    return FlowPeriods(
        toxic_shares=tuple(0.8 if number % 3 == 2 else 0.2 for number in range(hours)),
        volumes=tuple(1.0 if number % 3 else 10.0 for number in range(hours)),
        variances=(1.0,) * hours,
        period_s=HOUR_S,
        ends=ends,
    )


PATH = a_switching_path(FIRST + 51)


@pytest.mark.parametrize(
    ("forecaster", "hours", "close"),
    [
        (EwmaForecaster(), 168, 1e-3),
        (HarForecaster((1, 6, 24)), 24, 1e-9),
        (GarchForecaster(), 2, 1e-9),
    ],
)
def test_what_is_kept_of_a_rule_forecasts_as_the_rule_did_on_all_of_the_history(
    forecaster: Forecaster, hours: int, close: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few of its hours are kept, where the rule does not look back on more."""
    monkeypatch.setattr(fitting, "_KEPT_HOURS", hours)
    for module in ("learned.next_hour", "volatility.forecasters"):
        monkeypatch.setattr(f"lpmanager.risk.{module}.hourly_forecasters", lambda: (forecaster,))
    # too short for trees, which would only take time here
    monkeypatch.setattr("lpmanager.risk.learned.next_hour.FIRST", FIRST)
    for part in ("_regimes", "_last_change"):
        monkeypatch.setattr(fitting, part, lambda _: Missing("not asked"))
    told = next_hour(PATH)
    assert isinstance(told, NextHour)
    made = calibrate(PATH, NO_FLOW)
    assert isinstance(made, Calibration), made
    found = made.volatility
    assert isinstance(found, VolatilityCalibration), found
    assert (found.rule_name, found.scores) == (forecaster.name, told.contest.scores)
    assert (found.scored, found.learned_rate) == (51, None)
    rate = next_variance(found.rule, found.recent) / HOUR_S
    assert rate == pytest.approx(told.variance_rate, rel=close)


def test_regimes_and_the_last_change_need_less_history_than_a_forecast() -> None:
    path = a_switching_path(100)
    made = calibrate(path, NO_FLOW)
    assert isinstance(made, Calibration), made
    assert made.made_at == path.times[-1]
    assert isinstance(made.volatility, Missing)
    assert "a contest needs 50 periods of 3600 s" in made.volatility.reason
    regimes = made.regimes
    assert isinstance(regimes, RegimeCalibration), regimes
    assert regimes.model.calm_variance == pytest.approx(CALM**2, rel=0.2)
    assert regimes.model.turbulent_variance == pytest.approx(WILD**2, rel=0.2)
    assert regimes.turbulent > 0.99
    assert made.last_change == pytest.approx(made.made_at - LAST_STRETCH * STEP_S, abs=5 * STEP_S)


def test_too_short_a_history_says_what_each_part_needs() -> None:
    short = calibrate(PricePath((0, 300), (0.0, 0.1)), NO_FLOW)
    assert isinstance(short, Missing)
    needs = ("12 returns of 300 s", "100 returns of 300 s", "20 returns of 300 s", NO_FLOW.reason)
    for needed in needs:
        assert needed in short.reason


def test_of_a_long_history_only_the_newest_part_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MOST_S", 15 * STEP_S)
    made = calibrate(a_switching_path(20), NO_FLOW)
    assert isinstance(made, Missing)
    assert "100 returns of 300 s, found 15" in made.reason


def test_the_toxic_share_is_learned_of_the_hour_after_the_flow_and_of_its_newest_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "MOST_S", 310 * HOUR_S)
    for part in ("_volatility", "_regimes", "_last_change"):
        monkeypatch.setattr(fitting, part, lambda _: Missing("not asked"))
    ends = PATH.times[-1] - 400
    made = calibrate(PATH, a_flow(400, ends=ends))
    assert isinstance(made, Calibration), made
    found = made.toxicity
    assert isinstance(found, ToxicityCalibration), found
    assert (found.begins, found.period_s) == (ends, HOUR_S)
    assert found.contest == toxicity_contest(a_flow(400, ends=ends).newest(310))
    assert found.contest.scored == 155
    short = calibrate(PATH, a_flow(299, ends=ends))
    assert isinstance(short, Missing)
    assert "learned toxicity needs 300 periods of 3600 s, found 299" in short.reason


def without(*absent: str) -> Callable[[str], object]:
    return lambda name: None if name in absent else find_spec(name)


def test_a_part_whose_library_is_not_installed_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "find_spec", without("statsmodels", "sklearn", "arch"))
    made = calibrate(a_switching_path(40), a_flow(2, ends=0))
    assert isinstance(made, Calibration), made
    install = "pip install 'lpmanager[quant,ml]'"
    assert made.volatility == Missing(f"the forecast needs arch and sklearn: {install}")
    assert made.regimes == Missing(f"Markov switching needs statsmodels: {install}")
    assert made.toxicity == Missing(f"the toxic share needs sklearn: {install}")
    assert isinstance(made.last_change, int)
