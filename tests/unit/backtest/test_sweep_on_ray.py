"""Sweeps by ray: the bits that threads give, mistakes in a sentence, no token left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import pytest
from sweep_builders import PLAN, PROBLEM, SEARCH, Stopping, stopping_after, swept

from lpmanager.backtest.sweep.on_ray import OnRay
from lpmanager.backtest.sweep.problem import Problem
from lpmanager.backtest.sweep.working import Solver, Workers
from lpmanager.config import lent_environment
from lpmanager.errors import LpmError

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="ray is not installed: pip install 'lpmanager[sweep]'"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Workers]:
    """Two processes of ray's, which all tests here share; they have the market of all of them."""
    with OnRay(address="local", cpus=2)(PROBLEM) as solver:

        @contextmanager
        def lent(problem: Problem) -> Iterator[Solver]:
            assert problem.digest() == PROBLEM.digest()
            yield solver

        yield lent


@pytest.mark.ray
@needs_ray
def test_ray_gives_what_threads_give_to_the_last_bit(cluster: Workers) -> None:
    by_ray, by_threads = swept(workers=cluster), swept()
    assert by_ray.results.tobytes() == by_threads.results.tobytes()
    assert by_ray.ranking == by_threads.ranking
    assert by_ray.folds == by_threads.folds


@pytest.mark.ray
@needs_ray
def test_a_sweep_by_ray_goes_on_where_it_was_stopped_by_whatever_workers(
    cluster: Workers, tmp_path: Path
) -> None:
    plan = replace(PLAN, kept=tmp_path / "sweep.npz")
    with pytest.raises(KeyboardInterrupt):
        swept(plan, Stopping(3, cluster))
    with pytest.raises(KeyboardInterrupt):
        swept(plan, Stopping(4))
    rest = Stopping(1_000, cluster)
    assert swept(plan, rest).results.tobytes() == swept().results.tobytes()
    assert rest.did == 80 // 5 - 3 - 4


@pytest.mark.ray
@needs_ray
def test_a_search_by_ray_that_was_stopped_ends_as_one_by_threads(
    cluster: Workers, tmp_path: Path
) -> None:
    pytest.importorskip("optuna")
    plan = replace(SEARCH, kept=tmp_path / "sweep.npz")
    with pytest.raises(KeyboardInterrupt):
        swept(plan, cluster, stopping_after(9))
    found, whole = swept(plan, cluster), swept(SEARCH)
    assert found.points == whole.points
    assert found.results.tobytes() == whole.results.tobytes()


@pytest.mark.ray
@needs_ray
def test_a_worker_with_another_kernel_is_refused(cluster: Workers) -> None:
    with (
        mock.patch("lpmanager.backtest.sweep.on_ray.kernel_stamp", return_value="another"),
        pytest.raises(LpmError, match="a worker has another lpmanager, numba or numpy"),
    ):
        swept(workers=cluster)


@pytest.mark.ray
@needs_ray
def test_a_task_that_fails_is_told_in_one_line(cluster: Workers) -> None:
    broken = replace(PLAN, axes=PLAN.axes[:1])
    with (
        mock.patch("lpmanager.backtest.sweep.on_ray._part", return_value=(None, None)),
        pytest.raises(LpmError, match=r"^--ray local: a task failed .*Error") as told,
    ):
        swept(broken, cluster)
    assert "\n" not in str(told.value)


@pytest.mark.ray
@needs_ray
def test_no_token_is_left_in_the_home_folder_or_the_environment(cluster: Workers) -> None:
    import ray

    assert ray.is_initialized()
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert not (Path.home() / ".ray").exists()


@pytest.mark.ray
@needs_ray
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_named(address: str) -> None:
    with pytest.raises(LpmError, match=f"--ray {address}: there is no cluster to use .*refused"):
        swept(workers=OnRay(address=address, cpus=None))


def test_without_ray_it_is_said_how_to_get_it() -> None:
    with (
        mock.patch("lpmanager.backtest.sweep.on_ray.find_spec", return_value=None),
        pytest.raises(LpmError, match=r"pip install 'lpmanager\[sweep\]'"),
    ):
        OnRay(address="local", cpus=2)


def test_a_lent_environment_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEIRS", "before")
    with lent_environment({"THEIRS": None, "OURS": "now"}):
        assert ("THEIRS" in os.environ, os.environ["OURS"]) == (False, "now")
        os.environ["THEIRS"] = "changed by the library"
    assert (os.environ["THEIRS"], "OURS" in os.environ) == ("before", False)
