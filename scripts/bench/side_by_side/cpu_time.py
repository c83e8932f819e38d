"""The CPU time of this process that something takes."""

from __future__ import annotations

import time
from collections.abc import Callable

ROUNDS = 5


def best_cpu_s(run: Callable[[], object]) -> float:
    """Seconds of the best of some runs; one before them is not counted."""
    run()
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        run()
        took.append(time.process_time() - began)
    return min(took)
