"""The vault against the published bytecode of Uniswap v3, by forge, with the quick figures.

`make contracts-test` runs the full ones.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: contracts/test has more; fewer means that forge did not see them.
LEAST_TESTS = 90


def test_the_vault_passes_its_own_tests() -> None:
    forge = "node_modules/@foundry-rs/forge/bin.mjs"
    run = subprocess.run(
        [ROOT / "scripts/with_node", "node", forge, "test", "--offline"],
        cwd=ROOT / "contracts",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"forge test failed:\n{run.stdout[-6_000:]}{run.stderr[-2_000:]}"
    counted = re.search(r"(\d+) tests passed, 0 failed, 0 skipped", run.stdout)
    assert counted, f"forge test said nothing of its tests:\n{run.stdout[-2_000:]}"
    assert int(counted[1]) >= LEAST_TESTS
