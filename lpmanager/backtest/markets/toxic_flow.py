"""How much of a recorded market's volume was toxic, hour by hour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.packing import to_floats
from lpmanager.backtest.markets.amounts import signed_floats
from lpmanager.backtest.markets.market import SWAP, Bars, Events, Market
from lpmanager.model.units import HOUR_S
from lpmanager.risk.learned.toxic_share import FlowPeriods
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import HORIZON_S
from lpmanager.risk.providers_fee import providers_shares
from lpmanager.risk.volatility.realised import STEP_S

_PIPS = 1_000_000
_Q96 = 2.0**96
_Numbers = NDArray[np.float64]


def toxic_periods(market: Market, period_s: int = HOUR_S) -> FlowPeriods | Missing:
    """The flow by whole periods, the last ending as late as its swaps show what they cost.

    Toxic is what `risk.order_flow.toxicity` calls so: a swap of which providers made less than
    nothing, its fee included, five minutes later; which swaps count, `risk.order_flow.markouts`
    says. Volumes are in raw token1 at the price by then. The share of a period is not known yet
    when it ends, but one period later. Missing where the market does not tell one swap from
    another, or not both amounts of any.
    """
    if period_s % STEP_S:
        raise ValueError(f"a period of {period_s} s is not a whole number of steps of {STEP_S} s")
    if isinstance(market.rows, Bars):
        return Missing("toxic flow needs each swap, and bars tell only their sum")
    rows = market.rows
    logs = 2 * np.log(to_floats(rows.sqrt_price) / _Q96)
    ends = int(rows.time[-1]) - HORIZON_S
    count = (ends - int(rows.time[0])) // period_s
    if count < 1:
        return Missing(f"toxic flow needs a whole period of {period_s} s, found none")
    swaps = _paid_out(rows)
    if isinstance(swaps, Missing):
        return swaps
    volume, toxic = _volumes(market, rows, swaps, logs)
    slot = (rows.time[swaps] - ends) // period_s + count
    whole = (slot >= 0) & (slot < count)
    slot = slot[whole]
    volumes = np.bincount(slot, volume[whole], count)
    bad = np.bincount(slot, volume[whole] * toxic[whole], count)
    shares = np.divide(bad, volumes, out=np.zeros(count), where=volumes > 0)
    return FlowPeriods(
        toxic_shares=tuple(np.minimum(shares, 1.0).tolist()),
        volumes=tuple(volumes.tolist()),
        variances=tuple(_variances(rows, logs, ends, count, period_s).tolist()),
        period_s=period_s,
        ends=ends,
        unknown=-(-HORIZON_S // period_s),
    )


def _paid_out(rows: Events) -> NDArray[np.int64] | Missing:
    """The rows of the swaps that something went out for, or why they tell nothing."""
    swaps = np.flatnonzero(rows.kind == SWAP)
    amount0, amount1 = signed_floats(rows.amount0[swaps]), signed_floats(rows.amount1[swaps])
    out = np.minimum(amount0, amount1) < 0
    if len(swaps) and not out.any():
        return Missing(f"toxic flow needs both amounts; each of {len(swaps)} swaps tells only one")
    if (np.maximum(amount0, amount1)[out] <= 0).any():
        return Missing("toxic flow needs what came in; by this record a swap paid nothing")
    return swaps[out]


def _volumes(
    market: Market, rows: Events, swaps: NDArray[np.int64], logs: _Numbers
) -> tuple[_Numbers, NDArray[np.bool_]]:
    """Of each of these swaps what came in, in raw token1 after the horizon, and whether it was
    toxic. Of the protocol's share of the fee only the pool's state at the start tells."""
    later = np.exp(_logs_at(rows, logs, rows.time[swaps] + HORIZON_S))
    amount0, amount1 = signed_floats(rows.amount0[swaps]), signed_floats(rows.amount1[swaps])
    volume = np.where(amount0 > 0, amount0 * later, amount1)
    kept0, kept1 = providers_shares(0 if market.start is None else market.start.fee_protocol)
    taken = volume * market.pool.fee_pips / _PIPS * np.where(amount0 > 0, 1 - kept0, 1 - kept1)
    return volume, amount0 * later + amount1 - taken < 0


def _variances(rows: Events, logs: _Numbers, ends: int, count: int, period_s: int) -> _Numbers:
    """Realised variance of each period, in returns of five minutes."""
    times = np.arange(ends - count * period_s, ends + 1, STEP_S)
    squares = np.diff(_logs_at(rows, logs, times)) ** 2
    return np.asarray(squares.reshape(count, -1).sum(axis=1))


def _logs_at(rows: Events, logs: _Numbers, times: NDArray[np.int64]) -> _Numbers:
    """The log price that stood at each of these times, none of which is before the first row."""
    return np.asarray(logs[np.searchsorted(rows.time, times, side="right") - 1])
