"""A sweep from its options to its findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lpmanager.backtest.fast.columns import fast_columns
from lpmanager.backtest.fast.drift import drift_of
from lpmanager.backtest.fast.policies import strategy_of
from lpmanager.backtest.fast.strategy import RESULT_COLUMNS, Conditions, table_of
from lpmanager.backtest.fast.volatility import variance_rates
from lpmanager.backtest.markets.market import Market
from lpmanager.backtest.report.run import Drift, Numbers
from lpmanager.backtest.sweep.axes import Axis, Point, points_of
from lpmanager.backtest.sweep.judging import Fold, Objective, scores, walk_forward
from lpmanager.backtest.sweep.keeping import Keeper
from lpmanager.backtest.sweep.problem import Problem, jobs_of
from lpmanager.backtest.sweep.searching import Searching
from lpmanager.backtest.sweep.windows import Window, windows_of
from lpmanager.backtest.sweep.working import Progress, Solver, Workers, solve_all
from lpmanager.rebalancer import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """So many trials in each window to fit on, instead of every point."""

    trials: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to sweep: all points of the axes, or those a search proposes, in so many windows.

    `policy_of` makes the policy of a point. `kept` is a file to keep what is done in.
    """

    axes: tuple[Axis, ...]
    policy_of: Callable[[Point], Policy]
    windows: int
    objective: Objective
    search: Search | None
    kept: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What came of it: `results` is (points, windows, columns), `score` (points, windows); `drift`
    is how far fast mode is from exact mode on this market."""

    points: tuple[Point, ...]
    windows: tuple[Window, ...]
    results: Numbers
    score: Numbers
    folds: tuple[Fold, ...]
    rows: int
    drift: Drift

    @property
    def ranking(self) -> list[int]:
        """The numbers of the points, the highest mean score of all windows first."""
        return [int(number) for number in np.argsort(-self.score.mean(axis=1), kind="stable")]


def sweep(
    market: Market,
    plan: Plan,
    conditions: Conditions,
    history_s: int,
    workers: Workers,
    progress: Progress,
) -> Sweep:
    """Run the plan. Raises UsageError and ConfigError for what cannot be swept so, and what the
    workers and `Keeper.read` raise."""
    rows = fast_columns(market)
    windows = windows_of(rows, plan.windows)
    problem = Problem(
        rows=rows, variance_rates=variance_rates(rows, history_s), conditions=conditions
    )
    with workers(problem) as solver:
        run = _all_points if plan.search is None else _searched
        tried = run(plan, problem, windows, solver, progress)
    score = scores(tried.results, plan.objective)
    return Sweep(
        points=tuple(tried.points),
        windows=windows,
        results=tried.results,
        score=score,
        folds=walk_forward(score, windows, tried.candidates),
        rows=len(rows.time),
        drift=drift_of(market, rows),
    )


class _Tried(NamedTuple):
    """The points, what they came to, and which of them each window may choose from."""

    points: Sequence[Point]
    results: Numbers
    candidates: Sequence[Sequence[int]]


def _all_points(
    plan: Plan, problem: Problem, windows: Sequence[Window], solver: Solver, progress: Progress
) -> _Tried:
    points = points_of(plan.axes)
    table = table_of([strategy_of(plan.policy_of(point)) for point in points])
    jobs = jobs_of(len(points), windows)
    keeper = Keeper(plan.kept, "" if plan.kept is None else problem.digest(*table, jobs))
    found = solve_all(solver, table, jobs, keeper, progress)
    results = found.reshape(len(points), len(windows), RESULT_COLUMNS)
    return _Tried(points, results, [range(len(points))] * len(windows))


def _searched(
    plan: Plan, problem: Problem, windows: Sequence[Window], solver: Solver, progress: Progress
) -> _Tried:
    if plan.search is None:
        raise ValueError("the plan has no search")
    wish = plan.search
    first = {axis.name: axis.values[0] for axis in plan.axes}
    told = f"{plan.axes} {windows} {plan.objective} {wish.seed} {plan.policy_of(first)}"
    keeper = Keeper(plan.kept, "" if plan.kept is None else problem.digest(told))
    searching = Searching(
        plan.axes,
        windows,
        plan.objective,
        wish.seed,
        lambda point: strategy_of(plan.policy_of(point)),
    )
    searching.run(solver, wish.trials, keeper, progress)
    return _Tried(searching.points, searching.results, searching.candidates)
