"""`lpm sweep` as a person types it."""

from __future__ import annotations

import json
import math
import re
import shlex
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from typer.testing import CliRunner

from lpmanager.cli.main import app
from lpmanager.errors import ConfigError, LpmError, UsageError

ROOT = Path(__file__).parents[3]
needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="ray is not installed: pip install 'lpmanager[sweep]'"
)
HEAD = (
    "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,"
    "inAmount0,inAmount1,currentLiquidity"
)


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a day of a price that swings by some percent."""
    begins, lines = datetime(2022, 8, 1, tzinfo=UTC), [HEAD]
    ticks = [201_000 + round(300 * math.sin(minute / 40)) for minute in range(721)]
    for minute, (before, tick) in enumerate(pairwise(ticks)):
        when = begins + timedelta(minutes=minute)
        low, high = min(before, tick), max(before, tick)
        traded = f"{10**10},{5 * 10**18},{5 * 10**17}"
        lines.append(f"{when:%Y-%m-%d %H:%M:%S},0,0,{tick},{before},{low},{high},{traded}")
    path = tmp_path_factory.mktemp("market") / "minutes.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def sweep(minutes: Path, *more: str) -> str:
    """What it prints on stdout; what it raises."""
    told = ("--pair", "USDC/WETH", "--fee", "0.05%", "--chain", "ethereum", "--value", "10000")
    arguments = ["sweep", str(minutes), *told, "--gas-gwei", "1", *more]
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "140"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def swept(minutes: Path, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sweep(minutes, *more, "--json"))
    return found


FIXED = ("--policy", "fixed_width", "--every", "10m")
GRID = ("--grid", "half_width_ticks=100:400:100", "--grid", "recentre_at=0.5,1")


def test_the_best_of_each_window_is_judged_on_the_next(minutes: Path) -> None:
    found = swept(minutes, *FIXED, *GRID, "--windows", "3")
    assert len(found["ranking"]) == 8
    assert len(found["walk_forward"]) == 2
    by_options = {str(each["options"]): each for each in found["ranking"]}
    for number, fold in enumerate(found["walk_forward"]):
        of_best = by_options[str(fold["options"])]["windows"]
        assert fold["in_sample"] == of_best[number]["score"]
        assert fold["out_of_sample"] == of_best[number + 1]["score"]
        assert fold["in_sample"] == max(
            each["windows"][number]["score"] for each in found["ranking"]
        )
    means = [each["mean_score"] for each in found["ranking"]]
    assert means == sorted(means, reverse=True)


def test_the_readmes_sweep_works_as_it_is_typed(minutes: Path) -> None:
    line = re.search(r"lpm (sweep .*)", (ROOT / "README.md").read_text())
    assert line is not None
    words = shlex.split(line[1].replace("MARKET.csv.gz", str(minutes)))
    ended = CliRunner().invoke(app, words, env={"COLUMNS": "140"})
    assert ended.exit_code == 0, ended.output
    assert "20 strategies" in ended.stdout


def test_a_person_reads_both_figures_and_what_fast_mode_leaves_out(minutes: Path) -> None:
    out = sweep(minutes, *FIXED, *GRID, "--windows", "3", "--top", "2")
    for text in ("in sample", "out of sample", "half_width_ticks=", "payback gate"):
        assert text in out
    assert "nothing was held back" in sweep(minutes, *FIXED, *GRID, "--windows", "1")


def test_every_compiled_policy_can_be_swept(minutes: Path) -> None:
    passive = ("--policy", "passive", "--option", "order_width_ticks=50", *GRID[:2])
    assert len(swept(minutes, *passive)["ranking"]) == 4
    bounds = ("--option", "min_half_width_ticks=50", "--option", "max_half_width_ticks=900")
    wide = ("--policy", "volatility_width", "--option", "horizon_s=3600", *bounds)
    assert len(swept(minutes, *wide, "--grid", "multiplier=1,2")["ranking"]) == 2


@pytest.mark.ray
@needs_ray
def test_a_cluster_of_this_machine_prints_what_threads_print(minutes: Path, tmp_path: Path) -> None:
    asked = (*FIXED, *GRID, "--windows", "3", "--threads", "2")
    by_ray = sweep(minutes, *asked, "--ray", "local", "--keep", str(tmp_path / "kept"), "--json")
    assert by_ray == sweep(minutes, *asked, "--json")
    assert (tmp_path / "kept").is_file()


def test_ray_that_is_not_installed_is_asked_for(minutes: Path) -> None:
    with (
        mock.patch("lpmanager.backtest.sweep.on_ray.find_spec", return_value=None),
        pytest.raises(LpmError, match=r"pip install 'lpmanager\[sweep\]'"),
    ):
        sweep(minutes, *FIXED, *GRID, "--ray", "local")


@needs_ray
@pytest.mark.ray
def test_the_processors_of_another_cluster_are_not_ours_to_count(minutes: Path) -> None:
    with pytest.raises(UsageError, match=r"--threads: the cluster at 10\.0\.0\.1:6379"):
        sweep(minutes, *FIXED, *GRID, "--ray", "10.0.0.1:6379", "--threads", "2")


def test_a_search_tries_as_many_as_it_was_told(minutes: Path) -> None:
    pytest.importorskip("optuna")
    found = swept(minutes, *FIXED, *GRID, "--optimize", "3", "--windows", "2")
    assert 1 <= len(found["ranking"]) <= 3
    assert len(found["walk_forward"]) == 1


@pytest.mark.parametrize(
    ("more", "kind", "message"),
    [
        ((*FIXED,), UsageError, "--grid: missing"),
        ((*FIXED, "--grid", "half"), UsageError, "expected NAME=VALUE"),
        ((*FIXED, "--grid", "width=1,2"), LpmError, "width"),
        ((*FIXED, "--grid", "half_width_ticks=10,-5"), ConfigError, "half_width_ticks must be"),
        ((*FIXED, *GRID, "--objective", "luck"), UsageError, "--objective: expected one of"),
        ((*FIXED, *GRID, "--windows", "5000"), UsageError, "5000 windows are too many"),
        ((*FIXED, *GRID, "--trigger-ticks", "9"), UsageError, "--trigger-ticks: fast mode"),
        ((*FIXED, *GRID, "--keep", "nowhere/there"), UsageError, "--keep: there is no folder"),
    ],
)
def test_what_cannot_be_swept_is_named(
    minutes: Path, more: tuple[str, ...], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        sweep(minutes, *more)
