"""How long `lpm` takes to start and to read a configuration. Run: make bench"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 10
#: Their arguments, and the goal in seconds of those that have one.
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    "lpm --help": (["--help"], 0.4),
    "lpm config schema": (["config", "schema"], None),
}


def seconds(arguments: list[str], folder: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [Path(sys.executable).parent / "lpm", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


def main() -> None:
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (arguments, goal_s) in COMMANDS.items():
            median = statistics.median(seconds(arguments, folder) for _ in range(ROUNDS))
            goal = "" if goal_s is None else f", goal {goal_s} s"
            sys.stdout.write(f"{name:20} {median:.3f} s, median of {ROUNDS}{goal}\n")
            if goal_s is not None and median >= goal_s:
                missed.append(name)
    if missed:
        sys.exit(f"startup: slower than its goal: {', '.join(missed)}")


main()
