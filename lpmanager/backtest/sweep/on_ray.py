"""Workers of a sweep on more than one machine, by ray."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numba
import numpy as np
from numpy.typing import NDArray

import lpmanager
from lpmanager.amm.fast.jit import stamp_of_sources
from lpmanager.backtest import fast
from lpmanager.backtest.fast.strategy import STRATEGY, Jobs, Strategies
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.sweep.problem import Problem
from lpmanager.backtest.sweep.working import Chunk, Solver
from lpmanager.config import lent_environment
from lpmanager.errors import LpmError

#: The address of a cluster that is made on this machine, and ends with the sweep.
LOCAL = "local"
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRay:
    """Workers of the ray cluster at an address, or of one of this machine alone.

    The market is put in the cluster's store once; each task is a chunk of the jobs. `cpus` is how
    many tasks run side by side, of a local cluster alone; all processors where it is None. Results
    are those of threads to the last bit: a worker with another kernel, numba or numpy is refused.

    Warning: whoever can reach a cluster, and has its token, runs code on its machines. A local one
    listens on all interfaces. It gets a token of its own, which is never written down (by itself
    ray would leave one in ~/.ray), but rather do not make one on the machine that holds a key. Of a
    cluster elsewhere, token and TLS are ray's own settings.
    """

    address: str
    cpus: int | None

    def __post_init__(self) -> None:
        if find_spec("ray") is None:
            raise LpmError(
                "--ray needs ray: pip install 'lpmanager[sweep]', or sweep without it, by threads"
            )

    @contextmanager
    def __call__(self, problem: Problem) -> Iterator[Solver]:
        """A solver that yields chunks as they come. It raises LpmError where the cluster fails."""
        import ray

        with _connected(self.address, self.cpus):
            shared = ray.put(problem)
            task = ray.remote(_solved_there)

            def solved(
                strategies: Strategies, jobs: Jobs, chunks: Sequence[Chunk]
            ) -> Iterator[tuple[Chunk, Numbers]]:
                running = {
                    task.remote(shared, *_part(strategies, jobs[slice(*chunk)])): chunk
                    for chunk in chunks
                }
                while running:
                    stamp, results = self._first(running)
                    if stamp != kernel_stamp():
                        raise LpmError(
                            f"--ray {self.address}: a worker has another lpmanager, numba or numpy "
                            f"than this machine; install lpmanager {lpmanager.__version__} there, "
                            "with the same versions of both"
                        )
                    yield results

            yield solved

    def _first(self, running: dict[Any, Chunk]) -> tuple[str, tuple[Chunk, Numbers]]:
        """Wait for one of the tasks, and take it off."""
        import ray

        try:
            (done,), _ = ray.wait(list(running), num_returns=1)
            stamp, results = ray.get(done)
        except ray.exceptions.RayError as error:
            raise LpmError(
                f"--ray {self.address}: a task failed ({_last_line(error)}); lpmanager has to be "
                "installed on every machine of the cluster"
            ) from error
        return stamp, (running.pop(done), results)


@cache
def kernel_stamp() -> str:
    """What the bits of a result depend on beside the problem."""
    folder = Path(fast.__file__).parent
    sources = stamp_of_sources(folder), stamp_of_sources(folder.parents[1] / "amm" / "fast")
    return " ".join((*sources, numba.__version__, np.__version__))


@cache
def _own_token() -> str:
    """The token of local clusters. ray reads one once in a process, so all of them have the same.

    Never printed.
    """
    return secrets.token_hex(32)


@contextmanager
def _connected(address: str, cpus: int | None) -> Iterator[None]:
    """In a cluster. Raises LpmError where there is none at the address."""
    import ray

    plain = {"log_to_driver": False, "logging_level": logging.ERROR}
    own: dict[str, Any] = {"num_cpus": cpus, "include_dashboard": False}
    with lent_environment(_surroundings() if address == LOCAL else {}):
        try:
            _require_listening(address)
            ray.init(address=address, **plain, **(own if address == LOCAL else {}))
        except (
            ray.exceptions.RayError,
            ImportError,  # of what a client of a cluster needs beyond ray
            OSError,
            RuntimeError,
            ValueError,
        ) as error:
            raise LpmError(
                f"--ray {address}: there is no cluster to use ({_last_line(error)}); start one by "
                "`ray start --head`, or give --ray local"
            ) from error
        try:
            yield
        finally:
            ray.shutdown()


def _require_listening(address: str) -> None:
    """Raise OSError where an address has a host and a port, and nothing is there: ray itself waits
    for minutes, and then ends the process."""
    where = urlsplit(address if "://" in address else f"//{address}")
    if where.hostname is not None and where.port is not None:
        socket.create_connection((where.hostname, where.port), _PATIENCE_S).close()


def _surroundings() -> Mapping[str, str | None]:
    """What ray takes from the environment alone: with a token and without a mode it asks for the
    token everywhere, and writes no file; and nothing is told to its makers."""
    return {
        "RAY_AUTH_MODE": None,
        "RAY_AUTH_TOKEN": _own_token(),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }


def _part(strategies: Strategies, jobs: Jobs) -> tuple[Strategies, Jobs]:
    """The jobs with their own strategies alone, numbered anew: small things to send."""
    first, last = int(jobs[:, STRATEGY].min()), int(jobs[:, STRATEGY].max())
    own = jobs.copy()
    own[:, STRATEGY] -= first
    mine = slice(first, last + 1)
    return Strategies(strategies.whole[mine], strategies.real[mine]), own


def _solved_there(problem: Problem, strategies: Strategies, jobs: Jobs) -> tuple[str, Numbers]:
    """A task, as a worker carries it out."""
    rows = problem.rows
    here = Problem(
        rows=rows._replace(
            time=_unlocked(rows.time),
            tick=_unlocked(rows.tick),
            numbers=_unlocked(rows.numbers),
            reach=_unlocked(rows.reach),
        ),
        variance_rates=_unlocked(problem.variance_rates),
        conditions=problem.conditions,
    )
    table = Strategies(_unlocked(strategies.whole), _unlocked(strategies.real))
    return kernel_stamp(), here.solve(table, _unlocked(jobs))


class _Memory:
    """The memory of an array, as numpy takes it from elsewhere: free to be written to."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array

    @property
    def __array_interface__(self) -> dict[str, Any]:
        told = self._array.__array_interface__
        return {**told, "data": (told["data"][0], False)}


def _unlocked(array: NDArray[Any]) -> NDArray[Any]:
    """The very memory of an array that came from the store, not marked as read-only.

    numba would compile everything once more for arrays so marked. The kernel writes to none.
    """
    return np.asarray(_Memory(array))


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
