"""Carrying out the jobs of a sweep: in chunks, by workers, and going on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpmanager.backtest.fast.strategy import (
    FIRST_ROW,
    LAST_ROW,
    RESULT_COLUMNS,
    Jobs,
    Strategies,
)
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.sweep.keeping import Keeper
from lpmanager.backtest.sweep.problem import Problem

#: Rows to run over before progress is shown and kept: a hundredth and a fifth of a second.
_LEAST_CHUNK_ROWS, _MOST_CHUNK_ROWS = 1_000_000, 20_000_000
#: There should be so many chunks, that workers end together.
_CHUNKS = 64

#: Jobs [first, behind) of a list.
Chunk = tuple[int, int]
#: Gives the results of chunks of the jobs, in any order.
Solver = Callable[[Strategies, Jobs, Sequence[Chunk]], Iterator[tuple[Chunk, Numbers]]]
#: Makes a solver of a problem, which it takes to where the work is done, once.
Workers = Callable[[Problem], AbstractContextManager[Solver]]
#: Told how much of how much is done.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """Workers on this machine. The kernel lets go of the interpreter, so they run side by side."""

    count: int

    @contextmanager
    def __call__(self, problem: Problem) -> Iterator[Solver]:
        """A solver that yields chunks as they come."""
        with ThreadPoolExecutor(self.count) as pool:

            def solved(
                strategies: Strategies, jobs: Jobs, chunks: Sequence[Chunk]
            ) -> Iterator[tuple[Chunk, Numbers]]:
                running = {
                    pool.submit(problem.solve, strategies, jobs[slice(*chunk)]): chunk
                    for chunk in chunks
                }
                for done in as_completed(running):
                    yield running[done], done.result()

            try:
                yield solved
            finally:
                pool.shutdown(cancel_futures=True)


def solve_all(
    solver: Solver, strategies: Strategies, jobs: Jobs, keeper: Keeper, progress: Progress
) -> Numbers:
    """The results of all jobs, in their order.

    What is finished is kept, and a second call goes on from there. `progress` is told how many jobs
    of how many are done. Raises what `Keeper.read` raises.
    """
    results = np.zeros((len(jobs), RESULT_COLUMNS))
    done = np.zeros(len(jobs), np.bool_)
    kept = keeper.read()
    if kept is not None:
        results, done = kept["results"], kept["done"]
    progress(int(done.sum()), len(jobs))
    try:
        for chunk, found in solver(strategies, jobs, list(_chunks(jobs, done))):
            results[slice(*chunk)], done[slice(*chunk)] = found, True
            progress(int(done.sum()), len(jobs))
            keeper.keep_at_times({"results": results, "done": done})
    finally:
        keeper.keep({"results": results, "done": done})
    return results


def _chunks(jobs: Jobs, done: NDArray[Any]) -> Iterator[Chunk]:
    """Neighbouring jobs that are not done."""
    rows = jobs[:, LAST_ROW] - jobs[:, FIRST_ROW]
    enough = min(max(int(rows.sum()) // _CHUNKS, _LEAST_CHUNK_ROWS), _MOST_CHUNK_ROWS)
    begin, size = 0, 0
    for job in range(len(jobs) + 1):
        ended = job == len(jobs) or done[job] or size >= enough
        if ended:
            if begin < job:
                yield begin, job
            begin, size = (job + 1, 0) if job < len(jobs) and done[job] else (job, 0)
        if job < len(jobs) and not done[job]:
            size += int(rows[job])
