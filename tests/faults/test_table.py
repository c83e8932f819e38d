"""The table of faults adds up what the tests of a row measured."""

from __future__ import annotations

from dataclasses import dataclass, field

from faults.table import FIGURES, LEAST, ROW, ROWS, RUNS, rows_of, table_of, too_rare


@dataclass
class Report:
    """As pytest makes one of a phase of a test."""

    row: str
    duration: float = 1.0
    figures: dict[str, int] = field(default_factory=dict)
    nodeid: str = "test_gas[0]"
    least: dict[str, float] = field(default_factory=dict)

    @property
    def user_properties(self) -> list[tuple[str, object]]:
        told = [(ROW, self.row), (FIGURES, self.figures)]
        return [*told, (LEAST, self.least), (RUNS, 4)] if self.least else told


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


def runs_with(least: dict[str, float], *figures: dict[str, int]) -> list[tuple[str, Report]]:
    return [
        ("passed", Report(ROWS[2], figures=of_one, nodeid=f"test_reorg[{number}]", least=least))
        for number, of_one in enumerate(figures)
    ]


def test_what_the_runs_of_a_test_met_too_rarely_is_told() -> None:
    met = {"dropped before mined": 1}
    least = {"before mined": 0.5}
    assert too_rare(runs_with(least, met, {"re-mined before mined": 1}, {}, {})) == []
    assert too_rare(runs_with(least, met, {}, {}, {"while idle": 1})) == [
        "test_reorg: expected 2 before mined or more, found 1"
    ]
    assert too_rare(runs_with({"cancelled": 0.01}, {}, {}, {}, {})) == [
        "test_reorg: expected 1 cancelled or more, found 0"
    ]


def test_a_part_of_the_runs_of_a_test_need_not_meet_everything() -> None:
    assert too_rare(runs_with({"cancelled": 0.5}, {}, {}, {})) == []
