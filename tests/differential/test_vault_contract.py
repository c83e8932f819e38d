"""The vault against the published bytecode of Uniswap v3, by forge, with the quick figures.

`make contracts-test` runs the full ones.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
FORGE = "node_modules/@foundry-rs/forge/bin.mjs"
#: contracts/test has more; fewer means that forge did not see them.
LEAST_TESTS = 90
#: So many are in contracts/mutants.js, at the least.
LEAST_FAULTS = 37
#: What is run a hundred times and more, or is about other contracts; none of it reaches more of the
#: vault than the rest does.
BESIDES = (
    *("--no-match-contract", "Leak|Theft|Invariant|Dust|Gas|Lens"),
    *("--no-match-test", "that_of_the_position_manager|takes_no_more_than_is_held"),
)


def node(*arguments: str, **variables: str) -> str:
    """What a program of contracts/ wrote, once it has ended well."""
    run = subprocess.run(
        [ROOT / "scripts/with_node", "node", *arguments],
        cwd=CONTRACTS,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"{run.stdout[-6_000:]}{run.stderr[-2_000:]}"
    assert run.returncode == 0, f"node {' '.join(arguments)} failed:\n{said}"
    return run.stdout


def test_the_vault_passes_its_own_tests() -> None:
    said = node(FORGE, "test", "--offline")
    counted = re.search(r"(\d+) tests passed, 0 failed, 0 skipped", said)
    assert counted, f"forge test said nothing of its tests:\n{said[-2_000:]}"
    assert int(counted[1]) >= LEAST_TESTS


def test_every_planted_fault_is_caught_by_the_test_that_names_it() -> None:
    caught = re.findall("^caught  ", node("mutants.js"), re.MULTILINE)
    assert len(caught) >= LEAST_FAULTS


def test_every_line_and_branch_of_the_vault_is_reached() -> None:
    """Few runs of a fuzz test do: more of them reach no less."""
    said = node(FORGE, "coverage", "--offline", *BESIDES, FOUNDRY_FUZZ_RUNS="20")
    rows = (line.split("|") for line in said.splitlines() if line.startswith("| src/"))
    reached = {row[1].strip(): (share(row[2]), share(row[4])) for row in rows}
    parts = [path for path in (CONTRACTS / "src/vault").glob("*.sol") if path.name[0] != "I"]
    vault = ["src/LiquidityVault.sol", *(f"src/vault/{path.name}" for path in parts)]
    assert {name: reached.get(name) for name in vault} == dict.fromkeys(vault, (1.0, 1.0))


def share(cell: str) -> float:
    """Of lines or branches, as in "99.12% (113/114)"."""
    there, everything = re.findall(r"\d+", cell.partition("(")[2])
    return int(there) / int(everything) if int(everything) else 1.0
