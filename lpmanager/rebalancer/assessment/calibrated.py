"""What the campaign's calibration says at this block, and how old it is."""

from __future__ import annotations

from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit, last_of
from lpmanager.rebalancer.regime import change_of, turbulence_of
from lpmanager.rebalancer.view import View
from lpmanager.risk.calibration.live import volatility_at
from lpmanager.risk.implied_volatility import annual_volatility
from lpmanager.risk.missing import Missing


def calibrated_measures(view: View) -> tuple[Measure, ...]:
    """Its age, and each of its parts; all Missing where there is none, or a stale one."""
    return (
        _measure("calibration", _age(view), Unit.SECONDS, "its age; what follows rests on it"),
        _forecast(view),
        _measure(
            "turbulence",
            turbulence_of(view),
            Unit.SHARE,
            "chance of the wilder of two regimes (Markov switching)",
        ),
        last_of(change_of(view), "last change", "how long since volatility became another"),
    )


def _age(view: View) -> float | Missing:
    calibration = view.calibration
    if isinstance(calibration, Missing):
        return calibration
    return float(view.snapshot.block.timestamp - calibration.made_at)


def _forecast(view: View) -> Measure:
    calibration = view.calibration
    found = (
        calibration
        if isinstance(calibration, Missing)
        else volatility_at(calibration, view.snapshot)
    )
    name = "forecast volatility"
    if isinstance(found, Missing):
        return _measure(name, found, Unit.PER_YEAR, "of the hour to come")
    value = annual_volatility(found.variance_rate)
    return _measure(name, value, Unit.PER_YEAR, f"of the hour to come, by {found.told_by}")


def _measure(name: str, value: float | str | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.MARKET, name=name, value=value, unit=unit, meaning=meaning)
