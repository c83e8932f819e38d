"""Files of minutes are read exactly, mended where that can be said, or refused by the cell."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from market_builders import (
    MIDNIGHT,
    TICK,
    a_minute,
    a_quiet_minute,
    an_unknown_minute,
    minute_file,
    same_columns,
)

from lpmanager.amm.fast.packing import from_limbs
from lpmanager.backtest.markets import minutes
from lpmanager.backtest.markets.market import Bars
from lpmanager.backtest.markets.minutes import MINUTE_COLUMNS, read_minutes
from lpmanager.errors import MarketDataError


def bars_of(folder: Path, *rows: dict[str, str]) -> Bars:
    bars, _ = read_minutes([minute_file(folder, *rows)])
    return bars


def notes_on(folder: Path, *rows: dict[str, str]) -> tuple[str, ...]:
    _, notes = read_minutes([minute_file(folder, *rows)])
    return notes


def refusal_of(path: Path) -> str:
    with pytest.raises(MarketDataError) as raised:
        read_minutes([path])
    return str(raised.value)


def above_the_close() -> dict[str, int]:
    """Ticks of a minute that traded above the close that it repeats."""
    return {"openTick": TICK + 4, "lowestTick": TICK + 3, "highestTick": TICK + 9}


def test_a_minute_is_read_to_the_last_digit(tmp_path: Path) -> None:
    volume, liquidity = 2**127 + 1, 2**128 - 1
    row = a_minute(
        1,
        openTick=5,
        lowestTick=-3,
        highestTick=8,
        closeTick=7,
        inAmount0=volume,
        inAmount1=2**53 + 1,
        currentLiquidity=liquidity,
    )
    bars = bars_of(tmp_path, row)
    assert bars.time.tolist() == [MIDNIGHT + 60]
    ticks = [column.tolist() for column in (bars.open, bars.low, bars.high, bars.close)]
    assert ticks == [[5], [-3], [8], [7]]
    assert (from_limbs(bars.in0), from_limbs(bars.in1)) == ([volume], [2**53 + 1])
    assert (from_limbs(bars.liquidity), bars.step_s) == ([liquidity], 60)


def test_ticks_may_carry_a_decimal_point_and_zeros(tmp_path: Path) -> None:
    bars = bars_of(tmp_path, a_minute(closeTick=f"{TICK}.0", openTick=f"{TICK}.00"))
    assert bars.close.tolist() == bars.open.tolist() == [TICK]


def test_a_time_may_say_that_it_is_utc(tmp_path: Path) -> None:
    row = a_minute(1)
    said = row | {"timestamp": row["timestamp"] + "+00:00"}
    assert same_columns(bars_of(tmp_path, said), bars_of(tmp_path, row))


def test_columns_come_in_any_order_and_others_are_left_aside(tmp_path: Path) -> None:
    columns = (*reversed(MINUTE_COLUMNS), "note")
    path = minute_file(tmp_path, a_minute(note="x"), columns=columns)
    bars, _ = read_minutes([path])
    assert same_columns(bars, bars_of(tmp_path, a_minute()))


def test_a_gzipped_file_reads_like_a_plain_one_and_in_chunks_like_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [a_minute(0), an_unknown_minute(1), a_quiet_minute(2), a_minute(3), a_quiet_minute(4)]
    plain = minute_file(tmp_path, *rows)
    packed = tmp_path / "minutes.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    at_once, _ = read_minutes([plain])
    monkeypatch.setattr(minutes, "_ROWS_AT_ONCE", 1)
    assert same_columns(at_once, read_minutes([packed])[0])


def test_several_files_are_one_market(tmp_path: Path) -> None:
    first = minute_file(tmp_path, a_minute(0), name="1.csv")
    second = minute_file(tmp_path, an_unknown_minute(1), a_minute(2), name="2.csv")
    bars, _ = read_minutes([first, second])
    assert bars.time.tolist() == [MIDNIGHT, MIDNIGHT + 60, MIDNIGHT + 120]
    with pytest.raises(
        MarketDataError, match=r"1\.csv: line 2: timestamp: expected a minute after"
    ):
        read_minutes([second, first])


def test_a_minute_that_says_nothing_carries_its_price_on(tmp_path: Path) -> None:
    moved = a_minute(0, closeTick=TICK + 3, highestTick=TICK + 3, currentLiquidity=42)
    bars = bars_of(tmp_path, moved, an_unknown_minute(1), a_minute(2))
    for column in (bars.open, bars.low, bars.high, bars.close):
        assert column[1] == TICK + 3
    assert from_limbs(bars.in0)[1] == from_limbs(bars.in1)[1] == 0
    assert from_limbs(bars.liquidity)[1] == 42


def test_the_price_carried_on_is_the_last_one(tmp_path: Path) -> None:
    moved = a_minute(2, closeTick=TICK - 2, lowestTick=TICK - 2, currentLiquidity=43)
    bars = bars_of(tmp_path, a_minute(0), an_unknown_minute(1), moved, an_unknown_minute(3))
    assert bars.close.tolist() == [TICK, TICK, TICK - 2, TICK - 2]
    assert from_limbs(bars.liquidity) == [10**19, 10**19, 43, 43]


def test_minutes_before_the_first_price_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = an_unknown_minute(0), an_unknown_minute(1), a_minute(2)
    assert bars_of(tmp_path, *rows).time.tolist() == [MIDNIGHT + 120]
    assert notes_on(tmp_path, *rows) == ("2 minutes before the first known price left out.",)


def test_missing_minutes_are_counted_and_the_longest_gap_named(tmp_path: Path) -> None:
    notes = notes_on(tmp_path, a_minute(0), a_minute(2), a_minute(6), a_minute(7))
    assert notes == (
        "Minutes missing: 4 in 2 place(s), at most 3 in a row, after 2024-01-05 00:02:00 UTC; "
        "the price is carried over them.",
    )
    assert notes_on(tmp_path, a_minute(0), a_minute(1)) == ()


def test_a_repeated_close_outside_low_and_high_is_mended_and_told(tmp_path: Path) -> None:
    # As older files of demeter-fetch have it where a minute ends with a mint: the close, and the
    # closes of quiet minutes behind it, are those of the minute before.
    rows = (
        a_minute(0),
        a_minute(1, **above_the_close()),
        a_quiet_minute(2),
        a_quiet_minute(3),
        a_minute(4, openTick=TICK - 1, lowestTick=TICK - 2, highestTick=TICK - 1),
        a_quiet_minute(5),
    )
    bars = bars_of(tmp_path, *rows)
    closes = [TICK, TICK + 3, TICK + 3, TICK + 3, TICK - 1, TICK - 1]
    assert bars.close.tolist() == closes
    for still in (2, 3, 5):
        assert bars.open[still] == bars.low[still] == bars.high[still] == closes[still]
    (note,) = notes_on(tmp_path, *rows)
    assert note.startswith("2 minutes repeat the close of the minute before")


def test_trades_at_the_repeated_close_are_taken_as_written(tmp_path: Path) -> None:
    bars = bars_of(tmp_path, a_minute(0), a_minute(1, **above_the_close()), a_minute(2))
    assert bars.close.tolist() == [TICK, TICK + 3, TICK]
    assert bars.open.tolist() == [TICK, TICK + 4, TICK]


def test_a_quiet_minute_at_another_price_is_taken_as_written(tmp_path: Path) -> None:
    assert bars_of(tmp_path, a_minute(0), a_quiet_minute(1, 7)).close.tolist() == [TICK, 7]


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("timestamp", "05.01.2024", "timestamp: expected a UTC time"),
        ("timestamp", "2024-01-05 00:01:00+02:00", "timestamp: expected a UTC time"),
        ("timestamp", "2024-01-05 24:00:00", "timestamp: expected a UTC time"),
        ("timestamp", "0000-01-05 00:01:00", "timestamp: expected a UTC time"),
        ("timestamp", "2024-01-06", "timestamp: expected a UTC time"),
        ("timestamp", "2024-02-30 00:00:00", "timestamp: expected a UTC time"),
        ("timestamp", "2024-01-05 00:01:30", "timestamp: expected a whole minute"),
        ("timestamp", "2024-01-05 00:00:00", "timestamp: expected a minute after 2024-01-05 00:00"),
        ("timestamp", "2024-01-04 23:59:00", "timestamp: expected a minute after 2024-01-05 00:00"),
        ("closeTick", "abc", "closeTick: expected a tick, a whole number, found 'abc'"),
        ("closeTick", "1.5", "closeTick: expected a tick, a whole number, found '1.5'"),
        ("openTick", "", "openTick: expected a tick, a whole number, found nothing"),
        ("highestTick", "900000", "highestTick: expected a tick in [-887272, 887272]"),
        ("highestTick", "9" * 400, "highestTick: expected a tick in"),
        ("lowestTick", TICK + 1, f"lowestTick: expected at most the highestTick {TICK}"),
        ("openTick", TICK - 1, f"openTick: expected a tick in [{TICK}, {TICK}]"),
        ("closeTick", TICK + 5, f"closeTick: expected a tick in [{TICK}, {TICK}]"),
        ("closeTick", "", "closeTick: expected a tick, beside a netAmount0 of -5, found nothing"),
        ("inAmount0", "1.9e18", "inAmount0: expected a whole number without a decimal point"),
        ("inAmount0", "10.0", "inAmount0: expected a whole number without a decimal point"),
        ("inAmount0", "9" * 5000, "inAmount0: expected a whole number"),
        ("inAmount0", "1-2", "inAmount0: expected a whole number"),
        ("inAmount1", "-1", "inAmount1: expected a number in [0, "),
        ("inAmount1", "6", "inAmount1: expected at least netAmount1 7, found '6'"),
        ("netAmount1", "", "netAmount1: expected a whole number"),
        ("currentLiquidity", "-1", "currentLiquidity: expected a number in [0, "),
        ("currentLiquidity", str(2**128), "currentLiquidity: expected a number in [0, "),
    ],
)
def test_a_broken_cell_is_named_by_line_and_column(
    tmp_path: Path, column: str, value: object, complaint: str
) -> None:
    path = minute_file(tmp_path, a_minute(0), a_minute(1, **{column: value}))
    assert refusal_of(path).startswith(f"minutes.csv: line 3: {complaint}")


def test_a_broken_line_is_named_behind_blank_lines_and_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minutes, "_ROWS_AT_ONCE", 2)
    path = minute_file(tmp_path, *(a_minute(row) for row in range(5)), a_minute(4))
    path.write_text(path.read_text().replace("\n", "\n\n", 1))
    assert refusal_of(path).startswith("minutes.csv: line 8: timestamp: expected a minute after")


def test_a_cell_with_a_line_break_is_refused(tmp_path: Path) -> None:
    columns = (*MINUTE_COLUMNS, "note")
    path = minute_file(tmp_path, a_minute(note='"a\nb"'), columns=columns)
    assert "minutes.csv: at line 2 or below: a cell holds a line break" in refusal_of(path)


@pytest.mark.parametrize("column", MINUTE_COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    columns = tuple(name for name in MINUTE_COLUMNS if name != column)
    path = minute_file(tmp_path, a_minute(), columns=columns)
    assert f"minutes.csv: line 1: column {column} is missing" in refusal_of(path)


def test_a_column_that_comes_twice_is_named(tmp_path: Path) -> None:
    path = minute_file(tmp_path, a_minute(), columns=(*MINUTE_COLUMNS, "openTick"))
    assert "line 1: column openTick comes twice" in refusal_of(path)


def test_a_row_of_another_length_is_refused(tmp_path: Path) -> None:
    path = minute_file(tmp_path, a_minute(0))
    row = path.read_text().strip()
    for other in (row + ",9", row.rpartition(",")[0]):
        path.write_text(other + "\n")
        assert "minutes.csv: line 2: the row has another number of cells" in refusal_of(path)


def test_a_file_without_minutes_is_refused(tmp_path: Path) -> None:
    assert "minutes.csv: holds no minutes" in refusal_of(minute_file(tmp_path))
    assert "minutes.csv: holds no minutes" in refusal_of(
        minute_file(tmp_path, an_unknown_minute(0))
    )


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(minute_file(tmp_path, *(a_minute(row) for row in range(9))).read_bytes())
    cut = tmp_path / "minutes.csv.gz"
    cut.write_bytes(packed[: len(packed) // 2])
    assert "minutes.csv.gz: cannot be read as a market file" in refusal_of(cut)
