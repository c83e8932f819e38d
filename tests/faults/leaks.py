"""Secrets in what a test has written and said, of those that its own files hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from eth_account import Account

#: Files that are there to hold secrets.
ENV, PASSWORD = ".env", "password"
_KEYSTORES = ("keys/*", "key.json")

_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
#: Shorter pieces of a URL are a version, a port, or the name of a machine.
_SHORTEST = 12


def forms_of_key(name: str, key: str) -> dict[str, bytes]:
    """However a private key in hex may come to stand somewhere."""
    digits = key.removeprefix("0x").lower()
    return {
        name: digits.encode(),
        f"{name} in capitals": digits.upper().encode(),
        f"{name} as a number": str(int(digits, 16)).encode(),
        f"{name} as bytes": bytes.fromhex(digits),
        f"{name} as Python shows bytes": repr(bytes.fromhex(digits))[2:-1].encode(),
    }


def held_in(folder: Path) -> dict[str, bytes]:
    """The secrets that the files below a folder are there to hold, each by a name."""
    found: dict[str, bytes] = {}
    for path in folder.rglob(ENV):
        for line in path.read_text().splitlines():
            name, _, value = line.partition("=")
            found |= _of_a_value(name, value)
    passwords = {path.read_text().strip() for path in folder.rglob(PASSWORD)}
    for number, password in enumerate(sorted(passwords)):
        found[f"password {number}"] = password.encode()
        for keystore in _keystores(folder):
            key = bytes(Account.decrypt(json.loads(keystore.read_text()), password)).hex()
            found |= forms_of_key(f"the key in {keystore.name}", key)
    return found


def _of_a_value(name: str, value: str) -> dict[str, bytes]:
    if (key := _KEY.fullmatch(value)) is not None:
        return forms_of_key(name, key[1])
    pieces = [piece for piece in re.split(r"[/?&=@:, ]+", value) if len(piece) >= _SHORTEST]
    return {f"{name}, piece {number}": piece.encode() for number, piece in enumerate(pieces)}


def _keystores(folder: Path) -> Iterator[Path]:
    for pattern in _KEYSTORES:
        yield from (path for path in folder.rglob(pattern) if path.is_file())


def leaks(folder: Path, said: Mapping[str, str]) -> list[str]:
    """Where a secret that some file below the folder is there to hold is found elsewhere: in all
    other files below it, and in what was said."""
    secrets = held_in(folder)
    if not secrets:
        return []
    holders = {*folder.rglob(ENV), *folder.rglob(PASSWORD), *_keystores(folder)}
    others = [path for path in folder.rglob("*") if path.is_file() and path not in holders]
    contents = [(str(path.relative_to(folder)), path.read_bytes()) for path in others]
    contents += [(where, text.encode()) for where, text in said.items()]
    return [
        f"{name} in {where}"
        for where, content in contents
        for name, secret in secrets.items()
        if secret in content
    ]
