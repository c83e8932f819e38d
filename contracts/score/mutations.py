"""What slither-mutate's mutators make of the vault, each mutant once."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from slither import Slither
from slither.tools.mutator.mutators import LIR, all_mutators
from slither.tools.mutator.mutators.abstract_mutator import AbstractMutator

CONTRACTS = Path(__file__).resolve().parents[1]
VAULT = "src/LiquidityVault.sol"
PARTS_OF_THE_VAULT = "src/vault/"


class Mutant(NamedTuple):
    """A file of the vault with one change, and the mutator that made it."""

    file: str
    text: str
    mutator: str


class _Part:
    """A contract with its state variables, or one of its functions, alone: a mutator that stumbles
    loses no more than that."""

    def __init__(self, contract: Any, variables: Sequence[Any], functions: Sequence[Any]) -> None:
        self._contract = contract
        self.state_variables_declared = variables
        self.functions_and_modifiers_declared = functions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._contract, name)


def mutants() -> list[Mutant]:
    """All of them, in an order that is always the same."""
    found = {}
    for contract in _contracts():
        for mutator in _mutators():
            for mutant in _made(contract, mutator):
                found.setdefault((mutant.file, mutant.text), mutant)
    return [found[key] for key in sorted(found)]


def change(mutant: Mutant) -> tuple[int, str]:
    """The line of the change, from 1, and "old -> new" of the lines that differ, each trimmed."""
    old, new = (CONTRACTS / mutant.file).read_text().split("\n"), mutant.text.split("\n")
    first = _equal_at_the_start(old, new)
    last = _equal_at_the_start(old[:first:-1], new[:first:-1])
    parts = (lines[first : len(lines) - last] for lines in (old, new))
    return first + 1, " -> ".join(" ".join(line.strip() for line in part) for part in parts)


def _equal_at_the_start(old: Sequence[str], new: Sequence[str]) -> int:
    pairs = enumerate(zip(old, new, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(old), len(new)))


def _contracts() -> Iterator[Any]:
    for unit in Slither(str(CONTRACTS)).compilation_units:
        for contract in unit.contracts:
            file = _file_of(contract)
            if not contract.is_interface and (file == VAULT or file.startswith(PARTS_OF_THE_VAULT)):
                yield contract


def _file_of(contract: Any) -> str:
    return os.path.relpath(contract.source_mapping.filename.absolute, CONTRACTS)


def _mutators() -> list[Any]:
    classes = (each for _, each in inspect.getmembers(all_mutators, inspect.isclass))
    return [each for each in classes if issubclass(each, AbstractMutator)]


def _made(contract: Any, mutator: Any) -> Iterator[Mutant]:
    file = _file_of(contract)
    sound = (CONTRACTS / file).read_bytes()
    parts = [_Part(contract, contract.state_variables_declared, [])]
    parts += [_Part(contract, [], [each]) for each in contract.functions_and_modifiers_declared]
    for part in parts:
        for patch in _patches(contract, mutator, part):
            new = str(patch["new_string"]).encode()
            text = sound[: patch["start"]] + new + sound[patch["end"] :]
            if text != sound:
                yield Mutant(file, text.decode(), mutator.NAME)


def _patches(contract: Any, mutator: Any, part: _Part) -> list[Any]:
    LIR.literal_replacements.clear()  # it never forgets by itself
    unit = contract.compilation_unit
    at_work = mutator(unit, 1, "", "", contract, None, False, CONTRACTS, [])
    at_work.contract = part
    try:
        patches = at_work._mutate().get("patches", {})
    except AttributeError as error:  # it takes for granted that every variable has a value
        sys.stderr.write(f"{mutator.NAME} stumbles over {contract.name}: {error}\n")
        return []
    return list(patches.get(contract.source_mapping.filename.absolute, []))
