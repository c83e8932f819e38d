"""A calibration at a later block: what it is told goes on over what came since, and its age."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from calibration_builders import (
    FIVE_PERCENT,
    HOUR_S,
    RULE,
    STEP_S,
    TWO_REGIMES,
    a_calibration,
    a_snapshot_after,
    a_toxic_hour,
    jumping,
)

from lpmanager.model import Snapshot
from lpmanager.risk.calibration.calibration import NOT_MADE, Calibration
from lpmanager.risk.calibration.live import (
    ForecastVolatility,
    still_good,
    toxic_share_at,
    turbulence_at,
    volatility_at,
)
from lpmanager.risk.calibration.rules import Ewma
from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.garch_model import Garch
from lpmanager.risk.volatility.har_model import Har

LOG_TICK = math.log(1.0001)
#: Two hours of a price that goes up and down by 100 ticks every five minutes, and their variance.
WILD = a_snapshot_after(jumping(24, 100))
WILD_HOUR = 12 * (100 * LOG_TICK) ** 2
QUIET_HOUR = FIVE_PERCENT * HOUR_S
DAY_S = 86_400


def made(before: int, snapshot: Snapshot = WILD, **told: object) -> Calibration:
    """A calibration made so many seconds before a snapshot."""
    return a_calibration(snapshot.block.timestamp - before, **told)


def forecast(calibration: Calibration, snapshot: Snapshot = WILD) -> ForecastVolatility:
    found = volatility_at(calibration, snapshot)
    assert isinstance(found, ForecastVolatility), found
    return found


# ---- its age ----


def test_a_calibration_is_good_up_to_its_age_and_named_stale_after_it() -> None:
    calibration = a_calibration(1_700_000_000)
    at = calibration.made_at + DAY_S
    assert still_good(calibration, at, DAY_S) is calibration
    stale = still_good(calibration, at + 1, DAY_S)
    assert stale == Missing(
        "the calibration is stale: it is of 2023-11-14 22:13 UTC, 1 d 1 s ago, and "
        "risk.max_calibration_age allows 1 d; run `lpm calibrate`"
    )


def test_a_calibration_from_after_the_block_is_not_used() -> None:
    early = still_good(a_calibration(1_700_000_001), 1_700_000_000, DAY_S)
    assert isinstance(early, Missing)
    assert "1 s after the block" in early.reason
    with pytest.raises(ValueError, match="1 s younger than the snapshot"):
        volatility_at(made(-1), WILD)
    for told in (turbulence_at, toxic_share_at):
        with pytest.raises(ValueError, match="1 s younger than the snapshot"):
            told(made(-1), WILD)


def test_none_stays_none() -> None:
    assert still_good(NOT_MADE, 0, DAY_S) is NOT_MADE


# ---- volatility ----


def test_each_rule_goes_on_over_the_hours_since() -> None:
    har = Har(horizons=(1, 6), constant=0, weights=(0.5, 0.5), noise=0, lowest=1e-9, highest=1)
    logs = [math.log(QUIET_HOUR)] * 4 + [math.log(WILD_HOUR)] * 2
    by_har = math.exp((logs[-1] + sum(logs) / 6) / 2)
    garch = Garch(mean=0.0, constant=1e-6, shock=0.2, persistence=0.7, freedom=8, start=QUIET_HOUR)
    quiet = (math.sqrt(QUIET_HOUR),) * 200
    by_garch = garch.forecast((*quiet, 0.0, 0.0))
    decay = 0.5
    by_ewma = 0.25 * QUIET_HOUR + 0.75 * WILD_HOUR
    for rule, expected in ((har, by_har), (garch, by_garch), (Ewma(decay=decay), by_ewma)):
        found = forecast(made(2 * HOUR_S, rule=rule))
        assert found.variance_rate * HOUR_S == pytest.approx(expected)
        assert (found.told_by, found.age_s) == (RULE, 2 * HOUR_S)


def test_hours_that_the_flow_does_not_reach_leave_the_forecast_as_it_was_made() -> None:
    assert forecast(made(3 * HOUR_S)).variance_rate == pytest.approx(FIVE_PERCENT)
    assert forecast(made(HOUR_S - 1)).variance_rate == pytest.approx(FIVE_PERCENT)


def test_without_a_flow_the_forecast_is_as_it_was_made() -> None:
    silent = replace(WILD, flow=None)
    assert forecast(made(2 * HOUR_S), silent).variance_rate == pytest.approx(FIVE_PERCENT)


def test_only_what_came_after_the_calibration_is_added() -> None:
    """Its own history has the hour before already."""
    one, two = (forecast(made(hours * HOUR_S)).variance_rate for hours in (1, 2))
    assert FIVE_PERCENT < one < two


def test_what_was_learned_moves_the_rule_within_reach_and_for_its_own_hour_alone() -> None:
    young = forecast(made(HOUR_S - 1, learned_rate=10 * FIVE_PERCENT))
    assert young.variance_rate == pytest.approx(2 * FIVE_PERCENT)
    assert young.told_by == f"boosted trees, within reach of {RULE}"
    near = forecast(made(0, learned_rate=1.1 * FIVE_PERCENT))
    assert near.variance_rate == pytest.approx(1.1 * FIVE_PERCENT)
    old = forecast(made(3 * HOUR_S, learned_rate=10 * FIVE_PERCENT))
    assert (old.variance_rate, old.told_by) == (pytest.approx(FIVE_PERCENT), RULE)


def test_a_part_that_was_not_made_says_why() -> None:
    missing = Missing("a contest needs 50 periods")
    calibration = replace(made(0), volatility=missing, regimes=missing)
    assert volatility_at(calibration, WILD) == missing
    assert turbulence_at(calibration, WILD) == missing
    assert toxic_share_at(replace(made(0), toxicity=missing), WILD) == missing


# ---- toxic flow ----


def toxic(before: int, begins_before: int, *, wins: bool = True) -> float | Missing:
    """What a calibration of so many seconds ago says, of a period that began even before it."""
    now = WILD.block.timestamp
    hour = a_toxic_hour(now - begins_before, 0.8, wins=wins)
    return toxic_share_at(made(before, toxicity=hour), WILD)


def test_what_is_learned_of_toxic_flow_is_of_one_hour_alone() -> None:
    assert toxic(0, 300) == 0.8
    assert toxic(HOUR_S - 301, HOUR_S - 1) == 0.8
    over = toxic(HOUR_S - 300, HOUR_S)
    assert isinstance(over, Missing)
    assert "is of the 3600 s from " in over.reason
    assert "over for 0 s; run `lpm calibrate`" in over.reason


def test_toxic_flow_that_a_mean_forecasts_better_is_not_learned() -> None:
    beaten = toxic(0, 0, wins=False)
    assert isinstance(beaten, Missing)
    assert "over 160 periods that it had not seen is 0.0300, that of the fading mean 0.0200" in (
        beaten.reason
    )


# ---- regimes ----


def chance(calibration: Calibration, snapshot: Snapshot = WILD) -> float:
    found = turbulence_at(calibration, snapshot)
    assert isinstance(found, float), found
    return found


def test_the_chance_of_turbulence_follows_what_came_since() -> None:
    assert chance(made(0)) == 0.1
    assert chance(made(2 * HOUR_S)) > 0.99
    still = a_snapshot_after(jumping(24, 1))
    assert chance(made(2 * HOUR_S, still, turbulent=0.9), still) < 0.1


def test_over_time_that_was_not_seen_the_chance_goes_back_to_the_long_run() -> None:
    silent = replace(WILD, flow=None)
    assert chance(made(100 * DAY_S, turbulent=1.0), silent) == pytest.approx(TWO_REGIMES.long_run)
    gap, seen = DAY_S, 24 * STEP_S
    before = TWO_REGIMES.after_unseen(0.1, gap // STEP_S)
    returns = tuple(100 * LOG_TICK * (-1) ** place for place in range(24))
    expected = TWO_REGIMES.turbulent_probabilities(returns, before)[-1]
    assert chance(made(gap + seen)) == pytest.approx(expected)


def test_the_filter_uses_no_return_from_before_the_calibration() -> None:
    quiet_then_wild = a_snapshot_after([*jumping(24, 1), *jumping(24, 100)[1:]])
    assert chance(made(2 * HOUR_S, quiet_then_wild), quiet_then_wild) == pytest.approx(
        chance(made(2 * HOUR_S)), rel=1e-6
    )
