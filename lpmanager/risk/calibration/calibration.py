"""A calibration: who forecasts volatility best, the market's two regimes, its last change, and how
toxic its next hour should be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lpmanager.risk.calibration.rules import Rule, next_variance
from lpmanager.risk.learned.toxic_share import ToxicityContest
from lpmanager.risk.missing import Missing
from lpmanager.risk.regimes.markov_model import MarkovSwitching
from lpmanager.risk.volatility.contest import Score
from lpmanager.risk.volatility.periods import Periods


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityCalibration:
    """The forecast that is believed.

    `scores`: every forecaster's mean out-of-sample QLIKE over `scored` hours, the best first.
    `rule`, called `rule_name`: the best of those that can be written down; `recent` are the last
    hours before the calibration, from which it forecasts on. `learned_rate`: what the learned
    forecaster said of the hour after them, as variance of the log price per second; None where it
    did not beat all rules. ValueError where that cannot be.
    """

    scores: tuple[Score, ...]
    scored: int
    rule_name: str
    rule: Rule
    recent: Periods
    learned_rate: float | None

    def __post_init__(self) -> None:
        if self.rule_name not in [score.name for score in self.scores]:
            raise ValueError(f"{self.rule_name} has no score in the contest that it won")
        if self.learned_rate is not None and not 0 < self.learned_rate < math.inf:
            raise ValueError(f"a variance rate must be above 0, found {self.learned_rate}")
        variance = next_variance(self.rule, self.recent)
        if not 0 < variance < math.inf:
            raise ValueError(f"{self.rule_name} forecasts a variance of {variance}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeCalibration:
    """Two regimes of returns of `step_s` seconds, and how likely the turbulent one was at the
    calibration, given what came before it."""

    model: MarkovSwitching
    step_s: int
    turbulent: float

    def __post_init__(self) -> None:
        if self.step_s < 1:
            raise ValueError(f"a step must be at least 1 s, found {self.step_s}")
        if not 0 <= self.turbulent <= 1:
            raise ValueError(f"a probability is between 0 and 1, found {self.turbulent}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityCalibration:
    """Who forecast the toxic share of an hour's volume best, and what each says of the period of
    `period_s` seconds that began at `begins` (Unix s), the first one that it was not learned
    from."""

    contest: ToxicityContest
    begins: int
    period_s: int

    def __post_init__(self) -> None:
        if self.begins < 0 or self.period_s < 1:
            raise ValueError(
                f"a period begins after 1970 and lasts at least 1 s, found {self.begins} and "
                f"{self.period_s}"
            )


#: Of a calibration that an lpmanager made which did not learn it yet.
NOT_LEARNED = Missing("the calibration is without it; run `lpm calibrate` again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was learned from a history that ended at `made_at`, in Unix seconds.

    `last_change`: when volatility last became another in it, None where it did not in the
    `changes_sought_s` seconds before the calibration. Each part is Missing where the history was
    too short for it, or its library is not installed.
    """

    made_at: int
    volatility: VolatilityCalibration | Missing
    regimes: RegimeCalibration | Missing
    last_change: int | Missing | None
    toxicity: ToxicityCalibration | Missing = NOT_LEARNED
    changes_sought_s: int | Missing = NOT_LEARNED

    def __post_init__(self) -> None:
        if self.made_at < 0:
            raise ValueError(f"a calibration is made at a time after 1970, found {self.made_at}")
        if isinstance(self.last_change, int) and not 0 <= self.last_change <= self.made_at:
            raise ValueError(
                f"a change at {self.last_change} is not before the calibration at {self.made_at}"
            )
        if isinstance(self.toxicity, ToxicityCalibration) and self.toxicity.begins > self.made_at:
            raise ValueError(
                f"the toxic share is of a period that begins at {self.toxicity.begins}, after the "
                f"calibration at {self.made_at}"
            )


#: Of a campaign for which nobody has made one.
NOT_MADE = Missing("no calibration was made; run `lpm calibrate`")
