"""A sweep from its options to its findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

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
from lpmanager.backtest.sweep.problem import Problem, jobs_of
from lpmanager.backtest.sweep.search import search
from lpmanager.backtest.sweep.windows import Window, windows_of
from lpmanager.backtest.sweep.working import Workers, solve_all
from lpmanager.rebalancer import Policy

#: Told how much of how much is done.
Progress = Callable[[int, int], None]


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
    """Run the plan. Raises UsageError and ConfigError for what cannot be swept so, and what
    `solve_all` and `search` raise."""
    rows = fast_columns(market)
    windows = windows_of(rows, plan.windows)
    base = Problem(
        rows=rows,
        strategies=table_of([]),
        variance_rates=variance_rates(rows, history_s),
        conditions=conditions,
    )
    if plan.search is None:
        points = points_of(plan.axes)
        candidates: list[list[int]] = [list(range(len(points)))] * len(windows)
    else:
        points, candidates = _searched(plan, plan.search, base, windows, progress)
    table = table_of([strategy_of(plan.policy_of(point)) for point in points])
    problem = replace(base, strategies=table)
    kept = plan.kept if plan.search is None else None
    found = solve_all(problem, jobs_of(len(points), windows), workers, kept, progress)
    results = found.reshape(len(points), len(windows), RESULT_COLUMNS)
    score = scores(results, plan.objective)
    return Sweep(
        points=tuple(points),
        windows=windows,
        results=results,
        score=score,
        folds=walk_forward(score, windows, candidates),
        rows=len(rows.time),
        drift=drift_of(market, rows),
    )


def _searched(
    plan: Plan, wish: Search, base: Problem, windows: Sequence[Window], progress: Progress
) -> tuple[list[Point], list[list[int]]]:
    """All points that searches tried, each once, and which of them each window's search tried."""
    fitted = windows[:-1] if len(windows) > 1 else windows
    points: list[Point] = []
    numbers: dict[tuple[object, ...], int] = {}
    candidates: list[list[int]] = []
    done, total = 0, wish.trials * len(fitted)

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    for place, window in enumerate(fitted):
        jobs = jobs_of(1, [window])

        def score(point: Point, jobs: np.ndarray = jobs) -> float:
            table = table_of([strategy_of(plan.policy_of(point))])
            return float(scores(replace(base, strategies=table).solve(jobs), plan.objective)[0])

        name = f"{_key(plan, base, jobs)}-{place}"
        tried = search(plan.axes, score, wish.trials, wish.seed + place, name, plan.kept, step)
        for point in tried:
            if tuple(point.values()) not in numbers:
                numbers[tuple(point.values())] = len(points)
                points.append(point)
        candidates.append(sorted({numbers[tuple(point.values())] for point in tried}))
    return points, candidates


def _key(plan: Plan, base: Problem, jobs: np.ndarray) -> str:
    """What tells this search from any other."""
    first: Mapping[str, object] = {axis.name: axis.values[0] for axis in plan.axes}
    policy = plan.policy_of(first)  # type: ignore[arg-type]
    told = f"{plan.axes} {plan.objective} {plan.search} {policy} {base.digest(jobs)}"
    return sha256(told.encode()).hexdigest()[:24]
