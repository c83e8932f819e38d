"""The bench's workload: its engines are compared with what the contract does, so check that too."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "scripts" / "bench"


@pytest.fixture(autouse=True)
def bench_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)


def assert_ends_where_the_contract_does(engine: str, needs: str = "", **ways: Any) -> None:
    if needs:
        pytest.importorskip(needs, reason=f"{needs} is not installed")
    workload = import_module("side_by_side.workload")
    serving = import_module("side_by_side.serving")
    run = import_module(f"side_by_side.engines.{engine}").engine(workload.generate(), **ways)
    assert serving.digest(run().rows) == workload.TRUTH
    # A second round starts over: nothing of the first is left in the pool.
    assert serving.digest(run().rows) == workload.TRUTH


def test_the_benchs_digest_is_the_contracts_own() -> None:
    assert_ends_where_the_contract_does("real_pool", needs="pyrevm")


def test_the_pool_ends_every_swap_of_the_bench_where_the_contract_does() -> None:
    assert_ends_where_the_contract_does("python_pool")


@pytest.mark.parametrize("reads", [False, True])
def test_the_compiled_engine_ends_every_swap_of_the_bench_where_the_contract_does(
    reads: bool,
) -> None:
    assert_ends_where_the_contract_does("compiled", needs="numba", reads=reads)


def test_the_workload_survives_its_way_to_other_processes(tmp_path: Path) -> None:
    workload = import_module("side_by_side.workload")
    made = workload.generate()
    workload.save(made, tmp_path / "workload.json")
    assert workload.load(tmp_path / "workload.json") == made
    assert workload.generate(workload.SEED + 1) != made
