"""`lpm demo`, as a person types it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from live_desk import Done, surroundings, typed

from lpmanager.chain.transport import HttpTransport
from lpmanager.errors import RpcUnavailable

LPM = (sys.executable, "-m", "lpmanager.cli.main")
#: Of the demo's market.
BLOCK_S = 60


def lpm(*arguments: str, **variables: str) -> Done:
    return typed(Path.cwd(), *arguments, **variables)


def start(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    """In a process of its own, which can be interrupted."""
    return subprocess.Popen(
        [*LPM, *arguments],
        cwd=folder,
        env=surroundings({"TMPDIR": str(folder)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def json_of(*arguments: str) -> dict[str, Any]:
    ended = lpm(*arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    shown: dict[str, Any] = json.loads(ended.stdout)
    return shown


def terms_of(shown: dict[str, Any], *names: str) -> list[Fraction]:
    return [Fraction(shown[name]) for name in names]


@pytest.fixture(scope="module")
def on_anvil() -> dict[str, Any]:
    return json_of("demo")


def test_all_three_decisions_are_seen(on_anvil: dict[str, Any]) -> None:
    assert on_anvil["rebalances"] >= 2
    assert on_anvil["hedges"] >= 1
    assert on_anvil["holds"] >= 1
    assert on_anvil["stopped"] == 0
    deeds = sum(on_anvil[name] for name in ("rebalances", "hedges", "stopped", "holds"))
    assert deeds == on_anvil["cycles"]
    assert len(on_anvil["ranges"]) == on_anvil["rebalances"]
    assert on_anvil["swaps"] >= on_anvil["blocks"]
    assert on_anvil["holds_by_gate"].keys() > {"nothing to do"}


def test_the_printed_terms_add_up_by_hand_to_the_last_digit(on_anvil: dict[str, Any]) -> None:
    start, end, deposits = terms_of(on_anvil, "nav_start", "nav_end", "net_deposits")
    gained = terms_of(on_anvil, "hodl", "impermanent_loss", "fees", "hedge")
    lost = terms_of(on_anvil, "swap_cost", "gas", "rounding")
    assert end - start - deposits == sum(gained) - sum(lost)
    assert on_anvil["identity_error"] == "0"
    assert on_anvil["reconciled"] is True
    assert Fraction(on_anvil["hodl_value"]) == start + deposits + gained[0]
    assert all(term > 0 for term in (gained[2], *lost))


def test_a_person_without_a_terminal_gets_the_picture_the_deeds_and_the_result(
    on_anvil: dict[str, Any],
) -> None:
    ended = lpm("demo", "--seed", "7", NO_COLOR="1", COLUMNS="100")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\x1b" not in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 100
    for shown in (
        "Price against range, USDC per WETH",
        "S re-range with a swap",
        "re-range without a swap",
        "hedge",
        "hold x",
        "against just holding the deposits (HODL)",
        "The books closed to the wei",
    ):
        assert shown in ended.stdout
    price = re.search(r"Result at ([\d,.]+) USDC per WETH", ended.stdout)
    assert price is not None
    assert float(price[1].replace(",", "")) != round(float(on_anvil["price"]), 2)


@pytest.mark.parametrize("backend", ["anvil", "eth-tester"])
def test_ctrl_c_in_the_middle_ends_it_in_one_line(backend: str, tmp_path: Path) -> None:
    running = start("demo", "--backend", backend, "--json", folder=tmp_path)
    while not list(tmp_path.glob("lpm-demo-*/lpmanager.db")):
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=120)
    assert (running.returncode, out, err) == (130, "", "lpm: interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--backend", "ganache"), "is not one of 'anvil', 'eth-tester'"),
        (("--keep", "--backend", "eth-tester"), "--keep needs --backend anvil"),
        (("--dir", "x"), "--dir is for --keep"),
        (("--keep", "--dir", "."), ".: exists already"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(
    arguments: tuple[str, ...], says: str
) -> None:
    ended = lpm("demo", *arguments, COLUMNS="200")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert says in ended.stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Path, float]]:
    """A kept demo: what it printed, its folder, and when it began. Ended by Ctrl-C, as a person
    would."""
    folder, began = tmp_path_factory.mktemp("kept"), time.time()
    running = start("demo", "--keep", "--json", folder=folder)
    assert running.stdout is not None
    assert running.stderr is not None
    while "Ctrl-C" not in (line := running.stderr.readline()):
        assert line, f"the demo ended early with {running.wait()}"
    lines = list(iter(running.stdout.readline, "}\n"))
    shown = json.loads("".join([*lines, "}"]))
    yield shown, folder / "lpm-demo", began
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=120)
    assert running.returncode == 0
    with pytest.raises(RpcUnavailable):
        HttpTransport(shown["rpc_url"]).request_many([("eth_chainId", [])])


def test_a_kept_demo_is_the_same_demo_but_for_its_time(
    kept: tuple[dict[str, Any], Path, float], on_anvil: dict[str, Any]
) -> None:
    shown, folder, began = kept
    own = {"rpc_url": shown["rpc_url"], "config": "lpm-demo/lpmanager.toml"}
    moved = {"price_timestamp": shown["price_timestamp"]}
    # the deadline in the calldata is another, and its zero bytes cost less gas
    gas = {name: shown[name] for name in ("gas", "nav_end")}
    assert shown == {**on_anvil, **own, **moved, **gas}
    assert abs(Fraction(gas["gas"]) / Fraction(on_anvil["gas"]) - 1) < Fraction(1, 1000)
    assert began - 2 * BLOCK_S <= shown["price_timestamp"] <= time.time()
    assert folder.joinpath("lpmanager.db").is_file()


def test_a_kept_campaign_goes_on_where_the_demo_left_it(
    kept: tuple[dict[str, Any], Path, float], tmp_path: Path
) -> None:
    shown, folder, _ = kept
    config = ("--config", str(folder / "lpmanager.toml"))
    before = json_of("report", *config)["campaigns"]["demo"]
    assert before["nav_start"] == shown["nav_start"]
    assert before["moves"] == shown["rebalances"] + shown["hedges"]
    plan = tmp_path / "p.json"
    planned = lpm("plan", *config, "--out", str(plan))
    assert planned.returncode == 0, planned.stderr
    done = lpm("execute", str(plan), *config, "--live")
    assert done.returncode == 0, done.stderr
    after = json_of("report", *config)["campaigns"]["demo"]
    assert after["moves"] == before["moves"] + 1
    assert after["identity_error"] == "0"
