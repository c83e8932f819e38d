"""Making a calibration of a history of the price, and of the flow where single swaps are known.

What needs a library imports it only then; without it that part of the calibration is Missing.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lpmanager.model.units import HOUR_S
from lpmanager.risk.calibration.calibration import (
    Calibration,
    RegimeCalibration,
    ToxicityCalibration,
    VolatilityCalibration,
)
from lpmanager.risk.calibration.rules import Ewma, Rule
from lpmanager.risk.learned.toxic_share import FlowPeriods
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.volatility.garch_model import Garch
from lpmanager.risk.volatility.periods import Periods, periods_of
from lpmanager.risk.volatility.realised import STEP_S

if TYPE_CHECKING:
    from lpmanager.risk.volatility.contest import Forecaster

#: Hours that are kept, from which a forecast goes on: what the longest HAR looks back on.
_KEPT_HOURS = 168
#: Returns of five minutes in which the last change is looked for: a week. Twice as many take more
#: than twice as long.
_CHANGE_RETURNS = 2_016

#: Of a longer history only the newest two months are used: what is older tells less of tomorrow,
#: and each week of it takes another fit.
MOST_S = 60 * 86_400

_INSTALL = "pip install 'lpmanager[quant,ml]'"


def calibrate(history: PricePath, flow: FlowPeriods | Missing) -> Calibration | Missing:
    """The calibration at the end of a history, from at most its newest `MOST_S` seconds. It takes
    seconds of work. `flow` is that of the same market, over no more than the same time.

    Missing, with what each part needs, where it has none of them.
    """
    history = _newest_part(history)
    volatility, regimes = _volatility(history), _regimes(history)
    change, toxicity = _last_change(history), _toxicity(flow)
    parts = (volatility, regimes, change, toxicity)
    missing = [part for part in parts if isinstance(part, Missing)]
    if len(missing) == len(parts):
        return Missing("; ".join(part.reason for part in missing))
    return Calibration(
        made_at=history.times[-1],
        volatility=volatility,
        regimes=regimes,
        last_change=change,
        toxicity=toxicity,
        changes_sought_s=len(_newest_returns(history)) * STEP_S,
    )


def _newest_part(history: PricePath) -> PricePath:
    first = bisect_left(history.times, history.times[-1] - MOST_S)
    return PricePath(history.times[first:], history.log_prices[first:])


def _volatility(history: PricePath) -> VolatilityCalibration | Missing:
    absent = _absent("the forecast", "arch", "scipy", "sklearn")
    if absent is not None:
        return absent
    from lpmanager.risk.learned.next_hour import next_hour
    from lpmanager.risk.volatility.forecasters import hourly_forecasters

    told = next_hour(history)
    periods = periods_of(history, period_s=HOUR_S, step_s=STEP_S)
    if isinstance(told, Missing):
        return told
    if isinstance(periods, Missing):
        return periods
    (forecaster,) = [each for each in hourly_forecasters() if each.name == told.rule]
    rule = _fitted(forecaster, periods)
    if isinstance(rule, Missing):
        return rule
    return VolatilityCalibration(
        scores=told.contest.scores,
        scored=told.contest.scored,
        rule_name=told.rule,
        rule=rule,
        recent=_newest(periods),
        learned_rate=told.learned_rate,
    )


def _fitted(forecaster: Forecaster, periods: Periods) -> Rule | Missing:
    """What the forecaster learns of all periods. GARCH is kept with its variance at the first of
    the hours that are kept, so that it goes on from there as if it had seen all before."""
    from lpmanager.risk.volatility import forecasters as known
    from lpmanager.risk.volatility.garch import fit_garch
    from lpmanager.risk.volatility.har import fit_har

    if isinstance(forecaster, known.EwmaForecaster):
        return Ewma(decay=forecaster.decay)
    if isinstance(forecaster, known.HarForecaster):
        return fit_har(periods.variances, forecaster.horizons)
    found = fit_garch(periods.returns)
    if isinstance(found, Garch):
        before = periods.returns[: -len(_newest(periods))]
        return replace(found, start=found.forecast(before))
    return found


def _newest(periods: Periods) -> Periods:
    return Periods(
        period_s=periods.period_s,
        returns=periods.returns[-_KEPT_HOURS:],
        variances=periods.variances[-_KEPT_HOURS:],
    )


def _regimes(history: PricePath) -> RegimeCalibration | Missing:
    absent = _absent("Markov switching", "statsmodels")
    if absent is not None:
        return absent
    from lpmanager.risk.regimes.markov import fit_markov

    returns = history.returns(STEP_S)
    model = fit_markov(returns, STEP_S)
    if isinstance(model, Missing):
        return model
    turbulent = model.turbulent_probabilities(returns)[-1]
    return RegimeCalibration(model=model, step_s=STEP_S, turbulent=turbulent)


def _last_change(history: PricePath) -> int | Missing | None:
    """When the newest stretch of one variance began; a change shows only a while after it."""
    absent = _absent("the last change", "ruptures")
    if absent is not None:
        return absent
    from lpmanager.risk.regimes.change_points import changes_in_hindsight

    returns = _newest_returns(history)
    places = changes_in_hindsight(returns, STEP_S)
    if isinstance(places, Missing):
        return places
    return history.times[-1] - (len(returns) - places[-1]) * STEP_S if places else None


def _newest_returns(history: PricePath) -> tuple[float, ...]:
    """Those in which a change is sought."""
    return history.returns(STEP_S)[-_CHANGE_RETURNS:]


def _toxicity(flow: FlowPeriods | Missing) -> ToxicityCalibration | Missing:
    if isinstance(flow, Missing):
        return flow
    absent = _absent("the toxic share", "sklearn")
    if absent is not None:
        return absent
    from lpmanager.risk.learned.toxicity import toxicity_contest

    flow = flow.newest(MOST_S // flow.period_s)
    found = toxicity_contest(flow)
    if isinstance(found, Missing):
        return found
    return ToxicityCalibration(contest=found, begins=flow.ends, period_s=flow.period_s)


def _absent(part: str, *modules: str) -> Missing | None:
    absent = [name for name in modules if find_spec(name) is None]
    return Missing(f"{part} needs {' and '.join(absent)}: {_INSTALL}") if absent else None
