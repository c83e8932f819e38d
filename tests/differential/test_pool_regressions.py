"""Sequences that are known to be hard, or that once told our Pool from the deployed one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from amm_contracts import Contracts
from evm_backends import PyEvm, fastest_evm
from pool_cases import REGRESSIONS, Case, case_text, read_case
from pool_operations import Initialize, Swap, Wait
from pool_outcomes import Mismatch


@cache
def contracts() -> Contracts:
    return Contracts(fastest_evm())


@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*.json")), ids=lambda path: path.stem)
def test_a_hard_sequence_comes_out_as_on_chain(path: Path) -> None:
    read_case(path).replay(contracts())


@pytest.mark.parametrize("name", ["word-edges-3000", "refusals", "oracle-across-32-bits"])
def test_py_evm_where_there_is_no_pyrevm_says_the_same(name: str) -> None:
    read_case(REGRESSIONS / f"{name}.json").replay(Contracts(PyEvm()))


def test_a_case_is_read_as_it_was_written(tmp_path: Path) -> None:
    steps = (Initialize(2**96), Wait(5), Swap(True, -(2**255), None))
    path = tmp_path / "case.json"
    path.write_text(case_text("because", 500, 7, steps))
    assert read_case(path) == Case("because", 500, 7, steps, {})


def test_a_case_that_ends_otherwise_than_it_says_is_a_mismatch() -> None:
    case = Case("a swap needs a price", 500, 0, (Swap(True, 1, None),), {0: "SPL"})
    with pytest.raises(Mismatch, match="expected 'SPL', found 'LOK'"):
        case.replay(contracts())
