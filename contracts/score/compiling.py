"""Creation codes of many mutants from one run of the compiler."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from mutations import CONTRACTS, VAULT, Mutant

_SETTINGS = {
    "evmVersion": "cancun",
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "optimizer": {"enabled": False},
}
_IMPORT = re.compile(r'^(?:import|\}) .*?"([^"]+)";', re.MULTILINE)
_WHOSE = re.compile(r"\bm(\d+)/src")


def sound_code() -> str:
    """Of the vault as it is."""
    (code,) = creation_codes([Mutant(VAULT, (CONTRACTS / VAULT).read_text(), "")])
    if code is None:
        raise SystemExit("the vault does not compile")
    return code


def creation_codes(mutants: Sequence[Mutant]) -> list[str | None]:
    """Of the vault that each mutant makes, in hex; None where it does not compile."""
    left, _ = _compiled(dict(enumerate(mutants)), [])  # that is quick
    left, told = _compiled(left, ["evm.bytecode.object"])
    return [
        told[_vault_of(n)]["LiquidityVault"]["evm"]["bytecode"]["object"] if n in left else None
        for n in range(len(mutants))
    ]


def _compiled(
    mutants: dict[int, Mutant], wanted: list[str]
) -> tuple[dict[int, Mutant], dict[str, Any]]:
    """Those that compile, and what is wanted of them. One error may hide those of others: asked
    until there is none."""
    while mutants:
        told = _told(mutants, wanted)
        errors = [e for e in told.get("errors", []) if e["severity"] == "error"]
        wrong = {int(n) for e in errors for n in _WHOSE.findall(e["formattedMessage"])}
        if not errors:
            return mutants, told.get("contracts", {})
        if not wrong:
            raise SystemExit(f"solc told an error of no mutant: {errors[0]['formattedMessage']}")
        mutants = {number: mutant for number, mutant in mutants.items() if number not in wrong}
    return {}, {}


def _told(mutants: Mapping[int, Mutant], wanted: list[str]) -> dict[str, Any]:
    sources: dict[str, dict[str, str]] = {}
    for number, mutant in mutants.items():
        needed: dict[str, str] = {}
        _collect(VAULT, mutant, needed)
        for name, text in needed.items():
            here = f"m{number}/{name}" if name.startswith("src/") else name
            sources[here] = {"content": text}
    asked = {_vault_of(number): {"*": wanted} for number in mutants}
    job = {
        "language": "Solidity",
        "sources": sources,
        "settings": {**_SETTINGS, "outputSelection": asked},
    }
    command = [CONTRACTS / "solcw.js", "--standard-json"]
    done = subprocess.run(
        command, input=json.dumps(job), capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _vault_of(number: int) -> str:
    return f"m{number}/{VAULT}"


def _collect(file: str, mutant: Mutant, found: dict[str, str]) -> None:
    """The sources that a file needs, by their paths from contracts/ or from node_modules."""
    if file in found:
        return
    place = CONTRACTS / file
    if not place.exists():
        place = CONTRACTS / "node_modules" / file
    found[file] = mutant.text if file == mutant.file else place.read_text()
    for to in _IMPORT.findall(found[file]):
        is_beside = to.startswith(".")
        wanted = os.path.normpath(os.path.join(os.path.dirname(file), to)) if is_beside else to
        _collect(wanted, mutant, found)
