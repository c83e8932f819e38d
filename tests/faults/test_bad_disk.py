"""Disks that are full, fail or may not be written: no signature without its durable row, an error
that says how to mend it, and all goes on once that is done."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from faults.bad_disks import (
    BadDisk,
    cycle_on,
    no_database_beyond,
    no_file_beyond,
    without_privileges,
)
from faults.fault_proxy import SEND, FaultProxy, fault_proxy
from faults.lpm_process import LpmProcess
from faults.scenes import STORE, Scene
from faults.verdict import (
    require_all_in_journal,
    require_books_equal_chain,
    require_normal_soon,
    require_nothing_doubled,
    require_nothing_lost,
)
from live_desk import Desk, Devnet, Done, a_devnet, a_funded_desk
from sqlalchemy import event

from lpmanager.errors import StoreError
from lpmanager.ledger.store import Ledger

pytestmark = pytest.mark.fault_row("disk full, read-only folder")


@dataclass(frozen=True)
class Room:
    """What the scene's next cycle needs of a disk: pages of the store before it and after it, and
    the bytes of its log."""

    scene: Scene
    pages: tuple[int, int]
    log_bytes: int

    def too_little(self, seed: int, dice: random.Random) -> BadDisk:
        """A disk that is full somewhere on the way."""
        if seed % 2:
            return partial(no_file_beyond, dice.randrange(512, self.log_bytes))
        return partial(no_database_beyond, dice.randrange(*self.pages))


@pytest.fixture(scope="module")
def rooms(wallet_scenes: list[Scene], tmp_path_factory: pytest.TempPathFactory) -> list[Room]:
    return [room_of(scene, tmp_path_factory.mktemp("room")) for scene in wallet_scenes]


def room_of(scene: Scene, folder: Path) -> Room:
    with scene.run(folder, 0) as run, closing(sqlite3.connect(folder / STORE)) as reader:
        run.ledger.engine.dispose()
        (before,) = reader.execute("PRAGMA page_count").fetchone()
        assert cycle_on(no_trouble, run, folder).exit_code == 0
        (after,) = reader.execute("PRAGMA page_count").fetchone()
        log = folder / f"{STORE}-wal"
        return Room(scene=scene, pages=(before, after), log_bytes=log.stat().st_size)


def no_trouble() -> None:
    return


@pytest.mark.seeds(10, 200)
def test_nothing_is_signed_that_the_disk_did_not_take(
    rooms: list[Room], tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    room = dice.choice(rooms)
    with room.scene.run(tmp_path, seed) as run:
        run.ledger.engine.dispose()
        ended = cycle_on(room.too_little(seed, dice), run, tmp_path)
        assert ended.exit_code == 1, ended.said
        assert "Traceback" not in ended.said
        assert "make room on the disk" in ended.said
        run.restart()
        require_all_in_journal(run)
        require_normal_soon(run)
        require_nothing_doubled(run)
        require_nothing_lost(run)
        require_books_equal_chain(run)


@pytest.mark.seeds(3, 50)
def test_a_run_goes_on_once_there_is_room_again(
    rooms: list[Room], tmp_path: Path, seed: int
) -> None:
    """The same process, as on a timetable."""
    dice = random.Random(seed)
    room = dice.choice(rooms)
    with room.scene.run(tmp_path, seed) as run:
        most = dice.randrange(*room.pages)
        event.listen(
            run.ledger.engine,
            "checkout",
            lambda connection, *_: connection.execute(f"PRAGMA max_page_count = {most}"),
        )
        with pytest.raises(StoreError, match=r"lpmanager\.db.*disk is full.*make room on the disk"):
            run.cycle()
        require_all_in_journal(run)
        most = 2**30
        require_normal_soon(run)
        require_nothing_doubled(run)
        require_nothing_lost(run)
        require_books_equal_chain(run)


# ---- what may not be written, as `lpm` meets it ----


class ReadOnlyDesk:
    """A funded desk whose transactions come by a proxy, and an `lpm` that is nobody special."""

    def __init__(self, desk: Desk, rpc: FaultProxy, said: Path) -> None:
        self.desk, self.rpc, self._said = desk, rpc, said
        env = desk.folder / ".env"
        url = str(desk.devnet.backend.rpc_url)
        env.write_text(env.read_text().replace(url, rpc.url))

    @property
    def store(self) -> Path:
        return self.desk.folder / STORE

    def let_write(self, what: str, allowed: bool) -> None:
        """SQLite gives what it makes beside the store the store's own mode."""
        folder = self.desk.folder
        for path in [folder] if what == "folder" else folder.glob(f"{STORE}*"):
            mode = path.stat().st_mode
            path.chmod(mode | 0o200 if allowed else mode & ~0o222)

    def run_live(self) -> Done:
        self.desk.devnet.refresh()
        process = LpmProcess(
            self.desk.folder,
            *("run", "--once", "--live"),
            said=self._said,
            beforehand=without_privileges,
        )
        process.start()
        return process.wait()

    def signatures(self) -> int:
        return sum(seen.method == SEND for seen in self.rpc.log)


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with a_devnet() as made:
        yield made


@pytest.fixture
def read_only(
    devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[ReadOnlyDesk]:
    folder, said = tmp_path / "desk", tmp_path / "said"
    folder.mkdir()
    said.mkdir()
    with fault_proxy(str(devnet.backend.rpc_url)) as rpc:
        yield ReadOnlyDesk(a_funded_desk(devnet, folder, request.node.name), rpc, said)


@pytest.mark.parametrize("begun", [False, True], ids=["before its first cycle", "later"])
@pytest.mark.parametrize("what", ["folder", "store"])
def test_what_may_not_be_written_is_told_and_nothing_signed(
    read_only: ReadOnlyDesk, what: str, begun: bool
) -> None:
    if begun:
        assert read_only.run_live().returncode == 0
    elif what == "store":
        Ledger.open(f"sqlite:///{read_only.store}").engine.dispose()
    before = read_only.signatures()
    read_only.let_write(what, False)
    done = read_only.run_live()
    read_only.let_write(what, True)
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert re.search("let this user write the file,? .*and (its|their) folder", done.stderr)
    assert read_only.signatures() == before
    assert read_only.run_live().returncode == 0
    assert read_only.signatures() > 0
