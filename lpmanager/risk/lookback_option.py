"""Lookback options with interest, by QuantLib, which this module needs.

QuantLib's dates are days. Time is therefore folded into volatility and rates (over one year of
365 days), so that any number of seconds is priced as it is.
"""

from __future__ import annotations

import math

import QuantLib as ql

from lpmanager.risk.lookback import lookback_call, lookback_put

YEAR_S = 365 * 86_400

#: Carry below which the formula loses more digits than its limit, which is exact at no carry.
_NO_CARRY = 1e-9

#: A year so late that QuantLib, which asks the clock, does not take the option for expired.
_START = ql.Date(1, 1, 2198)


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
    value = float(option.NPV())
    if not math.isfinite(value):
        raise ValueError(
            f"QuantLib gives {value} for a lookback option on {price} with extreme {extreme}, "
            f"rates {rate} and {yield_rate}, and volatility {volatility} over the time"
        )
    return value
