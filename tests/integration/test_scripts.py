"""The scripts, as a person runs them on a devnet with the real contracts."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from live_desk import Desk, Devnet, Done, surroundings, typed
from vault_desk import a_vault_desk

from lpmanager.chain.node import Question
from lpmanager.devnet.orders import Trade
from lpmanager.venues import erc20
from lpmanager.venues.uniswap_v3 import slot0

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(desk: Desk, script: str, *arguments: str) -> Done:
    desk.devnet.refresh()
    program = partial(runpy.run_path, str(SCRIPTS / script), run_name="__main__")
    return typed(desk.folder, "main", *arguments, program=program)


def done(desk: Desk, script: str, *arguments: str) -> dict[str, Any]:
    ended = run(desk, script, *arguments)
    assert ended.returncode == 0, ended.stderr
    shown: dict[str, Any] = json.loads(ended.stdout)
    return shown


def steps(shown: dict[str, Any]) -> list[str]:
    return [step["what"] for step in shown["outcome"]["steps"]]


def pool_tick(desk: Desk) -> int:
    node = desk.devnet.controls.node
    return node.call(slot0(desk.devnet.deployment.pool.address), node.head()).tick


def trade(desk: Desk) -> None:
    place = desk.devnet.deployment
    for zero_for_one, raw_in in ((True, 10**10), (False, 10**18)):
        order = Trade(zero_for_one=zero_for_one, raw_in=raw_in)
        desk.devnet.controls.execute(
            desk.devnet.backend.accounts[1],
            place.flow_trader,
            order.calldata(place.pool.address),
            what="trade",
        )


def test_a_vault_is_made_by_hand(devnet: Devnet, tmp_path: Path) -> None:
    desk = a_vault_desk(devnet, tmp_path, "a vault made by hand")
    planned = done(desk, "deploy_vault.py")
    assert [sent["from"] for sent in planned["transactions"]] == [desk.owner]
    made = done(desk, "deploy_vault.py", "--live")
    assert (made["vault"], len(made["done"])) == (planned["vault"], 1)


def test_a_position_is_opened_collected_and_closed_by_hand(desk: Desk) -> None:
    tick = pool_tick(desk) // 10 * 10
    edges = (f"--lower={tick - 600}", f"--upper={tick + 600}")
    shown = done(desk, "open_position.py", *edges)
    assert shown["outcome"] is None
    opened = done(desk, "open_position.py", *edges, "--live")
    assert any(what.startswith("mint") for what in steps(opened))
    trade(desk)
    assert any(w.startswith("collect") for w in steps(done(desk, "collect_fees.py", "--live")))
    closed = done(desk, "close_positions.py", "--live")
    assert [w.split()[0] for w in steps(closed)] == ["withdraw"]
    report = json.loads(desk.lpm("report", "--json").stdout)
    assert report["campaigns"]["main"]["identity_error"] == "0"


def test_a_plan_by_hand_is_made_once_what_an_earlier_run_left_open_is_done_with(
    desk: Desk,
) -> None:
    """An allowance: taking it back is a transaction, and what was planned before it is refused."""
    place, controls = desk.devnet.deployment, desk.devnet.controls
    controls.node.ask(Question("anvil_impersonateAccount", [desk.account], lambda _: None))
    left = erc20.approve(place.position_manager, 77)
    controls.execute(desk.account, place.pool.token0.address, left, what="an allowance")
    tick = pool_tick(desk) // 10 * 10
    opened = done(
        desk, "open_position.py", f"--lower={tick - 600}", f"--upper={tick + 600}", "--live"
    )
    assert any(what.startswith("mint") for what in steps(opened))


def test_one_cycle_is_made_by_the_script_too(desk: Desk) -> None:
    """In a process of its own, as any script."""
    desk.devnet.refresh()
    ended = subprocess.run(
        [sys.executable, str(SCRIPTS / "rebalance_once.py"), "main", "--live"],
        cwd=desk.folder,
        env=surroundings({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["campaigns"]["main"]["outcome"]["stopped"] is None


@pytest.mark.parametrize(
    ("lower", "upper", "complaint"),
    [("600", "-600", "inverted range"), ("-601", "600", "not a multiple")],
)
def test_a_range_that_cannot_be_is_refused(
    desk: Desk, lower: str, upper: str, complaint: str
) -> None:
    ended = run(desk, "open_position.py", f"--lower={lower}", f"--upper={upper}", "--live")
    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_closing_nothing_says_so(desk: Desk) -> None:
    ended = run(desk, "close_positions.py", "--live")
    assert ended.returncode == 2
    assert "nothing to do" in ended.stderr


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_every_script_fits_on_a_screen(script: Path) -> None:
    assert len(script.read_text().splitlines()) <= 40
