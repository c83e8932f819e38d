"""`lpm backtest` from a file to its account, its JSON and its page."""

from __future__ import annotations

import gzip
import json
import math
import os
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from typed_here import Ended, typed_here

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LPM_DATA", ROOT / "../shared/data"))
DAY = DATA / "ethereum-usdc-weth-0.05-events-2024-01-05.csv.gz"
HEADER = (
    "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,inAmount0,"
    "inAmount1,currentLiquidity"
)
README = (ROOT / "README.md").read_text()
POOL = ("--pair", "USDC/WETH", "--fee", "0.05%", "--chain", "ethereum")
STRATEGY = (
    *("--policy", "fixed_width", "--option", "half_width_ticks=60", "--value", "10000"),
    *("--gas-gwei", "0.1", "--every", "10m", "--limit", "history_s=30m"),
)


def lpm(folder: Path, *arguments: str) -> Ended:
    """Run `lpm backtest` in a folder."""
    return typed_here(folder, "backtest", *arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a market of five hours, whose price goes up and comes back."""
    ticks = [round(199_000 + 150 * math.sin(minute / 48)) for minute in range(301)]
    rows = [
        f"2024-01-05 {minute // 60:02}:{minute % 60:02}:00,0,0,{close},{begun},{min(begun, close)},"
        f"{max(begun, close)},90000000000,40000000000000000000,12453647101533358277"
        for minute, (begun, close) in enumerate(pairwise(ticks))
    ]
    (tmp_path / "market.csv").write_text("\n".join([HEADER, *rows, ""]))
    return tmp_path


def test_a_market_is_replayed_and_told(folder: Path) -> None:
    ended = lpm(folder, "market.csv", *POOL, *STRATEGY, "--html", "out.html")
    assert (ended.code, ended.err) == (0, "wrote out.html\n")
    for part in (
        "market.csv: fixed_width half_width_ticks=60",
        "300 rows",
        "left over (0 by exact arithmetic)",
        "Against doing otherwise",
        "Why nothing was done",
        "made-up ones",
    ):
        assert part in ended.out
    page = (folder / "out.html").read_text()
    assert 'id="liquidity"></div>' in page
    assert sorted(path.name for path in folder.iterdir()) == ["market.csv", "out.html"]


def json_of(folder: Path, *arguments: str) -> dict[str, Any]:
    ended = lpm(folder, *arguments, "--json")
    assert (ended.code, ended.err) == (0, "")
    shown: dict[str, Any] = json.loads(ended.out)
    assert shown["identity_error"] == "0"
    return shown


def test_json_tells_what_the_account_does(folder: Path) -> None:
    shown = json_of(folder, "market.csv", *POOL, *STRATEGY)
    assert shown["policy"] == "fixed_width half_width_ticks=60"
    assert (shown["quote"], shown["mode"], shown["rows"]) == ("USDC", "exact", 300)
    assert float(shown["nav_start"]) == pytest.approx(10_000, abs=1e-4)
    assert float(shown["fees"]) > 0
    assert len(shown["moves"]) >= 2
    assert any(note.startswith("Gas may cost at most 0.0438 ETH a day") for note in shown["notes"])
    assert shown["curve"]["time"][-1] == shown["end"]
    assert sum(shown["holds"].values()) + len(shown["moves"]) == shown["decisions"]


def test_gas_is_paid_at_the_prices_of_a_record(folder: Path) -> None:
    """The same price at every moment costs the same, from a record as from an option."""
    told = "\n".join(f"2024-01-05 {hour:02}:00:00,0.1" for hour in range(6))
    (folder / "gas.csv").write_text(f"block_timestamp,gas_price\n{told}\n")
    strategy = [part for part in STRATEGY if part not in ("--gas-gwei", "0.1")]
    recorded = json_of(folder, "market.csv", *POOL, *strategy, "--gas-prices", "gas.csv")
    assert recorded["gas"] == json_of(folder, "market.csv", *POOL, *STRATEGY)["gas"]
    assert float(recorded["gas"]) > 0
    assert any(note.startswith("A unit of gas costs what gas.csv") for note in recorded["notes"])


def test_the_command_of_the_readme_works_as_it_is_written(folder: Path) -> None:
    (line,) = re.findall(r"lpm backtest (MARKET.csv.gz .*--html.*)", README)
    (folder / "MARKET.csv.gz").write_bytes(gzip.compress((folder / "market.csv").read_bytes()))
    ended = lpm(folder, *shlex.split(line))
    assert (ended.code, ended.err) == (0, "wrote out.html\n")


FAST = ("--mode", "fast")


def test_the_fast_command_of_the_readme_works_as_it_is_written(folder: Path) -> None:
    (line,) = re.findall(r"lpm backtest (MARKET.csv.gz .*--mode fast.*)", README)
    (folder / "MARKET.csv.gz").write_bytes(gzip.compress((folder / "market.csv").read_bytes()))
    ended = lpm(folder, *shlex.split(line), "--html", "out.html")
    assert (ended.code, ended.err) == (0, "wrote out.html\n")
    for part in ("fast mode.", "Against doing otherwise", "Left out: hedge", "exact mode, on a"):
        assert part in ended.out
    assert "Why nothing was done" not in ended.out
    assert 'id="liquidity"></div>' in (folder / "out.html").read_text()


def test_both_modes_tell_the_same_of_what_needs_no_decision(folder: Path) -> None:
    """Exact mode begins a bar later: the first one tells it the pool."""
    wide = ("--policy", "fixed_width", "--option", "half_width_ticks=6000", "--value", "10000")
    free = ("--gas-gwei", "0", "--latency-blocks", "0", "--limit", "history_s=30m")
    exact, fast = (
        json.loads(lpm(folder, "market.csv", *POOL, *wide, *free, *more, "--json").out)
        for more in ((), FAST)
    )
    assert (exact["mode"], fast["mode"]) == ("exact", "fast")
    assert (len(exact["moves"]), len(fast["moves"])) == (1, 1)
    for name in ("end", "rows", "price_unit", "pool"):
        assert fast[name] == exact[name]
    assert float(fast["hodl_value"]) == pytest.approx(float(exact["hodl_value"]), abs=2e-6)
    full_range = (told["against"]["full_range"]["end_value"] for told in (exact, fast))
    assert next(full_range) == pytest.approx(next(full_range), rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--policy", "uncompiled:Idle"), 2, "the policy Idle is not compiled"),
        ((*STRATEGY[:4], "--trigger-ticks", "5"), 2, "--trigger-ticks: fast mode"),
        ((*STRATEGY[:4], "--mode", "quick"), 2, "--mode: expected exact or fast, found 'quick'"),
    ],
)
def test_what_fast_mode_cannot_do_is_refused_in_one_line(
    arguments: tuple[str, ...], code: int, says: str, folder: Path
) -> None:
    (folder / "uncompiled.py").write_text(
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\n"
        "class Idle:\n"
        "    def target(self, view):\n"
        "        raise NotImplementedError\n"
    )
    ended = lpm(folder, "market.csv", *POOL, *STRATEGY[4:], *FAST, *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1)
    assert says in ended.err


def test_a_part_of_the_market_may_be_asked_for(folder: Path) -> None:
    window = ("--from", "2024-01-05 01:00", "--to", "2024-01-05 03:00")
    assert json_of(folder, "market.csv", *POOL, *STRATEGY, *window)["rows"] == 120


def test_a_policy_of_ones_own_is_found_in_the_folder(folder: Path) -> None:
    (folder / "own_policy.py").write_text(
        "from dataclasses import dataclass\n"
        "from lpmanager.rebalancer.policies.base import keep\n"
        "@dataclass(frozen=True)\n"
        "class Idle:\n"
        "    def target(self, view):\n"
        "        return keep((), 'idle')\n"
    )
    shown = json_of(folder, "market.csv", *POOL, *STRATEGY[4:], "--policy", "own_policy:Idle")
    assert (shown["policy"], shown["moves"], shown["fees"]) == ("own_policy:Idle", [], "0")
    assert shown["unknown"]["in_range_share"] == "no liquidity was ever placed"


def test_a_policy_that_raises_is_named_with_its_block_and_nothing_is_written(folder: Path) -> None:
    (folder / "bad_policy.py").write_text(
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\n"
        "class Bad:\n"
        "    def target(self, view):\n"
        "        return [][0]\n"
    )
    ended = lpm(
        folder,
        *("market.csv", *POOL, *STRATEGY[4:], "--policy", "bad_policy:Bad", "--html", "out.html"),
    )
    assert (ended.code, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("lpm: policy bad_policy:Bad: raised IndexError at block ")
    assert "2024-01-05 00:" in line
    assert not (folder / "out.html").exists()


def test_an_interruption_writes_nothing_and_leaves_with_130(folder: Path) -> None:
    with mock.patch("lpmanager.backtest.replay.exact.backtest", side_effect=KeyboardInterrupt):
        ended = lpm(folder, "market.csv", *POOL, *STRATEGY, "--html", "out.html")
    assert ended == Ended(130, "", "lpm: interrupted\n")
    assert not (folder / "out.html").exists()


def test_what_is_not_installed_is_said_with_how_to_get_it(folder: Path) -> None:
    with mock.patch(
        "lpmanager.cli.extras.find_spec", side_effect=lambda name: name != "numba" or None
    ):
        ended = lpm(folder, "market.csv", *POOL, *STRATEGY)
    assert ended == Ended(
        1, "", "lpm: this command needs numba: pip install 'lpmanager[backtest]'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("absent.csv", *POOL, *STRATEGY), 1, "absent.csv: cannot be read"),
        (("market.csv", *STRATEGY), 2, "--pair: missing"),
        (("market.csv", *POOL, *STRATEGY, "--from", "2025-01-01"), 1, "no rows from 2025-01-01"),
        (("absent.csv", *POOL, *STRATEGY, "--html", "absent/o.html"), 1, "cannot be written"),
        (("market.csv", *POOL, *STRATEGY, "--option", "width=1"), 3, "has no such option"),
        (("market.csv", *POOL, *STRATEGY, "--policy", "none"), 3, "there is no 'none'"),
        (("market.csv", *POOL, *STRATEGY, "--campaign", "a"), 3, "lpmanager.toml: there is no"),
        (("broken.csv", *POOL, *STRATEGY), 1, "broken.csv: line 5"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_line(
    arguments: tuple[str, ...], code: int, says: str, folder: Path
) -> None:
    lines = (folder / "market.csv").read_text().splitlines(keepends=True)
    (folder / "broken.csv").write_text("".join([*lines[:4], lines[3], *lines[4:]]))
    ended = lpm(folder, *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert not (folder / "out.html").exists()


@pytest.mark.realdata
@pytest.mark.skipif(not DAY.is_file(), reason="the folder of real market data is absent")
def test_an_hour_of_mainnet_is_replayed(tmp_path: Path) -> None:
    window = ("--to", "2024-01-05 01:00")
    shown = json_of(tmp_path, str(DAY), *POOL, *STRATEGY, *window)
    assert shown["notes"]
    assert 2_200 < shown["curve"]["price"][0] < 2_300


def mean_imbalance(curve: dict[str, list[float]]) -> float:
    """Over time, as the page of results has it."""
    times, weights = curve["time"], curve["weight"]
    lasted = [later - earlier for earlier, later in pairwise(times)]
    each = zip(weights[:-1], lasted, strict=True)
    return sum(abs(2 * weight - 1) * seconds for weight, seconds in each) / sum(lasted)


@pytest.mark.realdata
@pytest.mark.skipif(not DAY.exists(), reason=f"no real market data in {DATA}; see LPM_DATA")
def test_the_page_of_results_says_what_its_command_finds(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "results.md").read_text()
    line = next(words for words in re.findall(r"lpm backtest (.*)", page) if DAY.name in words)
    words = shlex.split(line.replace("$LPM_DATA", str(DATA.resolve())))
    found = json.loads(lpm(tmp_path, *words, "--json").out)
    (row,) = re.findall(r"\| `fixed_width` half_width_ticks=600 \| (.*) \| no \|", page)
    worth = {term: float(found[term]) for term in ("nav_end", "nav_start", "hodl_value", "gas")}
    told = (
        f"{worth['nav_end'] - worth['nav_start']:+,.0f}",
        f"{worth['nav_end'] - worth['hodl_value']:+,.0f}",
        f"{mean_imbalance(found['curve']):.2f}",
        f"{float(found['fees']):,.0f}",
        f"{float(found['impermanent_loss']):+,.0f}",
        f"{worth['gas']:,.2f}",
        f"{found['statistics']['fees_per_lvr']:.2f}",
        f"{found['statistics']['in_range_share']:.0%}".replace("%", " %"),
        str(found["statistics"]["rebalances"]),
    )
    assert row == " | ".join(told)
