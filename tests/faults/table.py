"""The table of faults with what was measured: `make faults` prints it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

OF_SECRETS = "secrets in everything the suite wrote"

#: The faults, in the order they are told in.
ROWS = (
    "kill -9 at a point of journal, sign, send, confirm, book",
    "RPCs that lie, stall, disagree or serve another chain",
    "reorganisations, depth 1 to 12: dropped, re-mined or replaced",
    "base fee x 100",
    "a second process at a random moment",
    "a journal row flipped; the database deleted",
    "disk full, read-only folder",
    "halt flag",
    OF_SECRETS,
    "soak: simulated days with random faults",
)

#: What a test's report carries for the table, besides its outcome and its time: its row, what it
#: measured, how often what must have happened in all its runs together, and how many these are.
ROW, FIGURES, LEAST, RUNS = "fault row", "fault figures", "fault least", "fault runs"

#: What pytest files a report under, and what that is here. What an ordinary setup or teardown is
#: filed under is not among them.
_OUTCOMES = {
    "passed": "passed",
    "failed": "failed",
    "error": "failed",
    "skipped": "skipped",
    "xfailed": "xfailed",
}

#: Of these the largest is told; all others are added up.
_LARGEST = "most "


@dataclass
class Row:
    """What became of the tests of one fault. A test is a run, unless its figures say how many."""

    runs: int = 0
    failed: int = 0
    expected_to_fail: int = 0
    skipped: int = 0
    seconds: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)

    def add(self, outcome: str, seconds: float, figures: Mapping[str, float]) -> None:
        self.seconds += seconds
        self.runs += int(figures.get("runs", 1))
        self.failed += outcome == "failed"
        self.expected_to_fail += outcome == "xfailed"
        self.skipped += outcome == "skipped"
        for name, value in figures.items():
            before = self.figures.get(name, 0)
            largest = name.startswith(_LARGEST)
            self.figures[name] = max(before, value) if largest else before + value

    @property
    def result(self) -> str:
        told = [f"{self.failed} failed"]
        if self.expected_to_fail:
            told.append(f"{self.expected_to_fail} known to fail")
        if self.skipped:
            told.append(f"{self.skipped} skipped")
        told += [_told(name, value) for name, value in self.figures.items() if name != "runs"]
        return ", ".join(told)


def _told(name: str, value: float) -> str:
    return f"{name} {value:g}" if name.startswith(_LARGEST) else f"{value:g} {name}"


def reports_of(stats: Mapping[str, Iterable[Any]]) -> list[tuple[str, Any]]:
    """Each phase's report, and what pytest files it under."""
    filed = [(outcome, report) for outcome, found in stats.items() for report in found]
    return [(outcome, report) for outcome, report in filed if hasattr(report, "user_properties")]


def rows_of(reports: Iterable[tuple[str, Any]]) -> dict[str, Row]:
    """The rows that have tests, of each phase's report and what pytest files it under.

    The call of a test counts; its setup and its teardown do where they failed or skipped it.
    """
    found: dict[str, Row] = {}
    for outcome, report in reports:
        properties = dict(report.user_properties)
        if ROW in properties and outcome in _OUTCOMES:
            row = found.setdefault(properties[ROW], Row())
            row.add(_OUTCOMES[outcome], report.duration, properties.get(FIGURES, {}))
    return {name: found[name] for name in ROWS if name in found}


def too_rare(reports: Iterable[tuple[str, Any]]) -> list[str]:
    """What should have happened more often, of tests of which all runs are there: a figure, or all
    whose names end so, is at least that share of the runs. Else what no run met would pass."""
    told, runs = dict[str, dict[str, Any]](), defaultdict[str, list[dict[str, float]]](list)
    for outcome, report in reports:
        properties = dict(report.user_properties)
        if LEAST in properties and _OUTCOMES.get(outcome) == "passed":
            test = report.nodeid.partition("[")[0]
            told[test] = properties
            runs[test].append(properties[FIGURES])
    lines = []
    for test, properties in told.items():
        if len(runs[test]) < properties[RUNS]:
            continue
        for name, share in properties[LEAST].items():
            least = max(1, int(share * properties[RUNS]))
            found = sum(v for run in runs[test] for n, v in run.items() if n.endswith(name))
            if found < least:
                lines.append(f"{test}: expected {least} {name} or more, found {found:g}")
    return lines


def table_of(rows: Mapping[str, Row]) -> list[str]:
    """The lines of the table, as markdown."""
    lines = ["| fault | runs | result | seconds |", "|---|---|---|---|"]
    for name, row in rows.items():
        lines.append(f"| {name} | {row.runs:,} | {row.result} | {row.seconds:,.0f} |")
    return lines
