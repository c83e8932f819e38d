"""What the engines cost besides time per swap: memory, start-up and compilation."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import tracemalloc
from typing import NamedTuple

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.amm.pool import Pool
from side_by_side.ours import pool_of
from side_by_side.race import BENCH
from side_by_side.workload import FEE_PIPS, SQRT_PRICE_X96, TICK_SPACING, generate

_IMPORTS = 15
_TICKS = 2_000
_IMPORT = """
import sys, time
began = time.perf_counter()
import lpmanager.amm
print(time.perf_counter() - began, *({"numba", "numpy"} & sys.modules.keys()))
"""
_FIRST_CALL = """
import time
from side_by_side.ours import pool_of
from side_by_side.workload import generate
pool = pool_of(generate())
began = time.perf_counter()
from lpmanager.amm.fast import swap_many
imported = time.perf_counter()
swap_many(pool, [True], [10**18])
print(imported - began, time.perf_counter() - imported)
"""


class Shape(NamedTuple):
    """What the workload is, as the engines see it."""

    positions: int
    swaps: int
    steps_per_swap: float
    liquidity_changes: int


class StartUp(NamedTuple):
    """Seconds that `import lpmanager.amm` takes in a new interpreter.

    The best is the import's own; whatever else the machine does can only add to it.
    """

    best_seconds: float
    median_seconds: float


class Compilation(NamedTuple):
    """Seconds: importing the compiled engine, its first call ever, and that once it is cached."""

    import_seconds: float
    cold_seconds: float
    warm_seconds: float


def shape() -> Shape:
    """Measured by carrying the workload out."""
    workload = generate()
    pool = pool_of(workload)
    steps = changes = 0
    for order in workload.orders:
        before = pool.liquidity
        steps += len(pool.swap(*order).steps)
        changes += pool.liquidity != before
    swaps = len(workload.orders)
    return Shape(len(workload.positions), swaps, steps / swaps, changes)


def pool_bytes() -> int:
    """The memory of a whole pool with 2,000 initialized ticks, each crossed and with fee growth."""
    gc.collect()
    tracemalloc.start()
    pool = Pool(FEE_PIPS, TICK_SPACING)
    pool.initialize(SQRT_PRICE_X96)
    for place in range(_TICKS // 2):
        lower = (place - _TICKS // 4) * TICK_SPACING
        pool.mint("owner", lower - 1_000 * TICK_SPACING, lower, 10**21 + place)
    for zero_for_one, limit in ((True, MIN_SQRT_PRICE + 1), (False, MAX_SQRT_PRICE - 1)):
        pool.swap(zero_for_one, 2**200, limit)
    assert len(pool.ticks) == _TICKS
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken


def start_up() -> StartUp:
    """Raises RuntimeError where the import draws in numba or numpy."""
    times = []
    for _ in range(_IMPORTS):
        seconds, *compilers = _said([sys.executable, "-c", _IMPORT])
        if compilers:
            raise RuntimeError(f"lpmanager.amm imports {' and '.join(sorted(compilers))}")
        times.append(float(seconds))
    return StartUp(min(times), statistics.median(times))


def compilation() -> Compilation:
    """With a compiler's cache of its own, empty at first."""
    with tempfile.TemporaryDirectory() as cache:
        cold, warm = (
            _said([sys.executable, "-c", _FIRST_CALL], NUMBA_CACHE_DIR=cache) for _ in range(2)
        )
    return Compilation(float(warm[0]), float(cold[1]), float(warm[1]))


def _said(command: list[str], **environment: str) -> list[str]:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(BENCH)} | environment,
    )
    return done.stdout.split()
