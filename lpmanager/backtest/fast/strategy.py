"""A whole strategy over a stretch of a market, in compiled code.

At the start, and then every `every_s` seconds, the policy decides on the row that is over by then.
What it wants is carried out at once, at that row's close, its own price impact included: others'
liquidity is taken for constant on the way of the swap, and the next row begins where that ended.

Warning: of all that `decide` asks live, only the pause between two moves (`min_interval_s`) is
asked here. Left out are the payback gate, the limits per day and per move, the pool share, the
TWAP, enough history, the choice to re-range without a swap, hedges by a swap, latency, and the
rounding to raw units. What a sweep prefers is to be run by `lpm backtest` before it is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lpmanager.amm.fast.jit import compiled, compiled_once, inlined, spliced
from lpmanager.backtest.fast import columns
from lpmanager.backtest.fast.accrual import (
    NEVER,
    Until,
    earn,
    price_before,
    tick_before,
    time_before,
)
from lpmanager.backtest.fast.columns import FastRows
from lpmanager.backtest.fast.log import PLACES, empty_log, write_down
from lpmanager.backtest.fast.placing import amounts_of, liquidity_of, price_into_ratio
from lpmanager.backtest.fast.policies import (
    PASSIVE,
    VOLATILITY_WIDTH,
    Strategy,
    good_ticks,
    stands,
    wanted_base,
    wanted_order,
)
from lpmanager.backtest.fast.positions import (
    FEES0,
    FEES1,
    LIQUIDITY,
    LOST,
    LOWER,
    SECONDS,
    UPPER,
    Earned,
    Held,
)
from lpmanager.backtest.fast.prices import sqrt_price
from lpmanager.backtest.markets.market import Times
from lpmanager.backtest.report.run import Numbers

#: The places of a strategy's positions.
_BASE, _ORDER = 0, 1
#: Entries of a wallet: raw tokens in hand, and raw tokens of fees collected so far.
_TOKEN0, _TOKEN1, _FEES0, _FEES1 = range(4)


class Conditions(NamedTuple):
    """On what terms a strategy runs: raw amounts deposited, seconds, and gas in wei.

    `native_price` is raw quote units for one wei of the native coin; NaN where the pool's token
    that is not the quote is that coin, wrapped.
    """

    deposit0: float
    deposit1: float
    quote_is_token0: bool
    every_s: int
    min_interval_s: int
    withdraw_gas: float
    swap_gas: float
    mint_gas: float
    native_price: float


#: Columns of the results, in raw quote units unless said: VALUE is what is held at the end, less
#: gas; START what was deposited is worth at the start, HODL at the end. FEES and GAS are valued at
#: the end, SWAP_COST at the price before each swap, LVR at the prices of the time. MOVES is a
#: number; IN_RANGE_S counts the base range, DEPLOYED_S the time since it first stood.
VALUE, START, HODL, FEES, LVR, SWAP_COST, GAS, MOVES, IN_RANGE_S, DEPLOYED_S = range(10)
RESULT_COLUMNS = 10

#: Columns of `Jobs`: which strategy runs over the market's rows [first, last).
STRATEGY, FIRST_ROW, LAST_ROW = range(3)
Jobs = Times


class Strategies(NamedTuple):
    """A row for each `Strategy`: its whole numbers (n, 8), and its real ones (n, 2)."""

    whole: Times
    real: Numbers


def table_of(strategies: Sequence[Strategy]) -> Strategies:
    """The strategies as a table."""
    return Strategies(
        np.array([strategy[:8] for strategy in strategies], np.int64),
        np.array([strategy[8:] for strategy in strategies], np.float64),
    )


@inlined
def _in_quote(amount0: float, amount1: float, price: float, conditions: Conditions) -> float:
    if conditions.quote_is_token0:
        return amount0 + amount1 / (price * price)
    return amount0 * price * price + amount1


@compiled
def _placed(held: Held, earned: Earned, price: float) -> tuple[float, float]:
    """Raw amounts in all positions, with their fees."""
    total0 = total1 = 0.0
    for place in range(PLACES):
        low, high, liquidity = held.numbers[:, place]
        own0, own1 = amounts_of(liquidity, price, low, high)
        total0 += own0 + earned[FEES0, place]
        total1 += own1 + earned[FEES1, place]
    return total0, total1


@compiled
def _withdraw(place: int, price: float, held: Held, earned: Earned, wallet: Numbers) -> None:
    low, high, liquidity = held.numbers[:, place]
    own0, own1 = amounts_of(liquidity, price, low, high)
    fees0, fees1 = earned[FEES0, place], earned[FEES1, place]
    wallet[_TOKEN0] += own0 + fees0
    wallet[_TOKEN1] += own1 + fees1
    wallet[_FEES0] += fees0
    wallet[_FEES1] += fees1
    earned[FEES0, place] = earned[FEES1, place] = held.numbers[LIQUIDITY, place] = 0.0


@compiled
def _mint(
    place: int, span: tuple[int, int], share: float, price: float, held: Held, wallet: Numbers
) -> bool:
    """Fill a range with a share of the wallet; whether there was anything to fill it with."""
    low, high = sqrt_price(span[0]), sqrt_price(span[1])
    offered0, offered1 = wallet[_TOKEN0] * share, wallet[_TOKEN1] * share
    liquidity = liquidity_of(offered0, offered1, price, low, high)
    if liquidity <= 0:
        return False
    used0, used1 = amounts_of(liquidity, price, low, high)
    wallet[_TOKEN0] = max(wallet[_TOKEN0] - used0, 0.0)
    wallet[_TOKEN1] = max(wallet[_TOKEN1] - used1, 0.0)
    held.edges[LOWER, place], held.edges[UPPER, place] = span
    held.numbers[LOWER, place], held.numbers[UPPER, place] = low, high
    held.numbers[LIQUIDITY, place] = liquidity
    return True


@compiled
def _swap_into_ratio(
    span: tuple[int, int], share: float, price: float, active: float, fee: float, wallet: Numbers
) -> tuple[float, float]:
    """The swap that brings a share of the wallet into a range's ratio: the price it ends at, and
    what it cost in raw token1 at the price before."""
    offered0, offered1 = wallet[_TOKEN0] * share, wallet[_TOKEN1] * share
    low, high = sqrt_price(span[0]), sqrt_price(span[1])
    after = price_into_ratio(offered0, offered1, price, low, high, active, fee)
    moved1 = active * (after - price)
    moved0 = -moved1 / (price * after)
    if after < price:
        moved0 /= 1 - fee
    else:
        moved1 /= 1 - fee
    wallet[_TOKEN0] = max(wallet[_TOKEN0] - moved0, 0.0)
    wallet[_TOKEN1] = max(wallet[_TOKEN1] - moved1, 0.0)
    return after, moved0 * price * price + moved1


@inlined
def _is_held(held: Held, place: int, span: tuple[int, int]) -> bool:
    edges = held.edges
    same = edges[LOWER, place] == span[0] and edges[UPPER, place] == span[1]
    return bool(same and held.numbers[LIQUIDITY, place] > 0)


@compiled
def _wanted(
    strategy: Strategy,
    variance_rate: float,
    spacing: int,
    tick: int,
    price: float,
    all0: float,
    all1: float,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The wanted base and, where the policy places one, the order; `all0` and `all1` is all that is
    held."""
    base = wanted_base(strategy, tick, variance_rate, spacing)
    if strategy.kind != PASSIVE:
        return base, base
    low, high = sqrt_price(base[0]), sqrt_price(base[1])
    used0, used1 = amounts_of(liquidity_of(all0, all1, price, low, high), price, low, high)
    above = (all0 - used0) * price * price >= all1 - used1
    return base, wanted_order(strategy, tick, spacing, above)


