"""Calm, usual or turbulent: entered late, left late, and never known in advance."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from price_series import normal_returns

from lpmanager.risk.missing import Missing
from lpmanager.risk.regimes.hysteresis import (
    Regime,
    RegimeReading,
    Thresholds,
    regime_now,
    regimes_of,
)

STEP_S = 300
CALM, USUAL, TURBULENT = Regime


def readings(returns: tuple[float, ...]) -> tuple[RegimeReading, ...]:
    found = regimes_of(returns, STEP_S)
    assert not isinstance(found, Missing), found
    return found


def now(returns: tuple[float, ...]) -> RegimeReading:
    found = regime_now(returns, STEP_S)
    assert isinstance(found, RegimeReading), found
    return found


def changes(returns: tuple[float, ...], thresholds: Thresholds) -> int:
    found = regimes_of(returns, STEP_S, thresholds=thresholds)
    assert not isinstance(found, Missing), found
    return sum(before.regime is not after.regime for before, after in pairwise(found))


DAY = normal_returns(288)
WILD_HOUR = normal_returns(12, 0.005, seed=2)
QUIET_HOURS = normal_returns(36, 0.0002, seed=3)


def test_a_day_of_one_volatility_is_usual() -> None:
    for seed in range(5):
        assert {r.regime for r in readings(normal_returns(288, seed=seed))} == {USUAL}


def test_a_wild_hour_is_turbulent_and_quiet_hours_are_calm() -> None:
    assert now((*DAY, *WILD_HOUR)).regime is TURBULENT
    assert now((*DAY, *QUIET_HOURS)).regime is CALM
    assert now((*DAY, *WILD_HOUR, *normal_returns(60, seed=4))).regime is USUAL


def test_the_ratio_is_of_recent_to_long_volatility() -> None:
    steady = (0.001, -0.001) * 30
    assert now(steady).ratio == pytest.approx(1)
    found = now((*steady, 0.01))
    decay = 0.5 ** (1 / 12)
    recent = 1e-6 + (1e-4 - 1e-6) * (1 - decay) / (1 - decay**61)
    assert found.ratio == pytest.approx(math.sqrt(recent / ((60e-6 + 1e-4) / 61)))


@pytest.mark.parametrize(
    ("before", "ratio", "after"),
    [
        (USUAL, 0.6, USUAL),
        (USUAL, 0.59, CALM),
        (CALM, 0.74, CALM),
        (CALM, 0.75, USUAL),
        (CALM, 1.61, TURBULENT),
        (USUAL, 1.6, USUAL),
        (USUAL, 1.61, TURBULENT),
        (TURBULENT, 1.31, TURBULENT),
        (TURBULENT, 1.3, USUAL),
        (TURBULENT, 0.59, CALM),
    ],
)
def test_entering_takes_more_than_staying(before: Regime, ratio: float, after: Regime) -> None:
    assert Thresholds().next(before, ratio) is after


def test_a_volatility_that_wavers_about_a_threshold_does_not_flicker() -> None:
    """Half hours of 2.3 and of 1.2 times the usual, after a usual day."""
    wavering = DAY
    for _ in range(6):
        wavering = (*wavering, *(0.0023, -0.0023) * 3, *(0.0012, -0.0012) * 3)
    one_threshold = Thresholds(
        enter_calm=0.6, leave_calm=0.6001, leave_turbulent=1.5999, enter_turbulent=1.6
    )
    assert changes(wavering, one_threshold) > 3
    assert changes(wavering, Thresholds()) == 1


def test_a_regime_says_how_long_it_has_lasted() -> None:
    found = readings((*DAY, *WILD_HOUR))
    entered = next(place for place, r in enumerate(found) if r.regime is TURBULENT)
    assert found[entered].lasted_s == STEP_S
    assert found[-1].lasted_s == (len(found) - entered) * STEP_S
    assert found[287].lasted_s == 288 * STEP_S


def test_a_regime_knows_nothing_later() -> None:
    assert readings((*DAY, *WILD_HOUR))[:288] == readings((*DAY, *QUIET_HOURS))[:288]
    assert readings((*DAY, *WILD_HOUR))[288:] != readings((*DAY, *QUIET_HOURS[:12]))[288:]


def test_a_price_that_begins_to_move_late_is_usual_until_then() -> None:
    found = readings((*(0.0,) * 60, 0.01))
    assert {r.ratio for r in found[:60]} == {1.0}
    assert found[-1].regime is TURBULENT


def test_too_little_history_says_how_much_is_needed() -> None:
    assert regime_now(DAY[:47], STEP_S) == Missing(
        "the volatility regime needs 48 returns of 300 s, found 47; limits.history_s "
        "of more than 4 h tells them"
    )
    assert isinstance(regime_now(DAY[:48], STEP_S), RegimeReading)
    assert isinstance(regime_now((0.0,) * 300, STEP_S), Missing)


@pytest.mark.parametrize(
    "wrong",
    [
        {"enter_calm": 0.0},
        {"enter_calm": 0.8},
        {"leave_turbulent": 0.7},
        {"enter_turbulent": 1.3},
        {"enter_turbulent": math.inf},
        {"leave_calm": math.nan},
    ],
)
def test_thresholds_that_do_not_rise_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must rise from above 0"):
        Thresholds(**wrong)


def test_a_step_without_time_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 s, found 0"):
        regime_now(DAY, 0)
