"""Disks that take no more, and processes whose store is on one."""

from __future__ import annotations

import ctypes
import os
import resource
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from faults.fault_proxy import newest_time, upstream
from faults.lpm_process import forking
from faults.troubled_desk import Run, the_campaign
from sqlalchemy import Engine, event

from lpmanager.cli.main import run_program
from lpmanager.config import load
from lpmanager.cycle import run_cycle
from lpmanager.ledger.store import Ledger

_TIMEOUT_S = 120.0
_CAPABILITIES_V3 = 0x20080522

BadDisk = Callable[[], None]


class Ended(NamedTuple):
    """How a process ended, and what it said."""

    exit_code: int | None
    said: str


def no_file_beyond(count: int) -> None:
    """This process can write no file beyond so many bytes: in the middle of whatever it writes."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, most))


def no_database_beyond(pages: int) -> None:
    """SQLite finds its disk full when a database of this process would get more pages."""

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", limit)


def without_privileges() -> None:
    """Who is root may write whatever the modes of a file say; this process no more."""
    if os.geteuid() != 0:
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    none_of_them = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, none_of_them) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def cycle_on(disk: BadDisk, run: Run, folder: Path) -> Ended:
    """One cycle of the campaign, with the program's own exit codes, in a process with that disk."""
    said = folder / "said"
    process = forking().Process(target=_cycle, args=(disk, folder, run.stage.backend.rpc_url, said))
    process.start()
    process.join(_TIMEOUT_S)
    return Ended(process.exitcode, said.read_text())


def _cycle(disk: BadDisk, folder: Path, node_url: str, said: Path) -> None:
    sys.stderr = said.open("w", buffering=1)
    with upstream(node_url) as ask:
        disk()
        run_program(partial(_run_once, folder, partial(newest_time, ask)), "lpm")


def _run_once(folder: Path, clock: Callable[[], int], **_options: str) -> None:
    settings = load(folder / "lpmanager.toml")
    ledger = Ledger.open(settings.store)
    run_cycle(the_campaign(settings, ledger, clock))
