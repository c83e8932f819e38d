"""What a backtest comes to in single numbers: risk, time in range, costs, fees against LVR.

A number that cannot be told is `Unknown` and says why; it is never NaN and never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lpmanager.backtest.report.run import Move, Numbers, Run, Times
from lpmanager.model.units import DAY_S
from lpmanager.risk.efficiency import Efficiency, fees_per_volume, gas_to_fees, net_fee_apr
from lpmanager.risk.missing import Missing
from lpmanager.risk.regret import Regret, regret

YEAR_DAYS = 365

#: Of fewer days, the worst twentieth is less than one, and a Sharpe ratio is noise.
LEAST_DAYS = 20
_CVAR_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Unknown:
    """A number that cannot be told, and why."""

    why: str


Figure = float | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The largest fall from a peak, as a share of the peak; times in Unix seconds."""

    share: float
    peak_time: int
    trough_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """A backtest in numbers. Shares are fractions of 1; money is in whole quote tokens.

    All are of the samples in the run's curve: what the value did between them is not seen.
    `sharpe_error_per_year` is the standard error of `sharpe_per_year`. `cvar95_daily_share` is the
    mean loss on the worst twentieth of days, positive where that is a loss. `in_range_share` is of
    the time deployed. A rebalance is a move that changed the ranges, the first placing left out;
    `gas_per_fees` is at the end's price; `fees_per_lvr` and `fee_apr_share` (simple, of the mean
    value) at the prices of their time, as is `net_fee_apr_share`, of fees less LVR and gas.
    `fees_per_volume` is of all that was swapped in the pool. `hindsight` and `behind_hindsight` are
    those of `lpmanager.risk.regret`.
    """

    days: float
    return_days: int
    drawdown: Drawdown | Unknown
    sharpe_per_year: Figure
    sharpe_error_per_year: Figure
    cvar95_daily_share: Figure
    in_range_share: Figure
    deployed_share: Figure
    rebalances: int
    rebalances_per_day: Figure
    gas_per_fees: Figure
    fees_per_lvr: Figure
    fee_apr_share: Figure
    net_fee_apr_share: Figure
    fees_per_volume: Figure
    hindsight: Figure
    behind_hindsight: Figure


def statistics(run: Run) -> Statistics:
    """Every statistic of a backtest."""
    curve = run.curve
    days = (run.end - run.start) / DAY_S
    time, value = from_deposit(run, curve.value)
    returns = daily_returns(time, value)
    sharpe, sharpe_error = _sharpe(returns)
    rebalances = count_rebalances(run)
    fees, lvr = float(curve.fees[-1]), float(curve.lvr[-1])
    mean_value, regretted = _mean_value(run), _regret(run)
    return Statistics(
        days=days,
        return_days=0 if isinstance(returns, Unknown) else len(returns),
        drawdown=largest_drawdown(time, value),
        sharpe_per_year=sharpe,
        sharpe_error_per_year=sharpe_error,
        cvar95_daily_share=_daily_cvar(returns),
        in_range_share=_known(float(curve.in_range[-1]), "no liquidity was ever placed"),
        deployed_share=_ratio(_deployed_s(run), run.end - run.start, "the window has no length"),
        rebalances=rebalances,
        rebalances_per_day=_ratio(rebalances, days, "the window has no length"),
        gas_per_fees=_figure(
            gas_to_fees(gas=float(run.result["gas"]), fees=float(run.result["fees"]))
        ),
        fees_per_lvr=_ratio(fees, lvr, "nothing was lost to arbitrage"),
        fee_apr_share=mean_value
        if isinstance(mean_value, Unknown)
        else _ratio(fees, mean_value * days / YEAR_DAYS, "nothing was held"),
        net_fee_apr_share=mean_value
        if isinstance(mean_value, Unknown)
        else _figure(
            net_fee_apr(
                fees=fees,
                lvr=lvr,
                gas=sum(move.gas_quote for move in run.moves),
                mean_value=mean_value,
                seconds=run.end - run.start,
            )
        ),
        fees_per_volume=_figure(fees_per_volume(fees=fees, pool_volume=run.pool_volume)),
        hindsight=regretted if isinstance(regretted, Unknown) else regretted.hindsight,
        behind_hindsight=regretted if isinstance(regretted, Unknown) else regretted.behind,
    )


def efficiency(found: Statistics) -> Efficiency:
    """What a live campaign's books tell of it, by the same names."""

    def told(figure: Figure) -> float | Missing:
        return Missing(figure.why) if isinstance(figure, Unknown) else figure

    return Efficiency(
        fee_apr_share=told(found.fee_apr_share),
        net_fee_apr_share=told(found.net_fee_apr_share),
        fees_per_lvr=told(found.fees_per_lvr),
        fees_per_volume=told(found.fees_per_volume),
        in_range_share=told(found.in_range_share),
        rebalances=found.rebalances,
        rebalances_per_day=told(found.rebalances_per_day),
    )


def from_deposit(run: Run, values: Numbers) -> tuple[Times, Numbers]:
    """A curve's times and values, from the deposit at the start on: the first decision may be
    later."""
    time = run.curve.time
    if time[0] <= run.start:
        return time, values
    deposit = float(run.result["nav_start"])
    return np.insert(time, 0, run.start), np.insert(values, 0, deposit)


