"""The volatility of the next hour, told by whoever forecast the hours before it best.

Needs the extras `quant` and `ml`.
"""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model.units import HOUR_S
from lpmanager.risk.learned.in_use import beaten, within_reach
from lpmanager.risk.learned.variance import LearnedForecaster
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.volatility.contest import Contest, Forecaster, contest, next_of
from lpmanager.risk.volatility.forecasters import hourly_forecasters
from lpmanager.risk.volatility.periods import Periods, periods_of
from lpmanager.risk.volatility.realised import STEP_S

#: Two weeks to learn from before the first hour that counts, and learned anew every week.
FIRST, REFIT_EVERY = 336, 168


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHour:
    """`used` is the forecaster that is believed: the best `rule`, or the learned one while it beats
    all rules; `unused` says why the learned one is not. `variance_rate` of the log price, per
    second, is that of the hour after the path; `learned_rate` is what the learned one says by
    itself, None while it is not used."""

    contest: Contest
    used: str
    rule: str
    unused: Missing | None
    variance_rate: float
    learned_rate: float | None


def next_hour(path: PricePath) -> NextHour | Missing:
    """All forecasters on the whole hours of a path, out of sample; and what the best of them says.

    What is learned is kept within reach of the best rule. Missing for too short a path.
    """
    periods = periods_of(path, period_s=HOUR_S, step_s=STEP_S)
    if isinstance(periods, Missing):
        return periods
    learned, rules = LearnedForecaster(), hourly_forecasters()
    found = contest(periods, (*rules, learned), first=FIRST, refit_every=REFIT_EVERY)
    if isinstance(found, Missing):
        return found
    ranks = [score.name for score in found.scores]
    took_part = sorted((r for r in rules if r.name in ranks), key=lambda r: ranks.index(r.name))
    if not took_part:
        return Missing(f"no rule forecast anything that {learned.name} could be compared with")
    rule, unused = took_part[0], beaten(found, learned.name)
    variance = _forecast(rule, periods)
    bold = _forecast(learned, periods) if unused is None else None
    if isinstance(variance, Missing):
        return variance
    if isinstance(bold, Missing):
        return bold
    return NextHour(
        contest=found,
        used=rule.name if bold is None else learned.name,
        rule=rule.name,
        unused=unused,
        variance_rate=(variance if bold is None else within_reach(bold, variance)) / HOUR_S,
        learned_rate=None if bold is None else bold / HOUR_S,
    )


def _forecast(forecaster: Forecaster, periods: Periods) -> float | Missing:
    forecast = forecaster.fit(periods)
    return forecast if isinstance(forecast, Missing) else next_of(forecast, periods)
