"""Carrying out the jobs of a sweep: in chunks, by threads, and going on where it was stopped."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from lpmanager.backtest.fast.strategy import FIRST_ROW, LAST_ROW, RESULT_COLUMNS, Jobs
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.sweep.problem import Problem
from lpmanager.errors import MarketDataError, UsageError

#: Rows to run over before progress is shown and kept: a fraction of a second.
_CHUNK_ROWS = 20_000_000
_KEEP_EVERY_S = 2.0

Chunk = tuple[int, int]
#: Gives the results of chunks of the jobs, in any order.
Workers = Callable[[Problem, Jobs, Sequence[Chunk]], Iterator[tuple[Chunk, Numbers]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """Workers on this machine. The kernel lets go of the interpreter, so they run side by side."""

    count: int

    def __call__(
        self, problem: Problem, jobs: Jobs, chunks: Sequence[Chunk]
    ) -> Iterator[tuple[Chunk, Numbers]]:
        """The results of the chunks as they come."""
        with ThreadPoolExecutor(self.count) as pool:
            running = {pool.submit(problem.solve, jobs[slice(*chunk)]): chunk for chunk in chunks}
            try:
                for done in as_completed(running):
                    yield running[done], done.result()
            finally:
                pool.shutdown(cancel_futures=True)


def solve_all(
    problem: Problem,
    jobs: Jobs,
    workers: Workers,
    kept: Path | None,
    progress: Callable[[int, int], None],
) -> Numbers:
    """The results of all jobs, in their order.

    What is finished is kept in the file `kept`, which a second call goes on from. `progress` is
    told how many jobs of how many are done. Raises UsageError where the file holds another sweep,
    MarketDataError where it cannot be read.
    """
    results = np.zeros((len(jobs), RESULT_COLUMNS))
    done = np.zeros(len(jobs), np.bool_)
    key = problem.digest(jobs) if kept is not None else ""
    if kept is not None and kept.exists():
        results, done = _read(kept, key)
    progress(int(done.sum()), len(jobs))
    saved_at = time.monotonic()
    try:
        for chunk, found in workers(problem, jobs, list(_chunks(jobs, done))):
            results[slice(*chunk)], done[slice(*chunk)] = found, True
            progress(int(done.sum()), len(jobs))
            if kept is not None and time.monotonic() - saved_at > _KEEP_EVERY_S:
                _write(kept, key, results, done)
                saved_at = time.monotonic()
    finally:
        if kept is not None:
            _write(kept, key, results, done)
    return results


def _chunks(jobs: Jobs, done: np.ndarray) -> Iterator[Chunk]:
    """Neighbouring jobs that are not done, of about `_CHUNK_ROWS` rows together."""
    rows = jobs[:, LAST_ROW] - jobs[:, FIRST_ROW]
    begin, size = 0, 0
    for job in range(len(jobs) + 1):
        ended = job == len(jobs) or done[job] or size >= _CHUNK_ROWS
        if ended:
            if begin < job:
                yield begin, job
            begin, size = (job + 1, 0) if job < len(jobs) and done[job] else (job, 0)
        if job < len(jobs) and not done[job]:
            size += int(rows[job])


def _read(path: Path, key: str) -> tuple[Numbers, np.ndarray]:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            found, results, done = str(file["key"]), file["results"], file["done"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise MarketDataError(
            f"{path}: cannot be read as a kept sweep ({error}); remove it to begin anew"
        ) from error
    if found != key:
        raise UsageError(
            f"--keep: {path} holds the results of another sweep, or of another market; name "
            "another file"
        )
    return results, done


def _write(path: Path, key: str, results: Numbers, done: np.ndarray) -> None:
    """Replace the file at once, so that none is ever half written."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            np.savez(file, key=np.array(key), results=results, done=done)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            os.unlink(file.name)
            raise
    os.replace(file.name, path)
