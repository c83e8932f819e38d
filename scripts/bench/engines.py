"""How fast the engines are beside their peers', and whether all end where the contract does.

Run: make bench. The peers are installed into scripts/bench/.peers the first time; one that cannot
be had is named and left out. Ends with 1 where an engine of ours is not exact.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from side_by_side.contestants import contestants
from side_by_side.figures import compilation, pool_bytes, shape, start_up
from side_by_side.race import race
from side_by_side.report import Found, as_json, as_text, fee_growth_differs, mismatches
from side_by_side.workload import generate, save

RESULTS = Path(__file__).parent / "results"
ROUNDS = 11
OURS = {"compiled", "compiled_read", "python"}


def main() -> int:
    everyone = contestants()
    with tempfile.TemporaryDirectory() as folder:
        workload = Path(folder) / "workload.json"
        save(generate(), workload)
        raced = race(everyone, workload, ROUNDS)
    found = Found(
        labels={contestant.key: contestant.label for contestant in everyone},
        shape=shape(),
        race=raced,
        start_up=start_up(),
        pool_bytes=pool_bytes(),
        compilation=compilation() if "compiled" in raced.ran else None,
    )
    for key, reason in raced.absent.items():
        sys.stderr.write(f"{found.labels[key]} could not be had: {reason}\n")
    text = as_text(found)
    sys.stdout.write(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "engines.txt").write_text(text)
    (RESULTS / "engines.json").write_text(json.dumps(as_json(found), indent=2) + "\n")
    wrong = {key for key, count in mismatches(raced).items() if count}
    return 1 if OURS & (wrong | set(fee_growth_differs(raced))) else 0


if __name__ == "__main__":
    sys.exit(main())
