"""The rules that forecast a variance, as they are kept: numbers alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from lpmanager.risk.volatility.ewma import faded_means
from lpmanager.risk.volatility.garch_model import Garch
from lpmanager.risk.volatility.har_model import Har
from lpmanager.risk.volatility.periods import Periods


@dataclass(frozen=True, slots=True, kw_only=True)
class Ewma:
    """Realised variances of the past, fading by `decay` each period."""

    decay: float

    def __post_init__(self) -> None:
        if not 0 < self.decay < 1:
            raise ValueError(f"a decay must be between 0 and 1, found {self.decay}")


Rule = Ewma | Har | Garch


def next_variance(rule: Rule, history: Periods) -> float:
    """The variance of the period after these, in their unit. ValueError where they are too few."""
    if not len(history):
        raise ValueError("a forecast needs a period to look back on, found 0")
    match rule:
        case Ewma():
            *_, newest = faded_means(history.variances, rule.decay)
            return newest
        case Har():
            return rule.forecast(history.variances)
        case Garch():
            return rule.forecast(history.returns)


def joined(earlier: Periods, later: Periods) -> Periods:
    """Periods of one length, one row after the other."""
    if earlier.period_s != later.period_s:
        raise ValueError(f"periods of {earlier.period_s} s and of {later.period_s} s do not join")
    return Periods(
        period_s=earlier.period_s,
        returns=tuple(chain(earlier.returns, later.returns)),
        variances=tuple(chain(earlier.variances, later.variances)),
    )
