"""`lpm simulate` in a recorded market, a made-up one, and on a fork."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from live_desk import Done, surroundings, typed

from lpmanager.devnet.anvil import AnvilBackend
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.backend_names import BackendName
from lpmanager.devnet.flow_generated import Habits
from lpmanager.devnet.scenes import Job, new_chain, new_scene
from lpmanager.devnet.scripts import generated_script
from lpmanager.devnet.terms import DEFAULT_FUNDS, default_table

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LPM_DATA", ROOT / "../shared/data"))
DAY = DATA / "ethereum-usdc-weth-0.05-events-2024-01-05.csv.gz"
ROWS = 400
KEYS = {
    "backend", "blocks", "swaps", "cycles", "rebalances", "holds", "nav_start", "nav_end", "hodl",
    "impermanent_loss", "fees", "swap_cost", "gas", "hedge", "rounding", "identity_error",
    "reconciled", "largest_deviation", "largest_shift_s", "swaps_per_second",
}  # fmt: skip


def simulate(folder: Path, *arguments: str) -> Done:
    return typed(folder, "simulate", *arguments, COLUMNS="200")


def json_of(folder: Path, *arguments: str) -> dict[str, Any]:
    ended = simulate(folder, *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    shown: dict[str, Any] = json.loads(ended.stdout)
    assert shown.keys() >= KEYS
    assert (shown["reconciled"], shown["identity_error"]) == (True, "0")
    return shown


def first_rows(count: int) -> list[str]:
    with gzip.open(DAY, "rt") as file:
        return [next(file) for _ in range(count + 1)]


@pytest.mark.realdata
@pytest.mark.skipif(not DAY.is_file(), reason="the folder of real market data is absent")
def test_every_recorded_swap_is_made_while_the_manager_works(tmp_path: Path) -> None:
    rows = first_rows(ROWS)
    (tmp_path / "cut.csv").write_text("".join(rows))
    shown = json_of(tmp_path, "--flow", "cut.csv")
    assert shown["swaps"] == sum(",SWAP," in row for row in rows)
    assert shown["rebalances"] >= 1
    assert shown["largest_deviation"] == "0"


@pytest.mark.realdata
@pytest.mark.skipif(not DAY.is_file(), reason="the folder of real market data is absent")
def test_a_manager_may_look_after_every_recorded_block(tmp_path: Path) -> None:
    rows = first_rows(60)
    (tmp_path / "cut.csv").write_text("".join(rows))
    shown = json_of(tmp_path, "--flow", "cut.csv", "--every", "1s", "--option", "deploy=0.5")
    assert shown["swaps"] == sum(",SWAP," in row for row in rows)
    assert shown["cycles"] == shown["blocks"]


@pytest.mark.realdata
@pytest.mark.skipif(not DAY.is_file(), reason="the folder of real market data is absent")
def test_a_broken_row_or_a_missing_column_is_named_by_its_line(tmp_path: Path) -> None:
    rows = first_rows(20)
    broken = [*rows[:5], rows[5].replace(",SWAP,", ",SWOP,"), *rows[6:]]
    assert broken != rows
    (tmp_path / "broken.csv").write_text("".join(broken))
    (tmp_path / "headless.csv").write_text("".join(rows).replace("amount1", "amount_one", 1))
    for name, says in (("broken", "broken.csv: line 6: tx_type"), ("headless", "line 1: column")):
        ended = simulate(tmp_path, "--flow", f"{name}.csv")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith("lpm: ")
        assert says in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_a_made_up_market_takes_policy_funds_and_pace_from_the_command(tmp_path: Path) -> None:
    shown = json_of(
        tmp_path,
        *("--blocks", "40", "--every", "5m", "--policy", "passive"),
        *("--option", "half_width_ticks=200", "--option", "order_width_ticks=50"),
        *("--funds", "1000 USDC", "--funds", "1 WETH"),
    )
    assert (shown["policy"], shown["blocks"], shown["cycles"]) == ("passive", 40, 9)
    assert 3_000 < float(shown["nav_start"]) < 3_500
    assert shown["largest_deviation"] is None


def test_eth_tester_does_the_same_to_the_last_digit(tmp_path: Path) -> None:
    """Two hours of it: py-evm is twenty times slower. They have a re-range and three hedges."""
    market = ("--seed", "5", "--blocks", "120")
    on_anvil = json_of(tmp_path, *market)
    assert (on_anvil["rebalances"], on_anvil["hedges"]) == (1, 3)
    pace = ("seconds", "swaps_per_second")
    own = {"backend": "eth-tester"} | dict.fromkeys(pace)
    on_tester = json_of(tmp_path, *market, "--backend", "eth-tester") | dict.fromkeys(pace)
    assert on_tester == on_anvil | own


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--option", "half_width_ticks"), 2, "expected KEY=VALUE"),
        (("--option", "width=3"), 3, "options.width: policy fixed_width has no such option"),
        (("--policy", "passive"), 3, "options.half_width_ticks: policy passive needs it"),
        (("--every", "soon"), 2, "--every: 'soon'"),
        (("--every", "0"), 2, "at least 1s"),
        (("--funds", "1 DAI"), 2, "does not name one token of the pool"),
        (("--block", "3"), 2, "--block is for --fork"),
        (("--fork", "http://127.0.0.1:1"), 2, "--fork needs --config"),
        (("--flow", "a.csv", "--fork", "http://127.0.0.1:1"), 2, "not both"),
        (("--flow", "absent.csv"), 1, "absent.csv: cannot be read"),
        (("--config", "absent.toml"), 3, "there is no such file"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_line(
    arguments: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    backend = () if "--fork" in arguments else ("--backend", "eth-tester")
    ended = simulate(tmp_path, *arguments, *backend)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1


@dataclass(frozen=True)
class Original:
    """A chain to fork, and the folder of a configuration for it."""

    backend: Backend
    folder: Path

    @property
    def url(self) -> str:
        assert self.backend.rpc_url is not None
        return self.backend.rpc_url

    @property
    def head(self) -> int:
        return Controls(self.backend).node.head().number


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    folder = tmp_path_factory.mktemp("original")
    habits = Habits(seed=4, blocks=70, volatility=0.03)
    began = int(time.time()) - habits.blocks * habits.block_time_s
    script = generated_script(habits, began)
    job = Job(campaign="own", table=default_table("own"), every_s=600, funds=DEFAULT_FUNDS)
    with new_chain(BackendName.ANVIL, script) as backend:
        assert isinstance(backend, AnvilBackend)
        scene = new_scene(backend, folder, script, job)
        scene.market.advance_until(int(time.time()))
        yield Original(backend, folder)


FUNDS = ("--funds", "20000 USDC", "--funds", "9 WETH")


def test_a_fork_is_traded_on_and_its_original_stays_as_it_was(original: Original) -> None:
    before = original.head
    shown = json_of(
        original.folder,
        *("--fork", original.url, "--config", "lpmanager.toml", *FUNDS, "--blocks", "60"),
    )
    assert original.head == before
    assert (shown["blocks"], shown["rebalances"] >= 1) == (60, True)
    assert 38_000 < float(shown["nav_start"]) < 43_000
    assert not (original.folder / "lpmanager.db").exists()


def test_a_fork_of_an_older_block_begins_at_its_price(original: Original) -> None:
    fork = ("--fork", "rpc", "--config", "lpmanager.toml", *FUNDS, "--blocks", "1")
    block = Controls(original.backend).node.block(original.head - 40)
    shown = json_of(original.folder, *fork, "--block", str(block.number))
    assert 60 <= shown["price_timestamp"] - block.timestamp < 120


def test_a_fork_needs_to_know_what_the_manager_starts_with(original: Original) -> None:
    ended = simulate(original.folder, "--fork", original.url, "--config", "lpmanager.toml")
    assert ended.returncode == 2
    assert "campaigns.own has no budget" in ended.stderr


def test_the_script_tries_a_campaign_on_a_copy_of_its_chain(original: Original) -> None:
    """In a process of its own, as any script."""
    ended = subprocess.run(
        [sys.executable, ROOT / "scripts" / "simulate_testnet.py", "own", *FUNDS],
        cwd=original.folder,
        env=surroundings({"COLUMNS": "200"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "The books closed to the wei" in ended.stdout


def test_policy_and_limits_of_a_configured_campaign_are_tried_in_a_made_up_market(
    original: Original,
) -> None:
    config = original.folder / "careful.toml"
    text = (original.folder / "lpmanager.toml").read_text()
    config.write_text(text.replace("max_moves_per_day = 12", "max_moves_per_day = 0"))
    shown = json_of(original.folder, "--config", "careful.toml", "--blocks", "60")
    assert shown["rebalances"] == 0
    assert shown["holds_by_gate"]["moves per day"] >= 1