@compiled
def _move(
    rows: FastRows,
    row: int,
    strategy: Strategy,
    variance_rate: float,
    conditions: Conditions,
    held: Held,
    earned: Earned,
    wallet: Numbers,
) -> tuple[bool, float, float, float]:
    """Do what the policy wants before this row: whether that is anything, its gas in wei, what a
    swap cost in raw token1, and the price afterwards."""
    price, tick = price_before(rows, row), tick_before(rows, row)
    active, swaps = rows.numbers[columns.LIQUIDITY, max(row - 1, 0)], strategy.kind != PASSIVE
    unknown = strategy.kind == VOLATILITY_WIDTH and np.isnan(variance_rate)
    if unknown or (swaps and active <= 0):
        return False, 0.0, 0.0, price
    placed0, placed1 = _placed(held, earned, price)
    all0, all1 = wallet[_TOKEN0] + placed0, wallet[_TOKEN1] + placed1
    base, order = _wanted(strategy, variance_rate, rows.tick_spacing, tick, price, all0, all1)
    if not base[0] <= tick < base[1] or order[0] >= order[1]:  # at an end of the ticks
        return False, 0.0, 0.0, price
    keeps_base, keeps_order = _is_held(held, _BASE, base), _is_held(held, _ORDER, order)
    if keeps_base and (swaps or keeps_order):
        return False, 0.0, 0.0, price
    gas, cost = 0.0, 0.0
    for place in range(PLACES):
        keeps = keeps_base if place == _BASE else keeps_order
        if held.numbers[LIQUIDITY, place] > 0 and not keeps:
            _withdraw(place, price, held, earned, wallet)
            gas += conditions.withdraw_gas
    if swaps:
        after, cost = _swap_into_ratio(base, strategy.deploy, price, active, rows.fee, wallet)
        gas += conditions.swap_gas if after != price else 0.0
        price = after
    for place in range(1 if swaps else PLACES):
        span, keeps = (base, keeps_base) if place == _BASE else (order, keeps_order)
        share = strategy.deploy if place == _BASE else 1.0
        if not keeps and _mint(place, span, share, price, held, wallet):
            gas += conditions.mint_gas
    return True, gas, cost, price


