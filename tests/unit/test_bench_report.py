"""What the bench says of engines that go wrong, are absent or miss a goal; a pool's memory."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "scripts" / "bench"
#: Answers every request the same.
ANSWERS = """
import json, sys
answer = {"seconds": 0.5, "digest": "d", "rows": [["1", "2", "3", "4"]], "fee_growth": None}
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(autouse=True)
def bench_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)


def ran(rows: list[list[str]], *digests: str, fee_growth: list[str] | None = None) -> Any:
    return import_module("side_by_side.race").Ran((0.5,), frozenset(digests), rows, fee_growth)


def race_of(**engines: Any) -> Any:
    return import_module("side_by_side.race").Race(engines, {})


def truth() -> str:
    digest: str = import_module("side_by_side.workload").TRUTH
    return digest


def test_an_engine_that_cannot_start_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    race = import_module("side_by_side.race")
    complaint = "import sys; sys.exit('the solver is missing')"
    everyone = [
        race.Contestant("broken", "broken", lambda _: [sys.executable, "-c", complaint]),
        race.Contestant("sound", "sound", lambda _: [sys.executable, "-c", ANSWERS]),
    ]
    done = race.race(everyone, tmp_path / "workload.json", rounds=2)
    assert done.absent == {"broken": "the solver is missing"}
    assert done.ran["sound"].seconds == (0.5, 0.5)
    assert done.ran["sound"].digests == {"d"}


def test_every_swap_that_ends_elsewhere_than_the_contracts_is_counted() -> None:
    report = import_module("side_by_side.report")
    right = [["1", "0", "9", "5"], ["2", "0", "9", "5"], ["3", "0", "9", "5"]]
    wrong = [right[0], ["2", "1", "9", "5"], right[2]]
    race = race_of(good=ran(right, truth()), bad=ran(wrong, "other"))
    assert report.mismatches(race) == {"good": 0, "bad": 1}


def test_an_engine_whose_rounds_end_differently_is_wrong_everywhere() -> None:
    report = import_module("side_by_side.report")
    rows = [["1", "0", "9", "5"], ["2", "0", "9", "5"]]
    race = race_of(good=ran(rows, truth()), moody=ran(rows, truth(), "other"))
    assert report.mismatches(race)["moody"] == 2


def test_without_an_engine_at_the_contracts_digest_nothing_is_called_exact() -> None:
    report = import_module("side_by_side.report")
    with pytest.raises(RuntimeError, match="no engine ends at the digest"):
        report.mismatches(race_of(one=ran([["1", "0", "9", "5"]], "other")))


def test_fee_growth_is_compared_where_an_engine_keeps_it() -> None:
    report = import_module("side_by_side.report")
    race = race_of(
        real_pool=ran([], truth(), fee_growth=["7", "8"]),
        python=ran([], truth(), fee_growth=["7", "8"]),
        compiled=ran([], truth(), fee_growth=["7", "9"]),
        degenbot=ran([], truth()),
    )
    assert report.fee_growth_differs(race) == ["compiled"]


def test_a_missed_goal_is_said_to_be_missed() -> None:
    goal = import_module("side_by_side.report").Goal
    assert str(goal("import, ms", 61.0, 50, False)).endswith("below 50: MISSED")
    assert str(goal("import, ms", 49.0, 50, False)).endswith("below 50: met")
    assert str(goal("python / peer", 1.2, 1.2, True)).endswith("at least 1.2: met")
    assert str(goal("python / peer", 1.19, 1.2, True)).endswith("at least 1.2: MISSED")


def test_a_pool_with_2000_initialized_ticks_takes_less_than_2_mb() -> None:
    assert import_module("side_by_side.figures").pool_bytes() < 2_000_000
