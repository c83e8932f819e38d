"""Compiled contracts: our own, which travel with the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from lpmanager.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]

#: Where a wheel holds them, and where a source checkout does.
_FOLDERS = (_PACKAGE / "contracts_data", _PACKAGE.parent / "contracts" / "artifacts")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract: its name and its creation code."""

    name: str
    bytecode: bytes

    def creation(self, types: tuple[str, ...] = (), arguments: tuple[Any, ...] = ()) -> bytes:
        """Creation code followed by the encoded constructor arguments."""
        return self.bytecode + encode(types, arguments)


def own_artifact(name: str) -> Artifact:
    """One of this project's own contracts. ConfigError where it is not installed."""
    for folder in _FOLDERS:
        if (path := folder / f"{name}.json").is_file():
            return read_artifact(path)
    raise ConfigError(
        f"the compiled contract {name} is not installed; reinstall lpmanager, "
        "or run `make contracts` in a source checkout"
    )


def read_artifact(path: Path) -> Artifact:
    """The contract in a compiler's JSON file. ConfigError where the file is not one."""
    try:
        code = json.loads(path.read_text(encoding="utf-8"))["bytecode"]
        return Artifact(path.stem, bytes.fromhex(code.removeprefix("0x")))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"{path.name}: expected a compiled contract with linked bytecode, found something else"
        ) from error
