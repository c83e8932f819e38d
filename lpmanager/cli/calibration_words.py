"""A calibration in the words of a person, and for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lpmanager.cli.output import print_table
from lpmanager.cli.words import moment
from lpmanager.risk.calibration.calibration import (
    Calibration,
    RegimeCalibration,
    ToxicityCalibration,
    VolatilityCalibration,
)
from lpmanager.risk.calibration.rules import next_variance
from lpmanager.risk.implied_volatility import annual_volatility
from lpmanager.risk.missing import Missing

T = TypeVar("T")


def print_calibration(name: str, made: Calibration) -> None:
    """What was found, and what a part needs that could not be."""
    rows = [
        ("volatility", _unknown_or(made.volatility, _forecast)),
        ("out of sample", _unknown_or(made.volatility, _scores)),
        ("regimes", _unknown_or(made.regimes, _regimes)),
        ("last change", _unknown_or(made.last_change, lambda at: moment(at) if at else "none")),
        ("toxic flow", _unknown_or(made.toxicity, _toxicity)),
    ]
    print_table(f"{name}: calibrated up to {moment(made.made_at)}", ("what", "found"), rows)


def calibration_json(made: Calibration) -> dict[str, Any]:
    """The same for programs: volatilities per root year, times in Unix seconds; `missing` says what
    a part needs that could not be found."""
    return {
        "made_at": made.made_at,
        "volatility": _json_or(
            made.volatility,
            lambda found: {
                "qlike": {score.name: score.qlike for score in found.scores},
                "hours": found.scored,
                "rule": found.rule_name,
                "next_hour": _next_hour(found),
                "learned_is_used": found.learned_rate is not None,
            },
        ),
        "regimes": _json_or(
            made.regimes,
            lambda found: {
                "calm": annual_volatility(found.model.calm_variance / found.step_s),
                "turbulent": annual_volatility(found.model.turbulent_variance / found.step_s),
                "chance_of_turbulent": found.turbulent,
            },
        ),
        "last_change": _json_or(made.last_change, lambda at: {"at": at}),
        "toxicity": _json_or(made.toxicity, _toxicity_json),
    }


def _unknown_or(part: T | Missing, words: Callable[[T], str]) -> str:
    return f"unknown: {part.reason}" if isinstance(part, Missing) else words(part)


def _json_or(part: T | Missing, shown: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    if isinstance(part, Missing):
        return {"missing": part.reason}
    return {"missing": None, **shown(part)}


def _next_hour(found: VolatilityCalibration) -> float:
    variance = next_variance(found.rule, found.recent)
    return annual_volatility(variance / found.recent.period_s)


def _forecast(found: VolatilityCalibration) -> str:
    learned = "" if found.learned_rate is None else f", moved by {found.scores[0].name}"
    return f"{_next_hour(found):.1%} a year in the next hour, by {found.rule_name}{learned}"


def _scores(found: VolatilityCalibration) -> str:
    told = ", ".join(f"{score.name} {score.qlike:.4f}" for score in found.scores)
    return f"QLIKE over {found.scored} hours: {told}"


def _regimes(found: RegimeCalibration) -> str:
    model = found.model
    calm, turbulent = (
        annual_volatility(variance / found.step_s)
        for variance in (model.calm_variance, model.turbulent_variance)
    )
    return (
        f"{calm:.1%} and {turbulent:.1%} a year; the second with a chance of {found.turbulent:.1%}"
    )


def _toxicity(found: ToxicityCalibration) -> str:
    contest, share = found.contest, found.contest.learned_share
    hour = f"in the hour from {moment(found.begins)} on"
    if isinstance(share, Missing):
        return f"{contest.next_faded:.1%} of volume {hour}, by the fading mean: {share.reason}"
    return (
        f"{share:.1%} of volume {hour}, as learned: its mean squared error over {contest.scored} "
        f"hours is {contest.learned:.4f}, that of the fading mean {contest.ewma:.4f}"
    )


def _toxicity_json(found: ToxicityCalibration) -> dict[str, Any]:
    contest = found.contest
    return {
        "begins": found.begins,
        "seconds": found.period_s,
        "next_hour": contest.share_believed,
        "hours": contest.scored,
        "mean_squared_error": {"learned": contest.learned, "fading mean": contest.ewma},
        "learned_is_used": contest.learned_wins,
    }
