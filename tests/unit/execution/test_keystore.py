"""Keys in files: for their owner alone, never overwritten, and proven to open."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from lpmanager import private_file
from lpmanager.errors import ConfigError, UsageError
from lpmanager.execution.keystore import (
    key_from_text,
    keystores,
    look_at,
    new_key,
    open_keystore,
    read_password,
    require_password,
    seal,
)

#: Public knowledge: the first account of every development chain.
KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
PASSWORD = "correct horse"


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A user whose new files everybody may read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


def a_file(folder: Path, key: bytes = KEY) -> Path:
    """A keystore that opens quickly."""
    path = folder / "key.json"
    path.write_text(json.dumps(Account.encrypt(key, PASSWORD, kdf="pbkdf2", iterations=2)))
    return path


@pytest.mark.usefixtures("open_umask")
def test_a_sealed_key_opens_again_and_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    kept = seal(KEY, PASSWORD, tmp_path / "keys")
    assert kept.path == tmp_path / "keys" / f"{ADDRESS}.json"
    assert kept.address == ADDRESS
    assert open_keystore(kept.path, PASSWORD) == KEY
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert kept.path.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(kept.path.read_text())["crypto"]["kdf"] == "scrypt"
    assert keystores(tmp_path / "keys") == ([kept], [])


@pytest.mark.usefixtures("open_umask")
def test_the_file_is_private_before_its_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    really = os.fdopen

    def fdopen(descriptor: int, *how: str, **more: str) -> object:
        found = os.fstat(descriptor)
        seen.append((found.st_size, found.st_mode & 0o777))
        return really(descriptor, *how, **more)

    monkeypatch.setattr(private_file.os, "fdopen", fdopen)
    seal(KEY, PASSWORD, tmp_path)
    assert seen == [(0, 0o600)]


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    taken = tmp_path / f"{ADDRESS}.json"
    taken.write_text("mine")
    with pytest.raises(UsageError, match="exists already; nothing was written"):
        seal(KEY, PASSWORD, tmp_path)
    assert taken.read_text() == "mine"


def test_a_link_in_the_files_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / f"{ADDRESS}.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="exists already"):
        seal(KEY, PASSWORD, tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_write_that_fails_leaves_no_torn_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private_file.os, "fsync", full)
    with pytest.raises(UsageError, match="cannot be written: No space left"):
        seal(KEY, PASSWORD, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        seal(KEY, PASSWORD, tmp_path / "file" / "keys")


def test_new_keys_differ() -> None:
    keys = {new_key() for _ in range(5)}
    assert len(keys) == 5
    assert {len(key) for key in keys} == {32}


@pytest.mark.parametrize("text", [KEY.hex(), "0x" + KEY.hex(), f" 0x{KEY.hex().upper()}\n"])
def test_a_key_is_taken_in_with_and_without_0x(text: str) -> None:
    assert key_from_text(text) == KEY


@pytest.mark.parametrize(
    "text",
    ["", "0x", KEY.hex()[:-1], KEY.hex() + "00", "zz" * 32, "00" * 32, "ff" * 32, "a word " * 12],
)
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UsageError, match="not a private key") as caught:
        key_from_text(text)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_short_password_is_refused() -> None:
    require_password("8 letters")
    with pytest.raises(UsageError, match="too short; take 8"):
        require_password("7 chars")


def test_a_keystore_opens_with_its_password_alone(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    assert open_keystore(path, PASSWORD) == KEY
    for wrong in ("", "correct horsf", PASSWORD + "\n"):
        with pytest.raises(ConfigError, match="does not open") as caught:
            open_keystore(path, wrong)
        assert caught.value.__suppress_context__


@pytest.mark.parametrize("text", ["", "{}", "[]", "5", '"x"', '{"version": 3}', "\xff"])
def test_what_is_no_keystore_is_neither_opened_nor_listed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match="no keystore v3 file"):
        open_keystore(path, PASSWORD)
    with pytest.raises(ConfigError, match="no keystore v3 file"):
        look_at(path)


def test_a_keystore_tells_its_address_without_a_password(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    path.chmod(0o640)
    seen = look_at(path)
    assert (seen.address, seen.private) == (ADDRESS, False)
    anonymous = json.loads(path.read_text())
    del anonymous["address"]
    path.write_text(json.dumps(anonymous))
    assert look_at(path).address is None


def test_a_folder_without_keys_is_named(tmp_path: Path) -> None:
    assert keystores(tmp_path) == ([], [])
    with pytest.raises(UsageError, match="lpm keys new"):
        keystores(tmp_path / "none")


def test_a_password_file_counts_without_the_end_of_its_line(tmp_path: Path) -> None:
    path = tmp_path / "password"
    for text in ("correct horse", "correct horse\n", "correct horse\r\n"):
        path.write_bytes(text.encode())
        assert read_password(path, "account.password_file") == PASSWORD
    path.write_text(" a space may be part of it \n")
    assert read_password(path, "account.password_file") == " a space may be part of it "


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_password_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"^account\.password_file: "):
        read_password(path, "account.password_file")


def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--password-file: cannot read .*none"):
        read_password(tmp_path / "none", "--password-file")
