"""The long run says what it found, and keeps a failure as few steps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fuzz import Life, live, main, report, shortened
from pool_operations import Initialize, Mint, SetFeeProtocol, Step, Swap, Wait

from lpmanager.amm import Pool


def test_a_short_run_of_every_tier_finds_no_mismatch(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--swaps", "120", "--seed", "5", "--jobs", "1"]) == 0
    assert "120 of them swaps, 0 mismatches" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_life() -> None:
    first, *others = (live(seed, 2, 20) for seed in (1, 1, 2, 3))
    assert first == others[0]
    assert {first.operations} != {other.operations for other in others[1:]}


@pytest.fixture
def faulty_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Pool.set_fee_protocol
    monkeypatch.setattr(Pool, "set_fee_protocol", lambda pool, a, b: right(pool, b, a))


@pytest.mark.usefixtures("faulty_pool")
def test_a_life_ends_at_its_first_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.SHORTEN_S", 0)
    life = live(1, 0, 2_000)
    assert life.swaps < 2_000
    assert json.loads(life.failure or "")["steps"][-1]["do"] == "SetFeeProtocol"


@pytest.mark.usefixtures("faulty_pool")
def test_a_failure_is_cut_down_to_the_steps_that_fail() -> None:
    price, fault = Initialize(2**96), SetFeeProtocol(4, 10)
    mint, swap = Mint("alice", -60, 60, 10**18), Swap(True, 10**9, None)
    steps: list[Step] = [Wait(5), price, mint, swap, SetFeeProtocol(4, 4), swap, swap, fault]
    assert shortened(steps, 3_000, 0, seconds=60) == [price, fault]
    assert shortened(steps[:-1], 3_000, 0, seconds=60) == steps[:-1]


def test_a_mismatch_is_kept_as_a_file_and_ends_the_run_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lives = [Life(number=3, swaps=5, operations=7), Life(number=4, failure="what failed")]
    assert report(lives, 10, "fuzz-0", tmp_path) == 1
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [
        ("fuzz-0-4.json", "what failed")
    ]
    said = capsys.readouterr()
    assert "7 operations, 5 of them swaps, 1 mismatches" in said.out
    assert "fuzz-0-4.json" in said.err
