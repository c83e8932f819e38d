"""Sweeps: grids, windows, walking forward, going on where it was stopped, and searching."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fast_builders import MINUTE
from sweep_builders import MARKET, PLAN, SEARCH, Stopping, stopping_after, swept

from lpmanager.backtest.fast.strategy import FEES, HODL, LVR, START, VALUE
from lpmanager.backtest.sweep.axes import Axis, axes_from, points_of
from lpmanager.backtest.sweep.judging import Objective, scores, walk_forward
from lpmanager.backtest.sweep.sweeping import Search
from lpmanager.backtest.sweep.windows import Window, windows_of
from lpmanager.backtest.sweep.working import Threads
from lpmanager.errors import MarketDataError, UsageError

# ---- what is tried ----


def test_a_grid_is_every_combination_of_its_values() -> None:
    axes = axes_from(["half_width_ticks=100,200", "recentre_at=0.5:1:0.25"])
    assert axes[1] == Axis(name="recentre_at", values=(Decimal("0.5"), Decimal("0.75"), 1))
    points = points_of(axes)
    assert len(points) == 6
    assert points[1] == {"half_width_ticks": 100, "recentre_at": Decimal("0.75")}


def test_the_end_of_a_range_counts_where_a_step_meets_it() -> None:
    assert axes_from(["a=1:10:4"])[0].values == (1, 5, 9)
    assert axes_from(["a=1:9:4"])[0].values == (1, 5, 9)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["half"], "expected NAME=VALUE,VALUE or NAME=FROM:TO:STEP"),
        (["a="], "expected NAME=VALUE"),
        (["a=1,x"], "'x' is not a number"),
        (["a=1,inf"], "'inf' is not a number"),
        (["a=1:2"], "expected FROM:TO:STEP, found 2 numbers"),
        (["a=1:2:0"], "a STEP above 0"),
        (["a=3:2:1"], "FROM not above TO"),
        (["a=1:100000000:1"], "makes 100,000,000 values"),
        (["a=1:2000:1", "b=1:2000:1"], "makes 4,000,000 strategies"),
        (["a=1", "a=2"], "a is given twice"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        axes_from(texts)


# ---- windows, and walking forward ----


def test_windows_share_the_time_out_and_leave_no_row_behind() -> None:
    found = swept().windows
    assert [(w.first, w.last) for w in found] == [(0, 60), (60, 120), (120, 180), (180, 240)]
    assert all(w.end - w.start == 60 * MINUTE for w in found)


def test_too_many_windows_are_refused() -> None:
    with pytest.raises(UsageError, match="300 windows are too many for 240 rows"):
        swept(replace(PLAN, windows=300))


def test_the_best_of_a_window_is_judged_on_the_next() -> None:
    windows = [Window(first=n, last=n + 1, start=n, end=n + 1) for n in range(3)]
    score = np.array([[1.0, 5.0, 2.0], [3.0, 4.0, 7.0], [2.0, 9.0, 8.0]])
    folds = walk_forward(score, windows, [range(3)] * 3)
    assert [(f.best, f.in_sample, f.out_of_sample, f.best_possible) for f in folds] == [
        (1, 3.0, 4.0, 9.0),
        (2, 9.0, 8.0, 8.0),
    ]
    assert walk_forward(score, windows, [[0, 2], [0, 1]])[0].best == 2


def test_a_strategy_in_a_window_is_that_window_alone() -> None:
    whole, alone = swept(), swept(replace(PLAN, windows=1))
    assert whole.results.shape == (20, 4, 10)
    assert alone.folds == ()
    assert whole.results[3, 0].tobytes() != alone.results[3, 0].tobytes()
    assert whole.results[3, 0, START] == alone.results[3, 0, START]


def test_objectives_are_what_they_are_called() -> None:
    result = np.zeros((2, 10))
    result[0, [VALUE, START, HODL, FEES, LVR]] = 110, 100, 105, 12, 4
    assert scores(result, Objective.AGAINST_HODL).tolist() == [5, 0]
    assert scores(result, Objective.RESULT).tolist() == [10, 0]
    assert scores(result, Objective.FEES_OVER_LVR).tolist() == [3, 0]


# ---- workers ----


def test_any_number_of_threads_gives_the_same_to_the_last_bit() -> None:
    one, four = (swept(workers=Threads(count=count)) for count in (1, 4))
    assert one.results.tobytes() == four.results.tobytes()
    assert one.ranking == four.ranking


def test_a_sweep_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    plan = replace(PLAN, kept=tmp_path / "sweep.npz")
    with pytest.raises(KeyboardInterrupt):
        swept(plan, Stopping(10))
    rest = Stopping(1_000)
    found = swept(plan, rest)
    assert rest.did == 80 // 5 - 10
    assert found.results.tobytes() == swept().results.tobytes()
    nothing = Stopping(0)
    assert swept(plan, nothing).results.tobytes() == found.results.tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.npz"]


def test_what_was_kept_of_another_sweep_is_refused(tmp_path: Path) -> None:
    plan = replace(PLAN, kept=tmp_path / "sweep.npz")
    swept(plan)
    with pytest.raises(UsageError, match="holds the results of another sweep"):
        swept(replace(plan, windows=3))


def test_a_kept_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sweep.npz"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(MarketDataError, match="cannot be read as a kept sweep"):
        swept(replace(PLAN, kept=path))


# ---- searching ----


def test_a_search_is_seeded_and_chooses_only_of_what_it_had_tried() -> None:
    pytest.importorskip("optuna")
    plan = replace(PLAN, windows=3, search=Search(trials=8, seed=3))
    one, same = swept(plan), swept(plan)
    assert one.points == same.points
    assert one.results.tobytes() == same.results.tobytes()
    assert len(one.folds) == 2
    assert all(fold.in_sample <= one.score[:, 0].max() for fold in one.folds[:1])


@pytest.mark.parametrize("stops", [(1,), (6, 23), (27,)])
def test_a_search_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, stops: tuple[int, ...]
) -> None:
    pytest.importorskip("optuna")
    plan = replace(SEARCH, kept=tmp_path / "sweep.npz")
    for runs in stops:
        with pytest.raises(KeyboardInterrupt):
            swept(plan, progress=stopping_after(runs))
    found, whole = swept(plan), swept(SEARCH)
    assert found.points == whole.points
    assert found.results.tobytes() == whole.results.tobytes()
    assert found.folds == whole.folds


def test_a_search_goes_on_to_more_trials_or_back_to_fewer(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    for trials in (9, 14, 5):
        wish = Search(trials=trials, seed=3)
        found = swept(replace(SEARCH, search=wish, kept=tmp_path / "sweep.npz"))
        whole = swept(replace(SEARCH, search=wish))
        assert found.points == whole.points
        assert found.results.tobytes() == whole.results.tobytes()
        assert found.folds == whole.folds


def test_what_was_searched_is_not_run_again(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    plan = replace(SEARCH, kept=tmp_path / "sweep.npz")
    swept(plan)
    swept(plan, Stopping(0))


@pytest.mark.parametrize(
    "other", [{"seed": 4}, {"objective": Objective.RESULT}, {"windows": 4}], ids=str
)
def test_what_another_search_has_kept_is_refused(tmp_path: Path, other: dict[str, Any]) -> None:
    pytest.importorskip("optuna")
    plan = replace(SEARCH, search=Search(trials=1, seed=3), kept=tmp_path / "sweep.npz")
    swept(plan)
    changed = {"search": Search(trials=1, **other)} if "seed" in other else other
    with pytest.raises(UsageError, match="holds the results of another sweep"):
        swept(replace(plan, **changed))


def test_a_search_refuses_what_a_grid_was_kept_in(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    plan = replace(PLAN, kept=tmp_path / "kept")
    swept(plan)
    with pytest.raises(UsageError, match="holds the results of another sweep"):
        swept(replace(plan, search=Search(trials=1, seed=1)))


def test_windows_of_rows_need_no_more_than_the_rows() -> None:
    from lpmanager.backtest.fast.columns import fast_columns

    assert len(windows_of(fast_columns(MARKET), 1)) == 1
