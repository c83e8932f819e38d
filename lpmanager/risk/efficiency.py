"""How well market making pays for what it uses: figures of a campaign over some time.

Money is in one unit. Shares are fractions of 1.
"""

from __future__ import annotations

from lpmanager.risk.missing import Missing
from lpmanager.risk.plain import require_finite, require_not_below_0

_YEAR_S = 365 * 86_400


def net_fee_apr(
    *, fees: float, lvr: float, gas: float, mean_value: float, seconds: float
) -> float | Missing:
    """Fees less what arbitrage took (LVR) and less gas, over the mean value: simple, for a year of
    365 days. Raises ValueError for what cannot be."""
    require_not_below_0(fees=fees, gas=gas, mean_value=mean_value, seconds=seconds)
    require_finite(lvr=lvr)
    held = mean_value * seconds / _YEAR_S
    return (fees - lvr - gas) / held if held > 0 else Missing("nothing was held for any time")


def fees_per_volume(*, fees: float, pool_volume: float) -> float | Missing:
    """Fees earned for a unit of all that was swapped in the pool: its fee times the share of it
    that was ours."""
    require_not_below_0(fees=fees, pool_volume=pool_volume)
    return fees / pool_volume if pool_volume > 0 else Missing("nothing was swapped in the pool")


def gas_to_fees(*, gas: float, fees: float) -> float | Missing:
    """The part of its fees that a campaign paid for gas; above 1 it paid more than it earned."""
    require_not_below_0(gas=gas, fees=fees)
    return gas / fees if fees > 0 else Missing("no fees were earned")
