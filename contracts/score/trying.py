"""Whether a test notices a mutant of the vault.

The tests are compiled once, in a copy in which they create the vault from code in a file, and the
file is the mutant's: forge alone would compile everything for each, which takes solc-js a minute.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from mutations import CONTRACTS, Mutant

_FORGE = CONTRACTS / "node_modules/.bin/forge"
_CODE = "mutant.json"

#: Tests, and how many runs those that are fuzzed have. The cheap ones first: what is noticed
#: at all shows within few runs.
_STAGES = (
    ("^(Gas|Operator|Owner|Path)Test$", "4"),
    ("^(Anything|Mint|Operator|Owner)Test$", "32"),
    ("^(Dust|Invariant|Leak|Theft)Test$", "32"),
)
_CHEAP = {
    "FOUNDRY_OPTIMIZER": "false",
    "FOUNDRY_INVARIANT_RUNS": "2",
    "FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT": "0",
    "FOUNDRY_FUZZ_FAILURE_PERSIST": "false",
}
#: What tests take their expectations from, and what they call themselves: that must be the
#: mutant's too.
_EXPECTED_FROM = ("src/vault/Worth.sol", "src/vault/Oracle.sol")
_CALLED = ("src/vault/Held.sol", "src/vault/Fit.sol")

#: Creates a vault from the file's code, as `new` would.
_MAKER = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;
import {LiquidityVault} from "../src/LiquidityVault.sol";
import {IVault} from "../src/vault/IVault.sol";
import {IFactory, IPool} from "../src/vault/IUniswapV3.sol";
import {vm} from "./Vm.sol";
contract Maker {
    function vault(IFactory a, IPool b, address c, address d, address e, IVault.Bounds memory f)
        external
        returns (LiquidityVault at)
    {
        bytes memory terms = abi.encode(a, b, c, d, e, f);
        bytes memory code = abi.encodePacked(vm.getCode("mutant.json"), terms);
        assembly ("memory-safe") {
            at := create(0, add(code, 32), mload(code))
            if iszero(at) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}
"""


class Bench:
    """Two copies of the tests: one takes the vault's code from a file, one compiles the mutant."""

    def __init__(self, folder: Path) -> None:
        self._by_code, self._whole = folder / "by_code", folder / "whole"
        for copy in (self._by_code, self._whole):
            _copy_to(copy)
        _take_code_from_file(self._by_code)

    def require_sound(self, code: str) -> None:
        """Exits where a test fails without a fault."""
        self._put(code)
        failed = _first_to_fail(self._by_code)
        if failed is not None:
            raise SystemExit(f"{failed} fails without a fault; mend that first")

    def noticed_by(self, mutant: Mutant, code: str) -> str | None:
        """The test that fails for a mutant; None where none does."""
        failed = None
        if mutant.file not in _EXPECTED_FROM:
            self._put(code)
            failed = _first_to_fail(self._by_code)
        if failed is None and mutant.file in _EXPECTED_FROM + _CALLED:
            (self._whole / mutant.file).write_text(mutant.text)
            failed = _first_to_fail(self._whole)
            shutil.copy(CONTRACTS / mutant.file, self._whole / mutant.file)
        return failed

    def _put(self, code: str) -> None:
        (self._by_code / _CODE).write_text(json.dumps({"bytecode": f"0x{code}"}))


def _first_to_fail(folder: Path) -> str | None:
    return next(filter(None, (_failed(folder, *stage) for stage in _STAGES)), None)


def _failed(folder: Path, tests: str, runs: str) -> str | None:
    command = [_FORGE, "test", "--offline", "--fail-fast", "--json", "--match-contract", tests]
    env = {**os.environ, **_CHEAP, "FOUNDRY_FUZZ_RUNS": runs}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    if "Compiler run failed" in told:
        return "nothing compiles"
    if not done.stdout.startswith("{"):
        raise SystemExit(f"forge test told no results:\n{told[-4_000:]}")
    for suite in json.loads(done.stdout).values():
        for name, result in suite["test_results"].items():
            if result["status"] == "Failure":
                return str(name)
    return None


def _copy_to(folder: Path) -> None:
    for name in ("src", "test"):
        shutil.copytree(CONTRACTS / name, folder / name)
    (folder / "node_modules").symlink_to(CONTRACTS / "node_modules")
    # forge asks for the version at every start, and solc-js takes half a second to tell
    asked = [CONTRACTS / "solcw.js", "--version"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    compiler = folder / "solcw.js"
    compiler.write_text(
        f"#!/bin/sh\n[ $1 = --version ] && echo '{version}' || exec {CONTRACTS}/solcw.js $@\n"
    )
    compiler.chmod(0o755)
    reads, settings = "fs_permissions = [", (CONTRACTS / "foundry.toml").read_text()
    more = f'{{ access = "read", path = "./{_CODE}" }}, '
    (folder / "foundry.toml").write_text(settings.replace(reads, reads + more))
    for test in (folder / "test").glob("*.sol"):
        test.write_text(re.sub(r" *///? forge-config: default.*\n", "", test.read_text()))


def _take_code_from_file(folder: Path) -> None:
    for test in (folder / "test").glob("*.sol"):
        test.write_text(test.read_text().replace("new LiquidityVault(", "maker.vault("))
    bench = folder / "test/Bench.sol"
    text = bench.read_text()
    for before, added in (
        ("import {Market}", 'import {Maker} from "./Maker.sol";\n'),
        ("    Market internal market;", "    Maker internal maker = new Maker();\n"),
    ):
        text = text.replace(before, added + before)
    bench.write_text(text)
    (folder / "test/Maker.sol").write_text(_MAKER)
