"""Where the lock of an account lies."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from lpmanager.config import load
from lpmanager.desk import lock_path

OWNER = "0x1F98431c8aD98523631AE4a59f267346ea31F984"


def lock_with_store(folder: Path, store: str) -> Path:
    text = files("lpmanager").joinpath("templates", "lpmanager.toml").read_text(encoding="utf-8")
    path = folder / "lpmanager.toml"
    text = text.replace("0x" + "0" * 40, OWNER).replace("sqlite:///lpmanager.db", store)
    path.write_text(text)
    settings = load(path)
    return lock_path(settings, settings.chain_of("eth-usdc"))


@pytest.mark.parametrize("store", ["sqlite:///lpmanager.db", "sqlite:///books/lpmanager.db"])
def test_the_lock_lies_beside_a_sqlite_store(tmp_path: Path, store: str) -> None:
    lock = lock_with_store(tmp_path, store)
    assert lock.parent == (tmp_path / store.removeprefix("sqlite:///")).parent
    assert lock.name == f"lpmanager-8453-{OWNER}.lock"


def test_the_lock_of_a_shared_database_lies_in_the_user_s_state_folder(tmp_path: Path) -> None:
    lock = lock_with_store(tmp_path, "postgresql://host/books")
    assert lock == Path.home() / ".local/state/lpmanager" / f"lpmanager-8453-{OWNER}.lock"
