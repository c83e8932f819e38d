"""How fast a recorded market is replayed on anvil, a manager among it. Run: make bench

Needs the folder of recorded markets: LPM_DATA, or ../shared/data from the project's root.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOAL = 100


def main() -> None:
    folder = Path(os.environ.get("LPM_DATA", ROOT.parent / "shared" / "data"))
    files = sorted(folder.glob("*-events-*.csv.gz"))
    if not files:
        sys.stdout.write(f"replay: no recorded events in {folder}\n")
    for path in files:
        lpm = Path(sys.executable).parent / "lpm"
        command = [str(lpm), "simulate", "--flow", str(path), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        shown = json.loads(done.stdout)
        sys.stdout.write(
            f"replay: {shown['swaps']} swaps at {float(shown['swaps_per_second']):.0f} swaps/s "
            f"(goal {GOAL}), {shown['cycles']} cycles, identity error {shown['identity_error']}\n"
        )


main()