@spliced
def _strategy(table: Strategies, number: int) -> Strategy:
    a, b, c, d, e, f, g, h = table.whole[number]
    deploy, multiplier = table.real[number]
    return Strategy(a, b, c, d, e, f, g, h, deploy, multiplier)


@compiled
def _run(
    rows: FastRows,
    first: int,
    last: int,
    strategy: Strategy,
    variance_rates: Numbers,
    conditions: Conditions,
    result: Numbers,
    log: Numbers,
) -> None:
    """One strategy over the rows [first, last); its first moves are written down in the log."""
    held = Held(np.zeros((2, PLACES), np.int64), np.ones((3, PLACES)))
    for place in range(PLACES):
        held.numbers[LIQUIDITY, place] = 0.0
    earned = np.zeros((4, PLACES))
    wallet = np.array([conditions.deposit0, conditions.deposit1, 0.0, 0.0])
    start, every = time_before(rows, first), conditions.every_s
    row, price, time, is_due = first, price_before(rows, first), start, True
    due, moved_at, deployed_at, gas = start, -NEVER, NEVER, 0.0
    result[START] = _in_quote(conditions.deposit0, conditions.deposit1, price, conditions)
    while row < last:
        if is_due:
            rested = time - moved_at >= conditions.min_interval_s
            if rested and not stands(strategy, held, tick_before(rows, row)):
                rate, before = variance_rates[row - 1] if row else np.nan, price
                moved, paid, cost, price = _move(
                    rows, row, strategy, rate, conditions, held, earned, wallet
                )
                if moved:
                    if result[MOVES] < len(log):
                        entry = log[int(result[MOVES])]
                        write_down(entry, row, paid, before, price, wallet, held)
                    gas += paid
                    result[SWAP_COST] += _in_quote(0.0, cost, before, conditions)
                    result[MOVES] += 1
                    moved_at, deployed_at = time, min(deployed_at, time)
            due = start + ((time - start) // every + 1) * every
        good, behind = 0, 0
        if held.numbers[LIQUIDITY, _BASE] > 0:
            good, behind = good_ticks(strategy, held.edges[LOWER, _BASE], held.edges[UPPER, _BASE])
        until = Until(last, NEVER, due, good, behind)
        row = earn(rows, row, price, until, conditions.quote_is_token0, held, earned)
        time, price = time_before(rows, row), price_before(rows, row)
        point = start + (time - start) // every * every
        is_due = point > time_before(rows, row - 1)
        due = point + every
    result[GAS] = gas * _coin_in_quote(price, conditions)
    total0, total1 = _placed(held, earned, price)
    total0, total1 = total0 + wallet[_TOKEN0], total1 + wallet[_TOKEN1]
    fees0, fees1 = wallet[_FEES0], wallet[_FEES1]
    for place in range(PLACES):
        fees0, fees1 = fees0 + earned[FEES0, place], fees1 + earned[FEES1, place]
        result[LVR] += earned[LOST, place]
    result[VALUE] = _in_quote(total0, total1, price, conditions) - result[GAS]
    result[HODL] = _in_quote(conditions.deposit0, conditions.deposit1, price, conditions)
    result[FEES] = _in_quote(fees0, fees1, price, conditions)
    result[IN_RANGE_S] = earned[SECONDS, _BASE]
    result[DEPLOYED_S] = max(time - deployed_at, 0)


@inlined
def _coin_in_quote(price: float, conditions: Conditions) -> float:
    """Raw quote units for one wei of the native coin."""
    if not np.isnan(conditions.native_price):
        return conditions.native_price
    return 1 / (price * price) if conditions.quote_is_token0 else price * price


def _solve(
    stamp: str,
) -> Callable[[FastRows, Jobs, Strategies, Numbers, Conditions, Numbers], Numbers]:
    """`solve`, not yet compiled; see `compiled_once` for the stamp."""

    def solve(
        rows: FastRows,
        jobs: Jobs,
        table: Strategies,
        variance_rates: Numbers,
        conditions: Conditions,
        log: Numbers,
    ) -> Numbers:
        """The results of all jobs, a row for each; the moves of the last are left in the log."""
        _ = stamp
        results = np.zeros((len(jobs), RESULT_COLUMNS))
        for number in range(len(jobs)):
            job, strategy = jobs[number], _strategy(table, jobs[number, STRATEGY])
            _run(
                rows,
                job[FIRST_ROW],
                job[LAST_ROW],
                strategy,
                variance_rates,
                conditions,
                results[number],
                log,
            )
        return results

    return solve


_solved = compiled_once(_solve, Path(__file__).parent)


def run_all(
    rows: FastRows,
    jobs: Jobs,
    table: Strategies,
    variance_rates: Numbers,
    conditions: Conditions,
) -> Numbers:
    """The results of all jobs, a row for each.

    `variance_rates` has the variance of the log price per second as known after each row, NaN for
    unknown. A result depends on nothing but its own job, to the last bit.
    """
    return _solved(rows, jobs, table, variance_rates, conditions, empty_log(0))


def run_logged(
    rows: FastRows, strategy: Strategy, variance_rates: Numbers, conditions: Conditions
) -> tuple[Numbers, Numbers]:
    """The result of one strategy over all rows, the bits of `run_all`; and its log."""
    job, table = np.array([[0, 0, len(rows.time)]], np.int64), table_of([strategy])
    moves = int(run_all(rows, job, table, variance_rates, conditions)[0, MOVES])
    log = empty_log(moves)
    return _solved(rows, job, table, variance_rates, conditions, log)[0], log
