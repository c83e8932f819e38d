"""What a calibration says at a block: its rules go on over what came since, and nothing later."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from lpmanager.model import Snapshot
from lpmanager.model.units import duration
from lpmanager.risk.calibration.calibration import Calibration
from lpmanager.risk.calibration.rules import joined, next_variance
from lpmanager.risk.learned.in_use import within_reach
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath, path_of
from lpmanager.risk.volatility.periods import Periods, periods_of
from lpmanager.risk.volatility.realised import STEP_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastVolatility:
    """Variance of the log price per second in the hour to come, whose rule told it, and the age of
    the newest data that this rule was learned from."""

    variance_rate: float
    told_by: str
    age_s: int


def still_good(
    calibration: Calibration | Missing, at: int, max_age_s: int
) -> Calibration | Missing:
    """The calibration, or Missing where it is older than that at this time, or made after it."""
    if isinstance(calibration, Missing):
        return calibration
    age = at - calibration.made_at
    made = _moment(calibration.made_at)
    if age < 0:
        return Missing(
            f"the calibration is of {made}, {duration(-age)} after the block that is looked at; "
            "run `lpm calibrate` with a history that ends before it"
        )
    if age > max_age_s:
        return Missing(
            f"the calibration is stale: it is of {made}, {duration(age)} ago, and "
            f"risk.max_calibration_age allows {duration(max_age_s)}; run `lpm calibrate`"
        )
    return calibration


def volatility_at(calibration: Calibration, snapshot: Snapshot) -> ForecastVolatility | Missing:
    """The forecast of the hour after the snapshot.

    The rule goes on over the whole hours since the calibration where the snapshot's flow reaches
    back to it; where it does not, the hour after the calibration stands for the one to come. What
    was learned moves that, within its bounds, in the hour that it was learned for. ValueError where
    the calibration is younger than the snapshot.
    """
    known, age = calibration.volatility, _age(calibration, snapshot)
    if isinstance(known, Missing):
        return known
    since = _periods_since(path_of(snapshot), age, known.recent.period_s)
    history = known.recent if since is None else joined(known.recent, since)
    rate, told_by = next_variance(known.rule, history) / history.period_s, known.rule_name
    if not 0 < rate < math.inf:
        return Missing(f"{told_by} forecasts a variance rate of {rate}; run `lpm calibrate`")
    if known.learned_rate is not None and age < history.period_s:
        rate = within_reach(known.learned_rate, rate)
        told_by = f"{known.scores[0].name}, within reach of {told_by}"
    return ForecastVolatility(variance_rate=rate, told_by=told_by, age_s=age)


def turbulence_at(calibration: Calibration, snapshot: Snapshot) -> float | Missing:
    """The filtered chance that the market is turbulent, given the snapshot's flow.

    Over what lies between the calibration and that flow it goes back to its long run. ValueError as
    `volatility_at`.
    """
    known, age = calibration.regimes, _age(calibration, snapshot)
    if isinstance(known, Missing):
        return known
    steps, path = age // known.step_s, path_of(snapshot)
    returns = () if isinstance(path, Missing) else path.returns(known.step_s)
    seen = returns[max(len(returns) - steps, 0) :]
    before = known.model.after_unseen(known.turbulent, steps - len(seen))
    *_, chance = (before, *known.model.turbulent_probabilities(seen, before))
    if not 0 <= chance <= 1:
        return Missing(f"Markov switching tells a chance of {chance}; run `lpm calibrate`")
    return chance


def toxic_share_at(calibration: Calibration, snapshot: Snapshot) -> float | Missing:
    """The learned share of toxic volume in the period that the snapshot is in.

    Missing where a mean forecast it better out of sample, and once the one period is over that it
    was learned for. ValueError as `volatility_at`.
    """
    known, age = calibration.toxicity, _age(calibration, snapshot)
    if isinstance(known, Missing):
        return known
    over = calibration.made_at + age - known.begins - known.period_s
    if over >= 0:
        return Missing(
            f"what is learned is of the {known.period_s} s from {_moment(known.begins)} on, which "
            f"are over for {duration(over)}; run `lpm calibrate`"
        )
    return known.contest.learned_share


def age_words(calibration: Calibration, snapshot: Snapshot) -> str:
    """How old it is, for people. ValueError as `volatility_at`."""
    return f"calibrated {duration(_age(calibration, snapshot))} ago"


def _age(calibration: Calibration, snapshot: Snapshot) -> int:
    age = snapshot.block.timestamp - calibration.made_at
    if age < 0:
        raise ValueError(f"the calibration is {-age} s younger than the snapshot")
    return age


def _periods_since(path: PricePath | Missing, age: int, period_s: int) -> Periods | None:
    """The whole periods of that time; None where there is none yet, or the path is shorter."""
    count = age // period_s
    if count == 0 or isinstance(path, Missing):
        return None
    known = periods_of(path, period_s=period_s, step_s=STEP_S)
    if isinstance(known, Missing) or len(known) < count:
        return None
    return Periods(
        period_s=period_s, returns=known.returns[-count:], variances=known.variances[-count:]
    )


def _moment(time: int) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M} UTC"
