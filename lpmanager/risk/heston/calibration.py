"""Heston's model fitted to an option chain by QuantLib. Needs the extra `quant`.

QuantLib counts in years of 365 days, and this program's paths in days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import QuantLib as ql

from lpmanager.risk.heston.arbitrage import without_arbitrage
from lpmanager.risk.heston.chain import Chain, Dropped, Terms
from lpmanager.risk.heston.model import Heston, YearlyHeston
from lpmanager.risk.heston.quotes import Checked
from lpmanager.risk.missing import Missing

#: Twice the parameters.
MINIMUM_QUOTES = 10
_INTEGRATION_ORDER = 64
_ACCURACY = 1e-8
_ROUNDS, _STILL_ROUNDS = 400, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class HestonFit:
    """A calibration. `model` is per day; `rms_error` in volatility a year, over `quotes` quotes.

    Level, speed and volatility of variance are often poorly told apart by a chain: other values may
    fit it as well. Where not `feller` (2 reversion mean >= vol_of_vol^2), the variance touches 0.
    """

    model: Heston
    rms_error: float
    quotes: int
    dropped: tuple[Dropped, ...]

    @property
    def feller(self) -> bool:
        """Does the variance stay above 0?"""
        return 2 * self.model.reversion * self.model.mean >= self.model.vol_of_vol**2


def calibrated(chain: Chain) -> HestonFit | Missing:
    """The fit to all quotes of a chain that leave no arbitrage; the others are named in it."""
    checked = without_arbitrage(chain)
    fit = fit_to(checked.quotes, chain.terms)
    if isinstance(fit, Missing):
        gone = "".join(f"; line {each.line}: {each.reason}" for each in checked.dropped[:3])
        return Missing(f"{fit.reason}; {len(checked.dropped)} were dropped{gone}")
    return replace(fit, dropped=checked.dropped)


def fit_to(quotes: Sequence[Checked], terms: Terms) -> HestonFit | Missing:
    """Least squares of the implied volatilities, by Levenberg-Marquardt; nothing is dropped.

    Heston, "A closed-form solution for options with stochastic volatility" (1993). Missing where
    there are too few quotes, or QuantLib finds no fit.
    """
    expiries = {checked.quote.days for checked in quotes}
    if len(quotes) < MINIMUM_QUOTES or len(expiries) < 2:
        return Missing(
            f"a Heston fit needs {MINIMUM_QUOTES} quotes of 2 expiries, found {len(quotes)} of "
            f"{len(expiries)}"
        )
    today = ql.Date(terms.as_of.day, terms.as_of.month, terms.as_of.year)
    with ql.SavedSettings():  # the day is QuantLib's global: what it was comes back at the end
        ql.Settings.instance().evaluationDate = today
        try:
            return _fit(quotes, terms, today)
        except RuntimeError as problem:
            return Missing(f"QuantLib found no Heston fit of {len(quotes)} quotes: {problem}")


def _fit(quotes: Sequence[Checked], terms: Terms, today: ql.Date) -> HestonFit | Missing:
    spot = ql.QuoteHandle(ql.SimpleQuote(terms.spot))
    rates = _rate_curve(quotes, terms, today)
    level = _level(quotes)
    model = ql.HestonModel(
        ql.HestonProcess(rates, flat_curve(today, 0.0), spot, level, 1.0, level, 0.5, -0.5)
    )
    engine = ql.AnalyticHestonEngine(model, _INTEGRATION_ORDER)
    helpers = []
    for checked in quotes:
        helper = ql.HestonModelHelper(
            ql.Period(checked.quote.days, ql.Days),
            ql.NullCalendar(),
            terms.spot,
            checked.quote.strike,
            ql.QuoteHandle(ql.SimpleQuote(checked.volatility)),
            rates,
            flat_curve(today, 0.0),
            ql.BlackCalibrationHelper.ImpliedVolError,
        )
        helper.setPricingEngine(engine)
        helpers.append(helper)
    model.calibrate(
        helpers,
        ql.LevenbergMarquardt(_ACCURACY, _ACCURACY, _ACCURACY),
        ql.EndCriteria(_ROUNDS, _STILL_ROUNDS, _ACCURACY, _ACCURACY, _ACCURACY),
    )
    errors = [helper.calibrationError() for helper in helpers]
    found = YearlyHeston(
        v0=model.v0(),
        theta=model.theta(),
        kappa=model.kappa(),
        sigma=model.sigma(),
        rho=model.rho(),
    )
    try:
        daily = found.daily
    except ValueError as problem:
        return Missing(f"QuantLib found no Heston fit of {len(quotes)} quotes: {problem}")
    return HestonFit(
        model=daily,
        rms_error=math.sqrt(math.fsum(error * error for error in errors) / len(errors)),
        quotes=len(quotes),
        dropped=(),
    )


def flat_curve(today: ql.Date, rate: float) -> ql.YieldTermStructureHandle:
    """One rate a year for every time, continuously compounded."""
    return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, ql.Actual365Fixed()))


def _rate_curve(
    quotes: Sequence[Checked], terms: Terms, today: ql.Date
) -> ql.YieldTermStructureHandle:
    """The rate of each expiry; QuantLib asks for no time between them."""
    rates = {checked.quote.days: checked.quote.rate for checked in quotes}
    days = sorted(rates)
    dates = [today, *(today + each for each in days)]
    values = [terms.rate, *(rates[each] for each in days)]
    return ql.YieldTermStructureHandle(ql.ZeroCurve(dates, values, ql.Actual365Fixed()))


def _level(quotes: Sequence[Checked]) -> float:
    """The variance a year to start from: that of the quote nearest to the money."""
    nearest = min(quotes, key=lambda checked: abs(math.log(checked.moneyness)))
    return nearest.volatility**2
