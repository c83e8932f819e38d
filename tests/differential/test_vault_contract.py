"""The vault on the published bytecode of Uniswap v3, by forge, and proofs, in quick figures.

`make contracts-test` and `make contracts-prove` run the full ones.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
SECURITY_TOOLS = CONTRACTS / ".venv-sec/bin"
NODE_TOOLS = CONTRACTS / "node_modules/.bin"
FORGE = "node_modules/@foundry-rs/forge/bin.mjs"
#: contracts/test has more; fewer means that forge did not see them.
LEAST_TESTS = 90
#: So many are in contracts/mutants.js, at the least.
LEAST_FAULTS = 37
#: Of contracts/prove/prove.js.
PROOFS_BUT_THE_REBALANCES = 2
#: What is run a hundred times and more, or is about other contracts; none of it reaches more of the
#: vault than the rest does.
BESIDES = (
    *("--no-match-contract", "Leak|Theft|Invariant|Dust|Gas|Lens"),
    *("--no-match-test", "that_of_the_position_manager|takes_no_more_than_is_held"),
)


def node(*arguments: str, **variables: str) -> str:
    """What a program of contracts/ wrote, once it has ended well."""
    return said("node", *arguments, **variables)


def said(*command: str, **variables: str) -> str:
    """What a command wrote in contracts/, once it has ended well."""
    run = subprocess.run(
        [ROOT / "scripts/with_node", *command],
        cwd=CONTRACTS,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    told = f"{run.stdout[-6_000:]}{run.stderr[-2_000:]}"
    assert run.returncode == 0, f"{' '.join(command)} failed:\n{told}"
    return run.stdout


@pytest.fixture
def with_tools() -> str:
    """PATH with halmos, slither and forge on it."""
    if not (SECURITY_TOOLS / "halmos").exists():
        pytest.skip("halmos and slither are not installed: `make test` does that")
    return os.pathsep.join((str(SECURITY_TOOLS), str(NODE_TOOLS), os.environ["PATH"]))


def test_the_vault_passes_its_own_tests() -> None:
    told = node(FORGE, "test", "--offline")
    counted = re.search(r"(\d+) tests passed, 0 failed, 0 skipped", told)
    assert counted, f"forge test said nothing of its tests:\n{told[-2_000:]}"
    assert int(counted[1]) >= LEAST_TESTS


def test_every_planted_fault_is_caught_by_the_test_that_names_it() -> None:
    caught = re.findall("^caught  ", node("mutants.js"), re.MULTILINE)
    assert len(caught) >= LEAST_FAULTS


def test_every_line_and_branch_of_the_vault_is_reached() -> None:
    """Few runs of a fuzz test do: more of them reach no less."""
    told = node(FORGE, "coverage", "--offline", *BESIDES, FOUNDRY_FUZZ_RUNS="20")
    rows = (line.split("|") for line in told.splitlines() if line.startswith("| src/"))
    reached = {row[1].strip(): (share(row[2]), share(row[4])) for row in rows}
    parts = [path for path in (CONTRACTS / "src/vault").glob("*.sol") if path.name[0] != "I"]
    vault = ["src/LiquidityVault.sol", *(f"src/vault/{path.name}" for path in parts)]
    assert {name: reached.get(name) for name in vault} == dict.fromkeys(vault, (1.0, 1.0))


def test_nobody_but_the_owner_takes_tokens_whatever_he_calls(with_tools: str) -> None:
    """By anything but a rebalance, whose proof takes most of the time."""
    proved = re.findall("^proved  ", node("prove/prove.js", "quick", PATH=with_tools), re.MULTILINE)
    assert len(proved) == PROOFS_BUT_THE_REBALANCES


def test_slither_finds_nothing_that_is_not_explained(with_tools: str, tmp_path: Path) -> None:
    """It builds, and cleans before, in a folder of its own."""
    folders = {"FOUNDRY_OUT": str(tmp_path / "out"), "FOUNDRY_CACHE_PATH": str(tmp_path / "cache")}
    said("slither", ".", "--fail-medium", PATH=with_tools, **folders)


def share(cell: str) -> float:
    """Of lines or branches, as in "99.12% (113/114)"."""
    there, everything = re.findall(r"\d+", cell.partition("(")[2])
    return int(there) / int(everything) if int(everything) else 1.0
