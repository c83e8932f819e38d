"""How well market making pays for what it uses: figures of a campaign over some time.

Money is in one unit. Shares are fractions of 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model.units import YEAR_S
from lpmanager.risk.missing import Missing
from lpmanager.risk.plain import require_finite, require_not_below_0


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """A campaign since its first deposit, by the names of a backtest's statistics.

    `fee_apr_share` is fees over the mean value, a year, and `net_fee_apr_share` that less LVR and
    gas; `in_range_share` is of the time in which a range was held. A rebalance changed the ranges
    held, the first placing left out.
    """

    fee_apr_share: float | Missing
    net_fee_apr_share: float | Missing
    fees_per_lvr: float | Missing
    fees_per_volume: float | Missing
    in_range_share: float | Missing
    rebalances: int
    rebalances_per_day: float | Missing


def net_fee_apr(
    *, fees: float, lvr: float, gas: float, mean_value: float, seconds: float
) -> float | Missing:
    """Fees less what arbitrage took (LVR) and less gas, over the mean value: simple, for a year of
    365 days. Raises ValueError for what cannot be."""
    require_not_below_0(fees=fees, gas=gas, mean_value=mean_value, seconds=seconds)
    require_finite(lvr=lvr)
    held = mean_value * seconds / YEAR_S
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
