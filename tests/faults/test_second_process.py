"""Whoever comes second waits or goes: no two processes ever sign for one account at once."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eth_account import Account
from faults.lpm_process import LpmProcess
from live_desk import ETHER, Desk, Devnet, Done, a_devnet, a_funded_desk, new_desk
from vault_world import deploy_vault

from lpmanager.devnet.deploy import fund

pytestmark = pytest.mark.fault_row("a second process at a random moment")

#: Where each process leaves its mark while it holds the account, and tells of what it met there:
#: a lock, so that the mark of one that is killed goes with it. A policy is asked in the middle of a
#: cycle, while everything that could be signed would be. Among a thousand processes two may have
#: had the same number.
_POLICY = """
import fcntl, time, uuid
from dataclasses import dataclass
from pathlib import Path
from lpmanager.model import Target

HERE = Path({marks!r})

@dataclass(frozen=True)
class Watched:
    def target(self, view):
        with (HERE / "inside").open("w") as mark:
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                (HERE / f"overlap-{{uuid.uuid4()}}").write_text("")
            time.sleep({inside_s})
            (HERE / f"was-here-{{uuid.uuid4()}}").write_text("")
        return Target(ranges=(), swap=False, reason="only watching")
"""
_INSIDE_S = 0.15
_OLD_S = 60
_PASSWORD = "correct horse"
_NAME = "twice"


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with a_devnet() as made:
        yield made


class Desks:
    """One account with two folders, each with a configuration and a store of its own: in one the
    campaign is the account's, in the other that of a vault which it operates.

    Their chain is no devnet to them: programs of one devnet account with different stores may be of
    different devnets, and do not wait for each other.
    """

    def __init__(self, devnet: Devnet, vault: str, folder: Path) -> None:
        self.marks = folder / "marks"
        self.marks.mkdir()
        self._home = folder / "home"
        self.folders = [folder / "one", folder / "other"]
        for place in (self._home, *self.folders):
            place.mkdir()
        _, other = (self._desk(devnet, place) for place in self.folders)
        held = f'[campaigns.main]\ncustody = "vault"\nvault = "{vault}"\n'
        other.edit("[campaigns.main]\n", held)
        self._devnet = devnet

    def _desk(self, devnet: Devnet, place: Path) -> Desk:
        desk = new_desk(devnet, place, _NAME)
        (place / "watched.py").write_text(_POLICY.format(marks=str(self.marks), inside_s=_INSIDE_S))
        desk.edit(
            'policy = "fixed_width"\n[campaigns.main.options]\nhalf_width_ticks = 600\n'
            'deploy = "0.8"\n',
            'policy = "watched:Watched"\n',
        )
        desk.edit("devnet = true", "devnet = false")
        desk.edit("[account]\n", '[account]\nkeystore = "key.json"\npassword_file = "password"\n')
        quick_to_open = Account.encrypt(desk.key, _PASSWORD, kdf="scrypt", iterations=2)
        (place / "key.json").write_text(json.dumps(quick_to_open))
        (place / "password").write_text(_PASSWORD)
        (place / ".env").write_text(f"LPM_RPC_URL={devnet.backend.rpc_url}\n")
        return desk

    def process(self, number: int, *arguments: str) -> LpmProcess:
        head = self._devnet.controls.node.head().timestamp
        if head < time.time() - _OLD_S:
            self._devnet.refresh()
        # Blocks made in a hurry are stamped ahead of the clock, which is a reason to halt.
        time.sleep(max(0.0, head - time.time()))
        said = self.marks.parent / f"said-{number}"
        said.mkdir(exist_ok=True)
        folder = self.folders[number % len(self.folders)]
        return LpmProcess(folder, *arguments, said=said, variables={"HOME": str(self._home)})

    def count(self, what: str) -> int:
        return len(list(self.marks.glob(f"{what}*")))


@pytest.fixture(scope="module")
def vault(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the account operates, which holds as much as the account itself. Made once: each block
    of its making is stamped a second later, and processes wait until the clock has come there."""
    account = a_funded_desk(devnet, tmp_path_factory.mktemp("account"), _NAME).account
    backend, deployment = devnet.backend, devnet.deployment
    made = deploy_vault(backend, deployment, owner=backend.accounts[3], operator=account)
    fund(backend, deployment, made, deployment.pool.amounts(50_000 * 10**6, 22 * ETHER))
    return made


@pytest.fixture
def desks(devnet: Devnet, vault: str, tmp_path: Path) -> Desks:
    return Desks(devnet, vault, tmp_path)


def test_of_processes_that_start_at_random_moments_none_overlap(
    desks: Desks, scale: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]
) -> None:
    """From two folders, with and without patience, two at a time; one of two is a vault's."""
    starts, dice, ended = scale(20, 1_000), random.Random(4), list[Done]()
    for first in range(0, starts, 2):
        pair = [
            desks.process(number, "run", "--once", "--live", "--wait", dice.choice(["0", "60"]))
            for number in (first, first + 1)
        ]
        for process in pair:
            process.start()
            time.sleep(dice.uniform(0, 4 * _INSIDE_S))
        ended += [process.wait() for process in pair]
    codes = Counter(done.returncode for done in ended)
    refused = [done for done in ended if done.returncode == 2]
    with capsys.disabled():
        print(f"\n{starts} starts: {codes[0]} ran, {codes[2]} were refused")  # noqa: T201
    assert desks.count("overlap") == 0
    assert [done for done in ended if done.returncode not in (0, 2)] == []
    assert desks.count("was-here") == codes[0]
    assert codes[0] >= starts // 2
    assert all("another lpm signs for the account: process" in done.stderr for done in refused)


def test_who_waits_is_told_for_whom_and_runs_after_it(desks: Desks) -> None:
    first = desks.process(0, "run", "--live")
    first.start()
    wait_until(lambda: desks.count("was-here") > 0)
    second = desks.process(1, "run", "--once", "--live", "--wait", "60")
    second.start()
    wait_until(lambda: "waiting up to" in second.told())
    first.kill()
    done = second.wait()
    assert done.returncode == 0, done.stderr
    assert f"waiting up to 60 s for process {first.pid}, since 20" in " ".join(done.stderr.split())
    assert desks.count("overlap") == 0


def test_who_does_not_wait_is_told_who_holds_the_account(desks: Desks) -> None:
    first = desks.process(0, "run", "--live")
    first.start()
    wait_until(lambda: desks.count("was-here") > 0)
    try:
        for arguments in (("--wait", "0.5"), ()):
            refused = desks.process(1, "run", "--once", "--live", *arguments)
            refused.start()
            done = refused.wait()
            assert done.returncode == 2
            assert f"process {first.pid}, since 20" in done.stderr
        rehearsal = desks.process(3, "run", "--once")
        rehearsal.start()
        assert rehearsal.wait().returncode == 0  # a dry run disturbs nobody
    finally:
        first.kill()


def test_a_holder_that_is_killed_leaves_the_account_free(desks: Desks) -> None:
    first = desks.process(0, "run", "--live")
    first.start()
    wait_until(lambda: desks.count("was-here") > 0)
    first.kill()
    next_one = desks.process(1, "run", "--once", "--live")
    next_one.start()
    done = next_one.wait()
    assert done.returncode == 0, done.stderr


def wait_until(reached: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < give_up
        time.sleep(0.05)
