"""The table of faults adds up what the tests of a row measured."""

from __future__ import annotations

from dataclasses import dataclass, field

from faults.table import FIGURES, ROW, ROWS, rows_of, table_of


@dataclass
class Report:
    """As pytest makes one of a phase of a test."""

    row: str
    duration: float = 1.0
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def user_properties(self) -> list[tuple[str, object]]:
        return [(ROW, self.row), (FIGURES, self.figures)]


def test_figures_are_added_up_and_of_the_most_the_largest_is_told() -> None:
    reports = [
        ("passed", Report(ROWS[2], 1.5, {"bumps": 2, "most growth": 3})),
        ("passed", Report(ROWS[2], 2.0, {"bumps": 1, "most growth": 2, "runs": 20})),
    ]
    row = rows_of(reports)[ROWS[2]]
    assert (row.runs, row.seconds) == (21, 3.5)
    assert row.result == "0 failed, 3 bumps, most growth 3"


def test_what_failed_is_told_also_where_it_failed_before_it_began() -> None:
    reports = [
        ("failed", Report(ROWS[0])),
        ("error", Report(ROWS[0])),
        ("xfailed", Report(ROWS[0])),
        ("skipped", Report(ROWS[0])),
    ]
    assert rows_of(reports)[ROWS[0]].result == "2 failed, 1 known to fail, 1 skipped"


def test_setup_and_teardown_that_go_well_are_no_runs() -> None:
    assert rows_of([("", Report(ROWS[0])), ("passed", Report(ROWS[0]))])[ROWS[0]].runs == 1


def test_rows_are_told_in_the_order_of_the_faults() -> None:
    rows = rows_of([("passed", Report(ROWS[7], 1_200.4)), ("passed", Report(ROWS[1]))])
    assert table_of(rows) == [
        "| fault | runs | result | seconds |",
        "|---|---|---|---|",
        f"| {ROWS[1]} | 1 | 0 failed | 1 |",
        f"| {ROWS[7]} | 1 | 0 failed | 1,200 |",
    ]
