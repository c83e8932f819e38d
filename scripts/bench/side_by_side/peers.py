"""Gets the engines that ours are measured against, once, into a folder that git ignores."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MADE = HERE.parent / ".peers"
WANTED = HERE / "locks"
WITH_NODE = ROOT / "scripts" / "with_node"


class PeerAbsent(Exception):
    """A peer could not be had; the message says why, in one line."""


def degenbot_python() -> Path:
    """The interpreter of a venv that holds degenbot. Raises PeerAbsent."""
    return _had(_install_degenbot)


def v3_sdk_folder() -> Path:
    """The folder whose node_modules hold @uniswap/v3-sdk. Raises PeerAbsent."""
    return _had(_install_v3_sdk)


def demeter_python() -> Path:
    """The interpreter of a venv that holds demeter. Raises PeerAbsent."""
    return _had(_install_demeter)


def _install_degenbot() -> Path:
    return _venv("degenbot", "--only-binary", ":all:")


def _install_demeter() -> Path:
    return _venv("demeter")  # it comes as source alone


def _venv(name: str, *how: str) -> Path:
    folder, wanted = MADE / name, WANTED / f"{name}.txt"
    python = folder / "bin" / "python"
    if not _is_current(folder, wanted):
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", folder])
        pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "install"]
        _run([*pip, "--no-deps", *how, "--retries", "1", "-r", wanted])
        _note_current(folder, wanted)
    return python


def _install_v3_sdk() -> Path:
    folder, lock = MADE / "v3-sdk", WANTED / "package-lock.json"
    if not _is_current(folder, lock):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(WANTED / name, folder)
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        _run([WITH_NODE, "npm", "ci", "--fetch-retries=1", *quiet], folder)
        _note_current(folder, lock)
    return folder


def _had(install: Callable[[], Path]) -> Path:
    attempt = _attempt(install)
    if isinstance(attempt, PeerAbsent):
        raise attempt
    return attempt


@cache
def _attempt(install: Callable[[], Path]) -> Path | PeerAbsent:
    """Once in a run, however often a peer takes part: failing takes a while."""
    try:
        return install()
    except PeerAbsent as reason:
        return reason


def _is_current(folder: Path, wanted: Path) -> bool:
    note = folder / ".installed"
    return note.is_file() and note.read_text() == wanted.read_text()


def _note_current(folder: Path, wanted: Path) -> None:
    shutil.copy(wanted, folder / ".installed")


def _run(command: list[str | Path], folder: Path = ROOT) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise PeerAbsent(str(error)) from error
    if done.returncode:
        said = (done.stderr + done.stdout).splitlines()
        wrong = (line for line in said if line.lower().startswith(("error", "npm error")))
        raise PeerAbsent(next(wrong, f"{command[0]} ended with {done.returncode}"))
