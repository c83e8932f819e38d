"""A store that holds nothing yet: its migrations take five times as long as opening a copy."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from lpmanager.ledger.store import Ledger


def an_empty_ledger(path: Path) -> Ledger:
    """A new store in this file, opened."""
    put_empty_store(path)
    return Ledger.open(f"sqlite:///{path}")


def put_empty_store(path: Path) -> None:
    path.write_bytes(_content())


@cache
def _content() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        Ledger.open(f"sqlite:///{path}").engine.dispose()
        return path.read_bytes()
