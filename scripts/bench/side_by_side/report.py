"""What a run of the engines found, as a table for people and as JSON."""

from __future__ import annotations

import platform
import statistics
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from side_by_side.figures import Compilation, Shape, StartUp
from side_by_side.race import Race, Ran
from side_by_side.workload import TRUTH

#: What our engines are called beside their goals. Peers hand out integers, so the compiled engine
#: is compared with every result read as one too.
_OURS = {
    "python": "Python",
    "compiled": "compiled",
    "compiled_read": "compiled, results as ints",
}
_PEERS = ("degenbot", "degenbot_inner", "v3_sdk", "v3_sdk_inner")
#: (engine, peers, at least this many times as fast)
_RATIOS = (
    ("python", _PEERS[:2], 1.2),
    ("compiled", _PEERS, 15),
    ("compiled_read", _PEERS, 15),
)
_COMPILED_GOAL = 500_000
_IMPORT_GOAL_MS = 50
_MEMORY_GOAL_MB = 2


class Found(NamedTuple):
    """One run. `labels` name every engine that was to take part, by key."""

    labels: Mapping[str, str]
    shape: Shape
    race: Race
    start_up: StartUp
    pool_bytes: int
    compilation: Compilation | None


class Goal(NamedTuple):
    """A figure and what it is measured against; `at_least` or else below."""

    name: str
    figure: float
    goal: float
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether the figure is good enough."""
        return self.figure >= self.goal if self.at_least else self.figure < self.goal

    def __str__(self) -> str:
        sign = "at least" if self.at_least else "below"
        verdict = "met" if self.met else "MISSED"
        return f"{self.name:56} {self.figure:>12,.2f}   {sign} {self.goal:,g}: {verdict}"


def mismatches(race: Race) -> dict[str, int]:
    """For each engine, the swaps after which it is not where the contract is.

    Every swap counts for an engine whose rounds do not all end the same. Raises RuntimeError where
    no engine ends where the contract does: then the workload is another than it was.
    """
    true_rows = next((ran.rows for ran in race.ran.values() if ran.digests == {TRUTH}), None)
    if true_rows is None:
        raise RuntimeError(
            f"no engine ends at the digest {TRUTH} of the contract's rows; where the workload was "
            "changed, note the real pool's new digest in workload.py"
        )
    return {
        key: sum(a != b for a, b in zip(ran.rows, true_rows, strict=True))
        if len(ran.digests) == 1
        else len(true_rows)
        for key, ran in race.ran.items()
    }


def fee_growth_differs(race: Race) -> list[str]:
    """The engines whose global fee growth in the end is not the contract's."""
    real = race.ran.get("real_pool")
    if real is None:
        return []
    kept = {key: ran.fee_growth for key, ran in race.ran.items() if ran.fee_growth is not None}
    return [key for key, growth in kept.items() if growth != real.fee_growth]


def goals(found: Found) -> tuple[Goal, ...]:
    """Every goal that this run has a figure for."""
    return tuple(_goals(found))


def as_json(found: Found) -> dict[str, Any]:
    """Everything but the reasons of absence, which tell of a machine's folders and servers."""
    wrong = mismatches(found.race)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _cpu(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("numba", "numpy", "pyrevm")},
        "workload": found.shape._asdict() | {"digest": TRUTH},
        "engines": {
            key: {
                "label": found.labels[key],
                "swaps_per_second": {
                    "median": round(_speed(found, statistics.median(ran.seconds))),
                    "best": round(_speed(found, min(ran.seconds))),
                },
                "mismatches": wrong[key],
            }
            for key, ran in found.race.ran.items()
        },
        "absent": sorted(found.race.absent),
        "fee_growth_differs": fee_growth_differs(found.race),
        "goals": [goal._asdict() | {"met": goal.met} for goal in goals(found)],
        "start_up": found.start_up._asdict(),
        "compilation": found.compilation and found.compilation._asdict(),
    }


def as_text(found: Found) -> str:
    """The same for people."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Found) -> Iterator[str]:
    shape, wrong, race = found.shape, mismatches(found.race), found.race
    rounds = len(next(iter(race.ran.values())).seconds)
    yield (
        f"engines: {shape.swaps:,} swaps against {shape.positions} positions, "
        f"{shape.steps_per_swap:.2f} steps per swap, {shape.liquidity_changes} end at another "
        f"active liquidity; {rounds} rounds, every engine in turn"
    )
    yield (
        f"{datetime.now(UTC).date()}, {_cpu()}, Python {platform.python_version()}, "
        f"numba {_version('numba')}"
    )
    yield ""
    yield f"{'swaps per second':32} {'median':>10} {'best':>10}   not as the contract"
    for key, label in found.labels.items():
        if key in race.absent:
            yield f"{label:32} could not be had"
            continue
        ran = race.ran[key]
        middle, best = statistics.median(ran.seconds), min(ran.seconds)
        yield (
            f"{label:32} {_speed(found, middle):10,.0f} {_speed(found, best):10,.0f}   "
            f"{wrong[key]} of {shape.swaps:,}"
        )
    for key in fee_growth_differs(race):
        yield f"{found.labels[key]}: its fee growth is NOT the contract's"
    yield ""
    yield from map(str, goals(found))
    yield f"import lpmanager.amm: median {found.start_up.median_seconds * 1e3:.0f} ms"
    if found.compilation is not None:
        compilation = found.compilation
        yield (
            f"compiled engine: import {compilation.import_seconds:.2f} s, first call "
            f"{compilation.cold_seconds:.1f} s, {compilation.warm_seconds:.2f} s once cached"
        )


def _goals(found: Found) -> Iterator[Goal]:
    ran = found.race.ran
    for key in ("compiled", "compiled_read"):
        if key in ran:
            speed = _speed(found, statistics.median(ran[key].seconds))
            yield Goal(f"{_OURS[key]}: swaps per second", speed, _COMPILED_GOAL, True)
    for key, peers, goal in _RATIOS:
        for peer in peers:
            if key in ran and peer in ran:
                name = f"{_OURS[key]} / {found.labels[peer]}"
                yield Goal(name, _times_as_fast(ran[key], ran[peer]), goal, True)
    milliseconds, megabytes = found.start_up.best_seconds * 1e3, found.pool_bytes / 1e6
    yield Goal("import lpmanager.amm, ms", milliseconds, _IMPORT_GOAL_MS, False)
    yield Goal("a pool with 2,000 initialized ticks, MB", megabytes, _MEMORY_GOAL_MB, False)


def _times_as_fast(ours: Ran, peer: Ran) -> float:
    """The median over rounds, each of which has both at nearly the same time."""
    return statistics.median(b / a for a, b in zip(ours.seconds, peer.seconds, strict=True))


def _speed(found: Found, seconds: float) -> float:
    return found.shape.swaps / seconds


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
