"""The volatility that fees pay for, to hold against the volatility that is.

Variance rates are of the log price per second; people read `annual_volatility` of them.
"""

from __future__ import annotations

import math

from lpmanager.model.units import DAY_S
from lpmanager.risk.plain import require_above_0, require_not_below_0

_YEAR_DAYS = 365


def annual_volatility(variance_rate: float) -> float:
    """A variance per second as volatility per square root of a year of 365 days, 1 = 100 %."""
    require_not_below_0(variance_rate=variance_rate)
    return math.sqrt(variance_rate * DAY_S * _YEAR_DAYS)


def implied_variance_rate(fee_rate: float, sqrt_price: float) -> float:
    """The variance at which LVR would be just what fees pay: 4 * fee_rate / sqrt(P).

    `fee_rate` is per second and unit of active liquidity, as in the Outlook, in the unit of
    `break_even_fee_rate` in `lvr`. A range's width is not in it.
    """
    require_not_below_0(fee_rate=fee_rate)
    require_above_0(sqrt_price=sqrt_price)
    return 4 * fee_rate / sqrt_price
