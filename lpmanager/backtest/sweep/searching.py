"""Searches of all windows to fit on, side by side, one trial of each at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lpmanager.backtest.fast.policies import Strategy
from lpmanager.backtest.fast.strategy import RESULT_COLUMNS, table_of
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.sweep.axes import Axis, Point
from lpmanager.backtest.sweep.judging import Objective, scores
from lpmanager.backtest.sweep.keeping import Arrays, Keeper
from lpmanager.backtest.sweep.problem import jobs_of
from lpmanager.backtest.sweep.search import Places, WindowSearch, point_at
from lpmanager.backtest.sweep.windows import Window
from lpmanager.backtest.sweep.working import Progress, Solver, solve_all

_NOT_KEPT = Keeper(None, "")


class Searching:
    """All that was tried so far.

    A round is one trial of each window that is fitted. A new point is run in every window at once,
    by all workers; each search is told the score of its own window only, and so chooses by nothing
    that lies behind it. Rounds are kept whole.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        windows: Sequence[Window],
        objective: Objective,
        seed: int,
        strategy_at: Callable[[Point], Strategy],
    ) -> None:
        """`strategy_at` compiles a point. Raises LpmError where optuna is not installed."""
        self._axes, self._windows, self._objective = axes, windows, objective
        self._strategy_at = strategy_at
        fitted = max(len(windows) - 1, 1)
        self._searches = [WindowSearch(axes, seed, window) for window in range(fitted)]
        self._numbers: dict[Places, int] = {}
        self._results = np.zeros((0, len(windows), RESULT_COLUMNS))
        self._rounds: list[tuple[int, ...]] = []

    def run(self, solver: Solver, trials: int, keeper: Keeper, progress: Progress) -> None:
        """So many rounds, those that were kept among them. `progress` is told trials.

        Raises what `Keeper.read` raises.
        """
        kept = keeper.read()
        if kept is not None:
            self._take_up(kept, trials)
        fitted = len(self._searches)
        progress(len(self._rounds) * fitted, trials * fitted)
        try:
            while len(self._rounds) < trials:
                self._round(solver)
                progress(len(self._rounds) * fitted, trials * fitted)
                keeper.keep_at_times(self._kept())
        finally:
            keeper.keep(self._kept())

    @property
    def points(self) -> list[Point]:
        """Every point that was tried, once, in the order of the first trials."""
        return [point_at(self._axes, places) for places in self._numbers]

    @property
    def results(self) -> Numbers:
        """What they came to: (points, windows, columns)."""
        return self._results

    @property
    def candidates(self) -> list[list[int]]:
        """The numbers of the points that each window's search tried; of the last window, which is
        only judged on, none."""
        return [sorted(set(tried)) for tried in zip(*self._rounds, strict=True)]

    def _round(self, solver: Solver) -> None:
        proposed = [search.propose() for search in self._searches]
        new = [places for places in dict.fromkeys(proposed) if places not in self._numbers]
        if new:
            points = [point_at(self._axes, places) for places in new]
            table = table_of([self._strategy_at(point) for point in points])
            jobs = jobs_of(len(new), self._windows)
            found = solve_all(solver, table, jobs, _NOT_KEPT, lambda done, total: None)
            self._add(new, found.reshape(len(new), len(self._windows), RESULT_COLUMNS))
        tried = tuple(self._numbers[places] for places in proposed)
        for window, (search, number) in enumerate(zip(self._searches, tried, strict=True)):
            search.learn(self._score(number, window))
        self._rounds.append(tried)

    def _score(self, number: int, window: int) -> float:
        return float(scores(self._results[number, window], self._objective))

    def _add(self, places: Sequence[Places], results: Numbers) -> None:
        for each in places:
            self._numbers[each] = len(self._numbers)
        self._results = np.concatenate((self._results, results))

    def _kept(self) -> Arrays:
        return {
            "places": np.array(list(self._numbers), np.int64).reshape(-1, len(self._axes)),
            "results": self._results,
            "rounds": np.array(self._rounds, np.int64).reshape(-1, len(self._searches)),
        }

    def _take_up(self, kept: Arrays, trials: int) -> None:
        """The rounds of an earlier run, as far as they are asked for now."""
        self._rounds = [tuple(each) for each in kept["rounds"][:trials].tolist()]
        count = max((number for each in self._rounds for number in each), default=-1) + 1
        places = [tuple(each) for each in kept["places"][:count].tolist()]
        self._add(places, kept["results"][:count])
        for tried in self._rounds:
            for window, (search, number) in enumerate(zip(self._searches, tried, strict=True)):
                search.remember(places[number], self._score(number, window))
