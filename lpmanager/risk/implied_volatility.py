"""The volatility that fees pay for, to hold against the volatility that is.

Variance rates are of the log price per second; people read `annual_volatility` of them.
"""

from __future__ import annotations

import math

from lpmanager.risk.missing import Missing
from lpmanager.risk.plain import require_above_0, require_not_below_0

DAY_S = 86_400
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


def implied_variance_rate_of_growth(
    *, growth0_x128: int, growth1_x128: int, sqrt_price: float, seconds: int
) -> float | Missing:
    """The same from how far the pool's feeGrowthGlobal counters went on over some seconds.

    `growth*_x128` are the later reading less the earlier one, modulo 2**256 as the pool counts;
    `sqrt_price` is that of raw token1 for one raw token0, which values token0's fees. The idea is
    Aloe's (Volatility.sol). Missing where no time went by.
    """
    require_above_0(sqrt_price=sqrt_price)
    if seconds <= 0:
        return Missing(f"fee growth needs two readings apart in time, found {seconds} s between")
    earned0, earned1 = (growth % 2**256 / 2**128 for growth in (growth0_x128, growth1_x128))
    return implied_variance_rate((earned0 * sqrt_price**2 + earned1) / seconds, sqrt_price)


def lambert_annual_volatility(
    *, fee: float, day_volume: float, tick_liquidity_value: float
) -> float | Missing:
    """Implied volatility a year: 2 * fee * sqrt(volume a day / value of the tick's liquidity) *
    sqrt(365) (Lambert 2021).

    `fee` is a fraction; volume and value are in one unit. Missing where the tick holds nothing.
    """
    require_not_below_0(fee=fee, day_volume=day_volume, tick_liquidity_value=tick_liquidity_value)
    if tick_liquidity_value == 0:
        return Missing("implied volatility needs liquidity at the price, found a value of 0")
    return 2 * fee * math.sqrt(day_volume / tick_liquidity_value * _YEAR_DAYS)


def full_range_break_even_variance_rate(
    *, fee: float, day_volume: float, pool_value: float
) -> float | Missing:
    """The variance at which a pool over all prices (Uniswap v2) pays its LVR: 8 * fee * volume a
    day / value, here per second. Units and Missing as `lambert_annual_volatility`."""
    require_not_below_0(fee=fee, day_volume=day_volume, pool_value=pool_value)
    if pool_value == 0:
        return Missing("the break-even volatility needs a pool that holds something, found 0")
    return 8 * fee * day_volume / pool_value / DAY_S
