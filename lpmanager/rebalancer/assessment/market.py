"""What the market is doing: volatility, its regime, and jumps."""

from __future__ import annotations

from collections.abc import Callable

from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit, last_of
from lpmanager.rebalancer.regime import by_markov
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import RegimesBy
from lpmanager.risk.implied_volatility import annual_volatility
from lpmanager.risk.jumps import ratio_jump_test, search_for_jump
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath, path_of
from lpmanager.risk.regimes.hysteresis import regime_now
from lpmanager.risk.volatility.ewma import ewma_variance_rate
from lpmanager.risk.volatility.realised import (
    STEP_S,
    bipower_variance_rate,
    realised_variance_rate,
)

Estimator = Callable[[tuple[float, ...], int], float | Missing]


def market_measures(
    view: View, by: RegimesBy, history: PricePath | None = None
) -> tuple[Measure, ...]:
    """In returns of five minutes but for the first, which is over the flow that was read; as is all
    else where no history is given. Gates know only that flow."""
    path = path_of(view.snapshot) if history is None else history
    returns = path if isinstance(path, Missing) else path.returns(STEP_S)
    jump = path if isinstance(path, Missing) else search_for_jump(path)
    jumps = returns if isinstance(returns, Missing) else ratio_jump_test(returns)
    return (
        _volatility("volatility", _decided_on(view), "of the flow that was read; decided on"),
        _volatility(
            "realised volatility", _of(returns, realised_variance_rate), "in steps of 5 minutes"
        ),
        _volatility(
            "without jumps", _of(returns, bipower_variance_rate), "bipower, in steps of 5 minutes"
        ),
        _volatility(
            "recent volatility", _of(returns, ewma_variance_rate), "the past fading away (EWMA)"
        ),
        _by_markov(view) if by is RegimesBy.MARKOV else _by_ewma(returns),
        _measure(
            "jumps",
            jumps if isinstance(jumps, Missing) else jumps.share,
            Unit.SHARE,
            "of the variance (Barndorff-Nielsen and Shephard); it decides nothing",
        ),
        last_of(jump, "last jump", "how long ago (Lee and Mykland)"),
    )


def _by_ewma(returns: tuple[float, ...] | Missing) -> Measure:
    found = returns if isinstance(returns, Missing) else regime_now(returns, STEP_S)
    value = found if isinstance(found, Missing) else str(found.regime)
    return _measure("regime", value, Unit.WORD, "recent volatility against its own mean")


def _by_markov(view: View) -> Measure:
    found = by_markov(view)
    value = found if isinstance(found, Missing) else str(found.regime)
    return _measure("regime", value, Unit.WORD, "Markov switching, as calibrated")


def _decided_on(view: View) -> float | Missing:
    if isinstance(view.outlook, Missing):
        return view.outlook
    return view.outlook.variance_rate


def _of(returns: tuple[float, ...] | Missing, estimator: Estimator) -> float | Missing:
    return returns if isinstance(returns, Missing) else estimator(returns, STEP_S)


def _volatility(name: str, variance_rate: float | Missing, meaning: str) -> Measure:
    value = (
        variance_rate if isinstance(variance_rate, Missing) else annual_volatility(variance_rate)
    )
    return _measure(name, value, Unit.PER_YEAR, meaning)


def _measure(name: str, value: float | str | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.MARKET, name=name, value=value, unit=unit, meaning=meaning)
