"""The study of all policies: options chosen by some days, judged on those after them."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from market_builders import TICK, a_minute, minute_file

STUDY = Path(__file__).parents[2] / "scripts" / "studies" / "walk_forward.py"
A_DAY = 1_440


def test_options_are_chosen_by_one_stretch_and_judged_on_the_next() -> None:
    study: dict[str, Any] = runpy.run_path(str(STUDY))
    a_stretch = study["Stretch"]

    def stretches(*results: float) -> list[Any]:
        return [a_stretch(result, 0.0, 0.0, 0.5, 1, False) for result in results]

    judged = study["judge"]([stretches(1, 10, 100), stretches(2, 5, 200)])
    assert [each.result for each in judged] == [5, 100]


def test_every_policy_is_told_beside_hodl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        a_minute(number, closeTick=tick, openTick=tick, lowestTick=tick, highestTick=tick)
        for number in range(0, 2 * A_DAY + 20, 20)
        for tick in (TICK + number // 20,)
    ]
    market = minute_file(tmp_path, *rows)
    words = "--pair USDC/WETH --fee 0.05% --chain ethereum --value 10000 --gas-gwei 0 --every 8h"
    monkeypatch.setattr(sys, "argv", [str(STUDY), str(market), *words.split(), "--stretch", "1d"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(STUDY), run_name="__main__")
    shown = capsys.readouterr()
    assert ended.value.code == 0, shown.err
    for name in ("fixed_width", "inventory_skew", "predictable_loss", "HODL", "full range"):
        assert name in shown.out


def test_a_market_of_one_stretch_has_none_to_judge_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    market = minute_file(tmp_path, *(a_minute(number) for number in range(60)))
    words = "--pair USDC/WETH --fee 0.05% --chain ethereum --value 10000 --gas-gwei 0"
    monkeypatch.setattr(sys, "argv", [str(STUDY), str(market), *words.split(), "--stretch", "40m"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(STUDY), run_name="__main__")
    assert ended.value.code == 2
    assert "a second is to judge it by, and the market has 1" in capsys.readouterr().err
