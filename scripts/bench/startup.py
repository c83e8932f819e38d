"""How long `lpm` takes to start and to read a configuration. Run: make bench"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 10
GOAL_HELP_S = 0.4
COMMANDS = {
    "lpm --help": ["--help"],
    "lpm config schema": ["config", "schema"],
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
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            median = statistics.median(seconds(arguments, folder) for _ in range(ROUNDS))
            goal = f", goal {GOAL_HELP_S} s" if name == "lpm --help" else ""
            sys.stdout.write(f"{name:20} {median:.3f} s, median of {ROUNDS}{goal}\n")


main()
