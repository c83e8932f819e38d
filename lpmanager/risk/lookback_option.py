"""Lookback options with interest, by QuantLib, which this module needs.

QuantLib's dates are days. Time is therefore folded into volatility and rates (over one year of
365 days), so that any number of seconds is priced as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import QuantLib as ql

from lpmanager.model.units import DAY_S
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.lookback import hindsight_price, lookback_call, lookback_put
from lpmanager.risk.missing import Missing

YEAR_S = 365 * DAY_S

#: Carry below which the formula loses more digits than its limit, which is exact at no carry.
_NO_CARRY = 1e-9

#: A year so late that QuantLib, which asks the clock, does not take the option for expired.
_START = ql.Date(1, 1, 2198)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """What perfect hindsight of the next `seconds` is worth now, as a share of the price: with the
    quote token's interest, and without any, as reports tell it. `volatility` is per root year."""

    seconds: int
    volatility: float
    worth: float
    worth_without_interest: float


def hindsight_by(model: Heston, *, rate: float, days: int) -> Hindsight | Missing:
    """A lookback call and a put in one, at the volatility that a model expects on average; `rate`
    is continuous per year, and the base token bears none.

    Missing where nothing moves, and where QuantLib has no number for it.
    """
    if days < 1:
        raise ValueError(f"hindsight is of at least a day, found {days}")
    variance, seconds = model.mean_variance(days), days * DAY_S
    if variance <= 0:
        return Missing("a price that does not move leaves nothing to know beforehand")
    volatility = math.sqrt(variance * YEAR_S / DAY_S)
    try:
        call = floating_lookback_call(
            price=1, lowest=1, rate=rate, yield_rate=0, volatility=volatility, seconds=seconds
        )
        put = floating_lookback_put(
            price=1, highest=1, rate=rate, yield_rate=0, volatility=volatility, seconds=seconds
        )
    except ValueError as error:
        return Missing(str(error))
    return Hindsight(
        seconds=seconds,
        volatility=volatility,
        worth=call + put,
        worth_without_interest=hindsight_price(
            price=1, variance_rate=variance / DAY_S, seconds=seconds
        ),
    )


def floating_lookback_call(
    *, price: float, lowest: float, rate: float, yield_rate: float, volatility: float, seconds: int
) -> float:
    """Value now of the right to buy at the lowest price until the end (Goldman, Sosin, Gatto 1979).

    `lowest` was reached before now; `rate` is the quote token's interest and `yield_rate` the base
    token's, both continuous per year of 365 days, `volatility` per root year.
    """
    time = _years(seconds, rate, yield_rate, volatility)
    if not 0 < lowest <= price < math.inf:
        raise ValueError(f"the lowest price {lowest} must be above 0 and at most the price {price}")
    spread = volatility * math.sqrt(time)
    if abs(rate - yield_rate) * time < _NO_CARRY:
        discount = math.exp(-rate * time)
        return discount * lookback_call(price=price, lowest=lowest, spread=spread)
    return _price(ql.Option.Call, price, lowest, rate * time, yield_rate * time, spread)


def floating_lookback_put(
    *, price: float, highest: float, rate: float, yield_rate: float, volatility: float, seconds: int
) -> float:
    """Value now of the right to sell at the highest price until the end, as
    `floating_lookback_call`."""
    time = _years(seconds, rate, yield_rate, volatility)
    if not 0 < price <= highest < math.inf:
        raise ValueError(
            f"the highest price {highest} must be finite and at least the price {price} above 0"
        )
    spread = volatility * math.sqrt(time)
    if abs(rate - yield_rate) * time < _NO_CARRY:
        discount = math.exp(-rate * time)
        return discount * lookback_put(price=price, highest=highest, spread=spread)
    return _price(ql.Option.Put, price, highest, rate * time, yield_rate * time, spread)


def _years(seconds: int, rate: float, yield_rate: float, volatility: float) -> float:
    if seconds < 1 or not (0 < volatility < math.inf and math.isfinite(rate + yield_rate)):
        raise ValueError(
            f"no option over {seconds} s at a volatility of {volatility} and rates of {rate} and "
            f"{yield_rate}"
        )
    return seconds / YEAR_S


def _price(
    kind: int, price: float, extreme: float, rate: float, yield_rate: float, volatility: float
) -> float:
    """The option of one year."""
    days, start = ql.Actual365Fixed(), _START
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(price)),
        ql.YieldTermStructureHandle(ql.FlatForward(start, yield_rate, days)),
        ql.YieldTermStructureHandle(ql.FlatForward(start, rate, days)),
        ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(start, ql.NullCalendar(), volatility, days)
        ),
    )
    option = ql.ContinuousFloatingLookbackOption(
        extreme, ql.FloatingTypePayoff(kind), ql.EuropeanExercise(start + 365)
    )
    option.setPricingEngine(ql.AnalyticContinuousFloatingLookbackEngine(process))
    asked = (
        f"for a lookback option on {price} with extreme {extreme}, rates {rate} and {yield_rate}, "
        f"and volatility {volatility} over the time"
    )
    try:
        value = float(option.NPV())
    except RuntimeError as error:
        raise ValueError(f"QuantLib gives no value {asked}: {error}") from error
    if not math.isfinite(value):
        raise ValueError(f"QuantLib gives {value} {asked}")
    return value