def largest_drawdown(time: Times, value: Numbers) -> Drawdown | Unknown:
    """The largest fall of a value below the highest before it, as a share of that."""
    if len(value) == 0 or not np.isfinite(value).all():
        return Unknown("the value is not known over the whole window")
    peaks = np.maximum.accumulate(value)
    if peaks[0] <= 0:
        return Unknown("there was nothing to lose at the start")
    falls = 1 - value / peaks
    trough = int(np.argmax(falls))
    peak = int(np.argmax(value[: trough + 1]))
    return Drawdown(
        share=float(falls[trough]), peak_time=int(time[peak]), trough_time=int(time[trough])
    )


def daily_returns(time: Times, value: Numbers) -> Numbers | Unknown:
    """Returns over each whole day since the first sample, as fractions of the day's first value.

    A day ends with the last sample in it; what is left after the last whole day is not counted.
    """
    whole_days = int(time[-1] - time[0]) // DAY_S
    if whole_days == 0:
        return Unknown("the window is shorter than a day")
    ends = time[0] + DAY_S * np.arange(whole_days + 1)
    rows = np.searchsorted(time, ends, side="right") - 1
    if (np.diff(rows) == 0).any():
        return Unknown("on some day no decision fell")
    at_ends = value[rows]
    if not (at_ends > 0).all():
        return Unknown("the value was not above 0 on every day")
    return np.asarray(np.diff(at_ends) / at_ends[:-1])


def cvar(losses: Numbers, level: float) -> float:
    """The mean of the worst 1 - `level` of losses, a loss being positive.

    The minimum over a of a + E[(loss - a)+] / (1 - level) (Rockafellar and Uryasev, 2000), which
    for a sample is the mean of its worst part, the last loss of that taken in part.
    """
    worst = np.sort(losses)[::-1]
    count = (1 - level) * len(worst)
    whole = math.floor(count)
    partly = (count - whole) * worst[whole] if whole < len(worst) else 0.0
    return float((worst[:whole].sum() + partly) / count)


def changed_ranges(moves: Sequence[Move]) -> tuple[bool, ...]:
    """Of each move whether it changed the ranges held; otherwise it only swapped tokens."""
    held = [(), *(move.ranges for move in moves)]
    return tuple(before != after for before, after in pairwise(held))


def count_rebalances(run: Run) -> int:
    """Moves that changed the ranges held; the first placing is none."""
    return sum(changed_ranges(run.moves)[1:])


def _sharpe(returns: Numbers | Unknown) -> tuple[Figure, Figure]:
    """Mean over standard deviation of daily returns, times sqrt(365), against no interest; and its
    standard error for independent returns (Lo, 2002)."""
    if isinstance(returns, Unknown):
        return returns, returns
    if len(returns) < LEAST_DAYS:
        too_few = _too_few(len(returns))
        return too_few, too_few
    deviation = float(returns.std(ddof=1))
    if deviation == 0:
        never = Unknown("the value never moved")
        return never, never
    daily = float(returns.mean()) / deviation
    daily_error = math.sqrt((1 + daily**2 / 2) / len(returns))
    return daily * math.sqrt(YEAR_DAYS), daily_error * math.sqrt(YEAR_DAYS)


def _daily_cvar(returns: Numbers | Unknown) -> Figure:
    if isinstance(returns, Unknown):
        return returns
    if len(returns) < LEAST_DAYS:
        return _too_few(len(returns))
    return cvar(-returns, _CVAR_LEVEL)


def _too_few(days: int) -> Unknown:
    return Unknown(f"needs {LEAST_DAYS} whole days, and the window has {days}")


def _mean_value(run: Run) -> Figure:
    """The mean value over time, the value between two samples being on a straight line."""
    time, value = from_deposit(run, run.curve.value)
    seconds = float(time[-1] - time[0])
    if seconds == 0:
        return Unknown("the window has no length")
    mean = float(((value[1:] + value[:-1]) / 2 * np.diff(time)).sum()) / seconds
    return _known(mean, "the value is not known over the whole window")


def _regret(run: Run) -> Regret | Unknown:
    """What hindsight was worth with the base tokens of the deposit: HODL gains as much for each as
    the price does."""
    price, hodl = run.curve.price, run.curve.hodl
    low, high = int(np.argmin(price)), int(np.argmax(price))
    if price[low] == price[high]:
        return Unknown("the price never moved")
    base = float((hodl[high] - hodl[low]) / (price[high] - price[low]))
    gained = float(run.result["nav_end"] - run.result["hodl_value"])
    found = regret(run.curve.time.tolist(), price.tolist(), base=max(base, 0.0), gained=gained)
    return Unknown(found.reason) if isinstance(found, Missing) else found


def _deployed_s(run: Run) -> int:
    """Seconds in which at least one position was open."""
    spans = sorted((h.opened, run.end if h.closed is None else h.closed) for h in run.held)
    covered, reached = 0, run.start
    for opened, closed in spans:
        begin = max(opened, reached)
        covered += max(closed - begin, 0)
        reached = max(reached, closed)
    return covered


def _ratio(part: float, whole: float, why_not: str) -> Figure:
    if not (math.isfinite(part) and math.isfinite(whole)) or whole <= 0:
        return Unknown(why_not)
    return part / whole


def _figure(found: float | Missing) -> Figure:
    return Unknown(found.reason) if isinstance(found, Missing) else found


def _known(value: float, why_not: str) -> Figure:
    return value if math.isfinite(value) else Unknown(why_not)
