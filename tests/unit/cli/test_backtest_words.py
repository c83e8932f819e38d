"""A backtest told on a terminal and as JSON."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from backtest_runs import DAY, START, a_curve, a_drift, a_held, a_move, a_result, a_run

from lpmanager.backtest.report.findings import findings_of
from lpmanager.backtest.report.run import Run
from lpmanager.backtest.report.run_json import run_json
from lpmanager.backtest.report.wording import number, percent_gain, times
from lpmanager.cli.backtest_words import moments, tell
from lpmanager.cli.chart import picture


def told(run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "140")
    tell(findings_of(run))
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_account_begins_with_the_result_and_holds_every_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = a_curve([1_000, 990, 980], fees=[0, 5, 10], lvr=[0, 8, 20], price=[1_500, 1_550, 1_600])
    result = a_result(hodl="50", impermanent_loss="-75", fees="10", swap_cost="4", gas="1")
    run = a_run(curve, result=result, drift=a_drift())
    out = told(run, capsys, monkeypatch)
    for line in (
        "-20.0000 USDC (-2.00 %) in 2 d, 70.0000 USDC less than holding the deposit.",
        "In range 100.0 % of the time deployed, never moved while the price moved +6.67 %.",
        "Fees made up for 50.0 % of the 20.0000 USDC lost to arbitrage (LVR).",
        "- The tick map is not in the file: active liquidity is taken as recorded.",
        "- Fast mode was at most 3.0e-11 of the fees and 2.0e-12 of the amounts away",
    ):
        assert line in out
    rows = [" ".join(line.split()) for line in out.splitlines()]
    for row in (
        "+ impermanent loss -75.000000",
        "left over (0 by exact arithmetic) 0.000000",
        "Sharpe ratio, a year unknown: needs 20 whole days, and the window has 2",
        "HODL 1,000.00 0 % 0.00 % -20.0000",
        "2022-07-19 00:00 1,500.00 1,410.98 to 1,590.87 0.5 0.25 1,000.00 centre the range on the "
        "price",
        "nothing to do 46",
    ):
        assert row in rows


def test_every_note_is_a_sentence_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = told(a_run(notes=("gas is estimated", "Two minutes are missing.")), capsys, monkeypatch)
    assert out.endswith("- Gas is estimated.\n- Two minutes are missing.\n")


def test_of_many_moves_the_first_and_the_last_are_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = tuple(a_move(f"[{n}, {n + 10})", day=n / 50, reason=f"move {n}.") for n in range(100))
    out = told(a_run(moves=moves), capsys, monkeypatch)
    assert "100 moves, in USDC (--json and --html have them all)" in out
    assert "... 76 more" in out
    shown = [n for n in range(100) if f"move {n}." in out]
    assert shown == [*range(12), *range(88, 100)]


def test_a_run_without_any_move_has_no_table_of_moves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = a_curve([1_000.0, 1_000.0], in_range=[math.nan] * 2, untouched=[math.nan] * 2)
    out = told(a_run(curve, held=(), moves=(), notes=()), capsys, monkeypatch)
    assert "0 moves" not in out
    assert "and no liquidity was ever placed." in out
    assert "unknown: no liquidity was ever placed" in out


def test_the_picture_has_the_ranges_of_each_moment_and_the_moves_where_they_were() -> None:
    held = (a_held("[0, 600)", closed=START + DAY), a_held("[600, 1200)", opened=START + DAY))
    moves = (
        a_move("[0, 600)"),
        a_move("[600, 1200)", day=1),
        a_move("[600, 1200)", day=1.5, price=1_510.0),
    )
    looks = moments(a_run(held=held, moves=moves), 100)
    assert [look.mark for look in looks] == ["", "M", "", "M", "S", ""]
    assert [len(look.bands) for look in looks] == [1] * 6
    (first,), (last,) = looks[0].bands, looks[-1].bands
    assert first[0] > last[1] - 1e-3, "higher ticks are lower prices where USDC is token0"
    assert looks[4].price == 1_510.0


def test_a_picture_of_weeks_names_days() -> None:
    text = picture(moments(a_run(a_curve([1.0] * 20)), 100), width=60, height=5).plain
    assert "19 Jul" in text.splitlines()[-1]
    assert ":" not in text.splitlines()[-1]


def test_json_has_everything_exactly_and_null_for_what_is_not_known() -> None:
    curve = a_curve([1_000, 990], untouched=[math.nan, 995], lvr=[0, 0])
    result = {**a_result(fees="12.345678"), "gas": Decimal("1E-7")}
    run = a_run(curve, result=result, drift=a_drift())
    shown = json.loads(json.dumps(run_json(findings_of(run)), allow_nan=False))
    assert shown["fees"] == "12.345678"
    assert shown["gas"] == "0.0000001"
    assert shown["identity_error"] == "0"
    assert shown["statistics"]["fees_per_lvr"] is None
    assert shown["unknown"]["fees_per_lvr"] == "nothing was lost to arbitrage"
    assert shown["statistics"]["drawdown"]["share"] == pytest.approx(0.01)
    assert shown["curve"]["untouched"] == [None, 995]
    assert shown["curve"]["time"] == [START, START + DAY]
    assert shown["against"]["hodl"]["run_ahead"] == -10
    assert shown["moves"][0]["ranges"] == [[202600, 203800]]
    assert shown["held"][0]["liquidity"] == "1000000000000000"
    assert shown["drift"] == {"rows": 10_000, "fees": 3e-11, "amounts": 2e-12}
    assert shown["holds"] == {"nothing to do": 46, "payback": 1}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1_234_567.891, "1,234,567.89"),
        (12.3, "12.3000"),
        (0.5, "0.5"),
        (-0.0001234, "-0.0001234"),
        (1e-12, "1.0e-12"),
    ],
)
def test_a_number_has_the_digits_a_person_needs(value: float, text: str) -> None:
    assert number(value) == text


def test_counts_and_gains_are_told_in_words() -> None:
    assert [times(n) for n in (0, 1, 2, 1_000)] == ["never", "once", "twice", "1,000 times"]
    assert (percent_gain(0.123), percent_gain(-0.0123)) == ("+12.3 %", "-1.23 %")
