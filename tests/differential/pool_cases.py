"""A sequence of steps as a file: what is kept of a failure, and of what is known to be hard.

    {"why": "...", "fee_pips": 3000, "timestamp": 0, "steps": [{"do": "Initialize", ...}, ...]}

A step may say how it ends: "reverts" is the code of both pools, null where neither reverts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amm_contracts import Contracts
from pool_operations import Step, from_json, to_json
from pool_outcomes import Mismatch
from pool_twins import Twins

REGRESSIONS = Path(__file__).parent / "regressions"


@dataclass(frozen=True)
class Case:
    """Steps on a fresh pool. `endings` are the codes that some of them say, by their number."""

    why: str
    fee_pips: int
    timestamp: int
    steps: tuple[Step, ...]
    endings: dict[int, str | None]

    def replay(self, contracts: Contracts) -> Twins:
        """Take every step on both pools. Raises Mismatch, also where a step ends otherwise."""
        twins = Twins(contracts, self.fee_pips, self.timestamp)
        for number, step in enumerate(self.steps):
            ended = twins.do(step).reverts
            if self.endings.get(number, ended) != ended:
                raise Mismatch(
                    f"step {number}, {step}: expected {self.endings[number]!r}, found {ended!r}"
                )
        twins.require_equal()
        return twins


def read_case(path: Path) -> Case:
    """The case in a file."""
    content = json.loads(path.read_text())
    rows = content["steps"]
    return Case(
        why=content["why"],
        fee_pips=content["fee_pips"],
        timestamp=content["timestamp"],
        steps=tuple(from_json(row) for row in rows),
        endings={n: row["reverts"] for n, row in enumerate(rows) if "reverts" in row},
    )


def case_text(why: str, fee_pips: int, timestamp: int, steps: Sequence[Step]) -> str:
    """The content of a file; one step on a line."""
    head = {"why": why, "fee_pips": fee_pips, "timestamp": timestamp}
    lines = ",\n".join("  " + json.dumps(to_json(step)) for step in steps)
    return json.dumps(head)[:-1] + f', "steps": [\n{lines}\n]}}\n'
