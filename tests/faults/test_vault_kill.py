"""kill -9 at any point of `lpm vault ... --live`: the same command again, and it is done once."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from faults.kill_points import KILLED, POINTS, Point, at
from faults.lpm_process import LpmProcess
from live_desk import Devnet, Done, a_devnet
from vault_desk import USDC, VaultDesk, a_vault_desk

from lpmanager.ledger.store import Ledger

pytestmark = pytest.mark.fault_row("kill -9 at a point of journal, sign, send, confirm, book")

#: What a campaign's books do, which an owner's orders have nothing to do with.
_OF_BOOKS = (
    "lpmanager.ledger.store.Ledger.open_campaign",
    "lpmanager.execution.executor.read_fact",
    "lpmanager.ledger.diary.Diary.write",
    "lpmanager.ledger.store.Ledger.post",
)
OWNERS = [
    point
    for point in POINTS
    if point.function not in _OF_BOOKS
    and point.moment != "as the store is made or brought up to date"
]

_patches = ExitStack()


def die_at(point: Point, nth: int) -> None:
    """Let this process kill itself when it comes to the point for the nth time, from 0 on."""
    to_come = itertools.count(-nth)

    def reached() -> None:
        if next(to_come) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _patches.enter_context(at(point, reached))


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with a_devnet() as made:
        yield made


@pytest.fixture
def desk(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> VaultDesk:
    return a_vault_desk(devnet, tmp_path, request.node.nodeid)


def killed(desk: VaultDesk, point: Point, nth: int, *arguments: str) -> bool:
    """Type `lpm vault ... --live` in a process that dies there; whether it came there."""
    desk.devnet.refresh()
    said = desk.folder / "said"
    said.mkdir(exist_ok=True)
    process = LpmProcess(
        desk.folder,
        "vault",
        *arguments,
        "--live",
        said=said,
        beforehand=partial(die_at, point, nth),
    )
    process.start()
    ended: Done = process.wait()
    assert ended.returncode in (KILLED, 0), ended.stderr
    return ended.returncode == KILLED


def nothing_is_open(desk: VaultDesk) -> bool:
    ledger = Ledger.read(f"sqlite:///{desk.folder / 'lpmanager.db'}")
    try:
        chain_id = desk.devnet.backend.chain_id
        return ledger.journal(chain_id).open_intents(desk.owner) == []
    finally:
        ledger.engine.dispose()


@pytest.mark.parametrize("point", OWNERS, ids=lambda point: point.moment)
def test_money_goes_in_once(desk: VaultDesk, point: Point) -> None:
    vault = desk.deployed()
    order = "fund", "main", "100 USDC", "1 WETH"
    assert killed(desk, point, 0, *order)
    again = desk.lpm("vault", *order, "--live")
    assert again.returncode == 0, again.stderr
    assert desk.balances(vault) == (100 * USDC, 10**18)
    assert nothing_is_open(desk)


@pytest.mark.parametrize("point", OWNERS[::3], ids=lambda point: point.moment)
def test_a_vault_is_made_once(desk: VaultDesk, point: Point) -> None:
    planned = desk.json_of("deploy", "main")["vault"]
    assert killed(desk, point, 0, "deploy", "main")
    assert desk.deployed() == planned
    assert desk.json_of("status")["vaults"]["main"]["seq"] == 0
    assert nothing_is_open(desk)


def test_another_order_settles_what_was_left_open_first(desk: VaultDesk) -> None:
    vault = desk.deployed()
    sent = next(point for point in POINTS if point.moment == "as the node has it")
    assert killed(desk, sent, 0, "fund", "main", "100 USDC")
    done = desk.json_of("pause", "main", "--live")["done"]
    assert [(deed["what"].split()[0], deed["earlier"]) for deed in done] == [
        ("fund", True),
        ("pause", False),
    ]
    assert desk.balances(vault) == (100 * USDC, 0)
    assert nothing_is_open(desk)
