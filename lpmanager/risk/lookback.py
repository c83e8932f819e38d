"""How wide the price will swing, and what it would be worth to know the extremes beforehand.

For a Brownian log price; `variance_rate` is its variance per second. Estimates in floats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from lpmanager.risk.missing import Missing

_NORMAL = NormalDist()

#: Fewer bars than this give a variance that may as well be half or twice as large.
MINIMUM_BARS = 10


def expected_log_range(variance_rate: float, seconds: float) -> float:
    """Mean of highest less lowest log price over `seconds`, without drift: sqrt(8 v t / pi)
    (Feller 1951)."""
    return math.sqrt(8 / math.pi) * _spread(variance_rate, seconds)


def expected_squared_log_range(variance_rate: float, seconds: float) -> float:
    """Mean of the squared range of the log price, without drift: 4 ln 2 v t (Parkinson 1980)."""
    return 4 * math.log(2) * _spread(variance_rate, seconds) ** 2


def parkinson_variance_rate(log_ranges: Sequence[float], bar_s: int) -> float | Missing:
    """Variance of the log price per second from the range of each bar of `bar_s` seconds, the log
    of its high over its low (Parkinson 1980).

    A bar shows less than the whole swing where trades are few: the estimate is too low then.
    """
    if bar_s < 1:
        raise ValueError(f"a bar must last at least 1 s, found {bar_s}")
    if not all(0 <= swing < math.inf for swing in log_ranges):
        raise ValueError("a bar's range is not a finite number of at least 0: is low above high?")
    found = len(log_ranges)
    if found < MINIMUM_BARS:
        return Missing(
            f"Parkinson's variance needs {MINIMUM_BARS} bars of {bar_s} s, found {found}"
        )
    if not any(log_ranges):
        return Missing(
            "Parkinson's variance needs a price that moves; it stood still in all "
            f"{found} bars of {bar_s} s"
        )
    squares = math.fsum(swing * swing for swing in log_ranges)
    return squares / (4 * math.log(2) * found * bar_s)


def hindsight_price(*, price: float, variance_rate: float, seconds: float) -> float:
    """What perfect hindsight is worth per base token: the mean of the highest less the lowest
    price of the next `seconds`, in the price's unit.

    It is the most that one purchase and one sale, whichever comes first, can gain; a floating
    lookback call and put in one, without interest, on a price without drift.
    """
    spread = _spread(variance_rate, seconds)
    call = lookback_call(price=price, lowest=price, spread=spread)
    put = lookback_put(price=price, highest=price, spread=spread)
    return call + put


def lookback_call(*, price: float, lowest: float, spread: float) -> float:
    """Mean of the last price less the lowest, where `lowest` was reached before: the limit, for
    no carry, of the formula of Goldman, Sosin and Gatto (1979). Not discounted.

    `spread` is the standard deviation of the log price over the time left.
    """
    if not 0 < lowest <= price < math.inf:
        raise ValueError(f"the lowest price {lowest} must be above 0 and at most the price {price}")
    if spread == 0:
        return price - lowest
    reach = math.log(price / lowest) / spread + spread / 2
    rest = _NORMAL.pdf(reach) - reach * _NORMAL.cdf(-reach)
    return price * _NORMAL.cdf(reach) - lowest * _NORMAL.cdf(reach - spread) + price * spread * rest


def lookback_put(*, price: float, highest: float, spread: float) -> float:
    """Mean of the highest price less the last, as `lookback_call`."""
    if not 0 < price <= highest < math.inf:
        raise ValueError(
            f"the highest price {highest} must be finite and at least the price {price} above 0"
        )
    if spread == 0:
        return highest - price
    reach = math.log(price / highest) / spread + spread / 2
    rest = _NORMAL.pdf(reach) + reach * _NORMAL.cdf(reach)
    return (
        highest * _NORMAL.cdf(spread - reach) - price * _NORMAL.cdf(-reach) + price * spread * rest
    )


def _spread(variance_rate: float, seconds: float) -> float:
    """Standard deviation of the log price over a time."""
    for name, value in (("variance rate", variance_rate), ("time", seconds)):
        if not 0 <= value < math.inf:
            raise ValueError(f"a {name} must be finite and not negative, found {value}")
    return math.sqrt(variance_rate * seconds)
