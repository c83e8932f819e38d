"""How well market making pays for what it uses: the figures of a campaign over some time."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.risk.missing import Missing
from lpmanager.risk.plain import require_finite, require_not_below_0

_DAY_S = 86_400
_YEAR_S = 365 * _DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What a campaign did in `seconds`. Money is in one unit, at the prices of its time.

    `mean_value` is what it was worth on average, `lvr` what arbitrage took, `pool_volume` what was
    swapped in the whole pool. `seconds_in_range` is of `seconds_deployed`.
    """

    seconds: int
    seconds_deployed: int
    seconds_in_range: int
    mean_value: float
    fees: float
    lvr: float
    gas: float
    pool_volume: float
    rebalances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """The figures; shares are fractions of 1.

    `net_fee_apr` is simple, a year of 365 days, of fees less LVR and gas over the mean value.
    `fees_per_volume` is fees earned for a unit of the pool's volume: the pool's fee times the share
    of it that was ours.
    """

    net_fee_apr: float | Missing
    in_range_share: float | Missing
    fees_per_volume: float | Missing
    rebalances_per_day: float | Missing
    gas_to_fees: float | Missing
    fees_to_lvr: float | Missing


def efficiency(done: Activity) -> Efficiency:
    """The figures of what was done. Raises ValueError for amounts or times that cannot be."""
    _require_possible(done)
    net = done.fees - done.lvr - done.gas
    years, days = done.seconds / _YEAR_S, done.seconds / _DAY_S
    return Efficiency(
        net_fee_apr=_ratio(net, done.mean_value * years, "net fee APR", "value held over time"),
        in_range_share=_ratio(
            done.seconds_in_range, done.seconds_deployed, "time in range", "time deployed"
        ),
        fees_per_volume=_ratio(done.fees, done.pool_volume, "fees per volume", "volume"),
        rebalances_per_day=_ratio(done.rebalances, days, "rebalances a day", "time"),
        gas_to_fees=_ratio(done.gas, done.fees, "gas over fees", "fees"),
        fees_to_lvr=_ratio(done.fees, done.lvr, "fees over LVR", "LVR"),
    )


def _ratio(part: float, whole: float, name: str, needed: str) -> float | Missing:
    return part / whole if whole > 0 else Missing(f"{name} needs {needed} above 0, found 0")


def _require_possible(done: Activity) -> None:
    require_not_below_0(
        seconds=done.seconds,
        seconds_deployed=done.seconds_deployed,
        seconds_in_range=done.seconds_in_range,
        mean_value=done.mean_value,
        fees=done.fees,
        gas=done.gas,
        pool_volume=done.pool_volume,
        rebalances=done.rebalances,
    )
    require_finite(lvr=done.lvr)
    if not done.seconds_in_range <= done.seconds_deployed <= done.seconds:
        raise ValueError(
            f"{done.seconds_in_range} s in range, {done.seconds_deployed} s deployed and "
            f"{done.seconds} s in all must not fall"
        )
