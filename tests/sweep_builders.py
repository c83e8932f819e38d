"""A small market to sweep, and sweeps of it that are interrupted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from fast_builders import DEEP, MINUTE, market_of, random_bars

from lpmanager.backtest.fast.columns import fast_columns
from lpmanager.backtest.fast.strategy import Conditions, Jobs, Strategies
from lpmanager.backtest.fast.volatility import variance_rates
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.sweep.axes import axes_from
from lpmanager.backtest.sweep.judging import Objective
from lpmanager.backtest.sweep.problem import Problem
from lpmanager.backtest.sweep.sweeping import Plan, Search, Sweep, sweep
from lpmanager.backtest.sweep.working import Chunk, Progress, Solver, Threads, Workers
from lpmanager.rebalancer import make_policy

MARKET = market_of(random_bars(11, count=240, step=30))
HISTORY_S = 45 * MINUTE
CONDITIONS = Conditions(
    deposit0=float(DEEP // 50),
    deposit1=float(DEEP // 50),
    quote_is_token0=True,
    every_s=3 * MINUTE,
    min_interval_s=0,
    withdraw_gas=1e18,
    swap_gas=1e18,
    mint_gas=1e18,
    native_price=1.0,
)
PLAN = Plan(
    axes=axes_from(["half_width_ticks=20:200:20", "recentre_at=0.5,1"]),
    policy_of=lambda point: make_policy("fixed_width", dict(point)),
    windows=4,
    objective=Objective.AGAINST_HODL,
    search=None,
    kept=None,
)
PROBLEM = Problem(
    rows=fast_columns(MARKET),
    variance_rates=variance_rates(fast_columns(MARKET), HISTORY_S),
    conditions=CONDITIONS,
)
SEARCH = replace(PLAN, windows=3, search=Search(trials=14, seed=3))

#: One thread.
ONE = Threads(count=1)


def swept(
    plan: Plan = PLAN,
    workers: Workers | None = None,
    progress: Progress = lambda done, all_of: None,
) -> Sweep:
    return sweep(MARKET, plan, CONDITIONS, HISTORY_S, workers or Threads(count=2), progress)


def stopping_after(runs: int) -> Progress:
    """Progress that is interrupted once more than so many runs are done."""

    def told(done: int, all_of: int) -> None:
        if done > runs:
            raise KeyboardInterrupt

    return told


class Stopping:
    """Workers that do some chunks, a few jobs each, and are then interrupted."""

    def __init__(self, chunks: int, workers: Workers = ONE) -> None:
        self.chunks, self.did = chunks, 0
        self.workers = workers

    @contextmanager
    def __call__(self, problem: Problem) -> Iterator[Solver]:
        with self.workers(problem) as solver:

            def solved(
                strategies: Strategies, jobs: Jobs, chunks: Sequence[Chunk]
            ) -> Iterator[tuple[Chunk, Numbers]]:
                for first, last in chunks:
                    for begin in range(first, last, 5):
                        if self.did == self.chunks:
                            raise KeyboardInterrupt
                        self.did += 1
                        yield from solver(strategies, jobs, [(begin, min(begin + 5, last))])

            yield solved
