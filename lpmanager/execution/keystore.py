"""Keys in files: the web3 keystore format, version 3, encrypted by scrypt.

A file belongs to its owner alone from its first byte on, and none is ever overwritten.
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_utils.address import to_checksum_address

from lpmanager.errors import ConfigError, UsageError
from lpmanager.private_file import write_private

#: What a stolen file can be tried with offline must not be guessed in a day.
LEAST_PASSWORD = 8

_SETTING = "account.keystore"
_OWNERS_FOLDER = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Keystore:
    """A keystore file and the address its key signs for, as the file says; None where it does not.

    `private` says that nobody but the owner can read or change the file.
    """

    path: Path
    address: str | None
    private: bool


def new_key() -> bytes:
    """A private key from the operating system's randomness."""
    return bytes(Account.create().key)


def key_from_text(text: str) -> bytes:
    """A private key from its 64 hex digits, with or without 0x. Raises UsageError.

    Neither the message nor its cause repeats the text.
    """
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
        if len(key) == _KEY_BYTES:
            Account.from_key(key)
            return key
    except ValueError:
        pass  # said below, without what was typed
    raise UsageError("not a private key: expected 64 hexadecimal digits of a valid key")


def require_password(password: str) -> None:
    """Raise UsageError where a password is too short to protect a file."""
    if len(password) < LEAST_PASSWORD:
        raise UsageError(f"the password is too short; take {LEAST_PASSWORD} characters or more")


def seal(key: bytes, password: str, folder: Path) -> Keystore:
    """Write a key, encrypted, to a new file of the folder, and prove that it opens again.

    Raises UsageError where the address has a file there already, or none can be written.
    """
    address = str(Account.from_key(key).address)
    path = folder / f"{address}.json"
    sealed = json.dumps(Account.encrypt(key, password, kdf="scrypt"))
    try:
        folder.mkdir(mode=_OWNERS_FOLDER, parents=True, exist_ok=True)
        write_private(path, sealed)
    except FileExistsError as error:
        raise UsageError(f"{path}: exists already; nothing was written") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    if open_keystore(path, password) != key:
        raise UsageError(f"{path}: does not open again; delete it and check the disk")
    return Keystore(path=path, address=address, private=True)


def open_keystore(path: Path, password: str, setting: str = _SETTING) -> bytes:
    """The private key in a keystore file, which `setting` names. Raises ConfigError where it does
    not open."""
    content = _read(path, setting)
    try:
        return bytes(Account.decrypt(content, password))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigError(
            f"{setting}: {path} does not open; it is no keystore v3 file or the password is wrong"
        ) from None


def look_at(path: Path, setting: str = _SETTING) -> Keystore:
    """What a keystore file, which `setting` names, says without its password. Raises ConfigError
    where it is none."""
    content = _read(path, setting)
    if not isinstance(content, dict) or "crypto" not in {str(key).lower() for key in content}:
        raise ConfigError(f"{setting}: {path} is no keystore v3 file")
    return Keystore(path=path, address=_address(content.get("address")), private=is_private(path))


def keystores(folder: Path) -> tuple[list[Keystore], list[Path]]:
    """The keystore files of a folder by name, and the other files there. Raises UsageError where it
    cannot be read."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise UsageError(
            f"cannot read {folder}: {error.strerror}; make a key with `lpm keys new`"
        ) from error
    found: list[Keystore] = []
    others: list[Path] = []
    for path in paths:
        try:
            found.append(look_at(path))
        except ConfigError:
            others.append(path)
    return found, others


def is_private(path: Path) -> bool:
    """Whether the file's rights keep everybody but its owner out. Raises OSError."""
    return not path.stat().st_mode & _OTHERS


def read_password(path: Path, key: str) -> str:
    """The password in a file, without the line's end. `key` is the setting that names the file.

    Raises ConfigError where there is none.
    """
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{key}: cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is not text in UTF-8") from None
    if not password:
        raise ConfigError(f"{key}: {path} is empty")
    return password


def _read(path: Path, setting: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{setting}: cannot read {path}: {error.strerror}") from error
    except ValueError:
        raise ConfigError(f"{setting}: {path} does not open; it is no keystore v3 file") from None


def _address(told: object) -> str | None:
    try:
        return to_checksum_address(told) if isinstance(told, str) else None
    except ValueError:
        return None
