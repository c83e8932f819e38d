"""A market is read whichever format its file has, and judged against the declared pool."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import USDC, WETH, a_pool, a_token
from market_builders import (
    MAINNET_EVENTS,
    MAINNET_MINUTES,
    MIDNIGHT,
    POLYGON_FIVE_DAYS,
    POLYGON_MINUTES,
    TICK,
    a_minute,
    minute_file,
    needs_data,
    same_columns,
)

from lpmanager.amm.fast.packing import from_limbs
from lpmanager.backtest.markets import columns, room
from lpmanager.backtest.markets.bars import in_bars
from lpmanager.backtest.markets.events import EVENT_COLUMNS
from lpmanager.backtest.markets.market import BURN, MINT, Bars, Change, Events, Market
from lpmanager.backtest.markets.reading import read_market
from lpmanager.errors import MarketDataError
from lpmanager.model import PoolKey, TickRange

PRICE = 1662995104975155420368771254341874
HEADER = ",".join(EVENT_COLUMNS)
SWAP = f"100,2024-01-05 00:00:23,SWAP,7,-226,1000,5000,{PRICE},{TICK}.0,,,"
MINT_ROW = f"101,2024-01-05 00:00:35,MINT,3,5,6,5077,{PRICE},{TICK},199040,199050,77"
BURN_ROW = f"101,2024-01-05 00:00:35,BURN,4,-5,-6,5000,{PRICE},{TICK},199040,199050,77"


def read(path: Path, pool: PoolKey | None = None) -> Market:
    return read_market(path, pool or a_pool(), 1)


def events_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "events.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def refusal_of(path: Path, pool: PoolKey | None = None) -> str:
    with pytest.raises(MarketDataError) as raised:
        read(path, pool)
    return str(raised.value)


def test_events_become_columns(tmp_path: Path) -> None:
    market = read(events_file(tmp_path, SWAP, MINT_ROW, BURN_ROW))
    rows = market.rows
    assert isinstance(rows, Events)
    assert (rows.block.tolist(), rows.kind.tolist()) == ([100, 101, 101], [0, MINT, BURN])
    assert rows.time.tolist() == [1_704_412_823, 1_704_412_835, 1_704_412_835]
    assert from_limbs(rows.amount0, signed=True) == [-226, 5, -5]
    assert from_limbs(rows.amount1, signed=True) == [1000, 6, -6]
    assert from_limbs(rows.sqrt_price) == [PRICE] * 3
    assert (from_limbs(rows.liquidity), rows.tick.tolist()) == ([5000, 5077, 5000], [TICK] * 3)
    change = Change(range=TickRange(199_040, 199_050), liquidity=77, owner=None)
    assert rows.changes == {1: change, 2: change}
    assert (market.name, market.chain_id, market.start) == ("events.csv", 1, None)
    assert market.notes == (
        "3 events: 1 SWAP, 1 MINT, 1 BURN.",
        "The pool's ticks before the first event are not in the file: active liquidity after each "
        "event is taken as recorded. The protocol's share of the fee is not recorded: providers "
        "are taken to get all of it.",
    )


def test_events_read_in_chunks_are_those_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = events_file(tmp_path, SWAP, MINT_ROW, BURN_ROW)
    at_once = read(path).rows
    monkeypatch.setattr(columns, "EVENTS_AT_ONCE", 1)
    assert same_columns(read(path).rows, at_once)


def many_events(folder: Path, count: int) -> Path:
    """A swap in each block, 12 seconds apart."""
    begins = datetime(2024, 1, 5, tzinfo=UTC)
    return events_file(
        folder,
        *(
            f"{100 + n},{begins + timedelta(seconds=12 * n):%Y-%m-%d %H:%M:%S},SWAP,7,-226,1000,"
            f"5000,{PRICE},{TICK}.0,,,"
            for n in range(count)
        ),
    )


def test_a_file_of_events_takes_no_more_memory_than_its_columns_and_a_few_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As objects, a row of the file takes more than 700 bytes."""
    monkeypatch.setattr(columns, "EVENTS_AT_ONCE", 100)
    path = many_events(tmp_path, 1_000)
    tracemalloc.start()
    try:
        rows = read(path).rows
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * len(rows) + 2_000 * columns.EVENTS_AT_ONCE


def test_rows_outside_a_window_are_not_kept_and_those_behind_it_not_looked_at(
    tmp_path: Path,
) -> None:
    path = many_events(tmp_path, 30)
    whole = read(path).between(MIDNIGHT + 60, MIDNIGHT + 120)
    path.write_text(path.read_text() + "no row at all\n")
    part = read_market(path, a_pool(), 1, MIDNIGHT + 60, MIDNIGHT + 120)
    assert len(part.rows) == 5
    assert same_columns(part.rows, whole.rows)
    assert part.notes[0] == "5 events: 5 SWAP."
    with pytest.raises(MarketDataError, match="line 32"):
        read(path)


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (MIDNIGHT + 360, None, "no rows from 2024-01-05 00:06:00 UTC up to its end"),
        (None, MIDNIGHT, "no rows from its beginning up to 2024-01-05 00:00:00 UTC"),
    ],
)
def test_a_window_without_events_is_refused(
    tmp_path: Path, start: int | None, end: int | None, says: str
) -> None:
    with pytest.raises(MarketDataError, match=says):
        read_market(many_events(tmp_path, 30), a_pool(), 1, start, end)


def test_a_market_that_memory_does_not_hold_is_refused_while_there_is_room_to_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "EVENTS_AT_ONCE", 10)
    monkeypatch.setattr(room, "memory_left", lambda: 1_999)
    read(many_events(tmp_path, 19))
    assert refusal_of(many_events(tmp_path, 20)).startswith(
        "events.csv: its first 20 rows take 0 MB and a replay as much again, but only 0 MB of "
        "memory are left: use a part of it with --from and --to"
    )


def test_what_the_system_says_of_its_memory_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal:       24683548 kB\nMemAvailable:    2048 kB\n")
    monkeypatch.setattr(room, "_MEMORY", told)
    assert room.memory_left() == 2_097_152
    monkeypatch.setattr(room, "_MEMORY", tmp_path / "absent")
    assert room.memory_left() is None
    room.require_room("events.csv", 10**12, 10**14)


def test_minutes_become_bars_with_their_notes(tmp_path: Path) -> None:
    market = read(minute_file(tmp_path, a_minute(0), a_minute(2)))
    assert isinstance(market.rows, Bars)
    assert (market.first, market.end) == (1_704_412_800, 1_704_412_980)
    assert market.notes[0] == "2 minutes."
    assert market.notes[2].startswith("Minutes missing: 1 in 1 place(s)")


def test_a_folder_of_minutes_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    minute_file(tmp_path, a_minute(5), name="2024-01-05b.minute.csv")
    minute_file(tmp_path, a_minute(4), name="2024-01-05a.minute.csv")
    (tmp_path / "notes.txt").write_text("not a market")
    assert len(read(tmp_path).rows) == 2


def test_a_folder_without_markets_or_with_events_is_refused(tmp_path: Path) -> None:
    assert "holds no .csv" in refusal_of(tmp_path)
    events_file(tmp_path, SWAP)
    minute_file(tmp_path, a_minute())
    assert "give one file of events" in refusal_of(tmp_path)


@pytest.mark.parametrize("text", ["", "price,volume\n1,2\n"])
def test_a_file_of_neither_format_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text)
    assert refusal_of(path).startswith("other.csv: line 1: expected the columns of events (block")


def test_a_file_without_events_is_refused(tmp_path: Path) -> None:
    assert "events.csv: holds no events" in refusal_of(events_file(tmp_path))


def test_a_tick_that_is_not_its_prices_is_refused(tmp_path: Path) -> None:
    for tick in (TICK - 2, TICK + 1):
        path = events_file(tmp_path, SWAP, SWAP.replace(",7,", ",8,").replace(f"{TICK}", f"{tick}"))
        expected = f"line 3: current_tick: expected {TICK}, that of its sqrtPriceX96, found {tick}"
        assert expected in refusal_of(path)


def test_a_range_off_the_declared_spacing_is_refused(tmp_path: Path) -> None:
    path = events_file(tmp_path, SWAP, MINT_ROW.replace("199050", "199055"))
    told = refusal_of(path)
    assert "events.csv: line 3: tick_lower, tick_upper: upper tick 199055 is not a multiple" in told


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (SWAP.replace("-226", f"-{2**127 + 1}"), "amount0: expected a number in"),
        (SWAP.replace("1000", f"{2**127}"), "amount1: expected a number in"),
        (SWAP.replace("5000", f"{2**128}"), "total_liquidity: expected a number in [0, "),
        (SWAP.replace("5000", "9" * 5000), "total_liquidity: expected a whole number"),
    ],
)
def test_numbers_that_no_pool_holds_are_refused(tmp_path: Path, row: str, complaint: str) -> None:
    assert f"events.csv: line 2: {complaint}" in refusal_of(events_file(tmp_path, row))


def test_a_pool_declared_the_wrong_way_round_is_found_out(tmp_path: Path) -> None:
    wrong = a_pool(WETH, USDC)
    for path in (events_file(tmp_path, SWAP), minute_file(tmp_path, a_minute())):
        assert "with the tokens the other way round (USDC as token0)" in refusal_of(path, wrong)


def test_a_pool_of_unheard_of_tokens_is_read_with_a_note(tmp_path: Path) -> None:
    market = read(minute_file(tmp_path, a_minute()), a_pool(a_token("XYZ", 18), WETH))
    assert "were not checked" in market.notes[-1]


@needs_data
@pytest.mark.realdata
@pytest.mark.parametrize(
    ("path", "rows"),
    [(MAINNET_EVENTS, 6_234), (MAINNET_MINUTES, 1_440), (POLYGON_FIVE_DAYS, 7_199)],
)
def test_real_markets_are_read_and_wrong_declarations_of_them_found_out(
    path: Path, rows: int
) -> None:
    assert len(read(path).rows) == rows
    swapped, decimals = a_pool(WETH, USDC), a_pool(USDC, a_token("WETH", 6))
    assert "with the tokens the other way round (USDC as token0)" in refusal_of(path, swapped)
    assert "with 18 decimals of WETH, not 6" in refusal_of(path, decimals)


@needs_data
@pytest.mark.realdata
def test_the_minutes_that_polygon_misses_or_repeats_are_told() -> None:
    market = read(POLYGON_MINUTES)
    assert market.notes[0] == "50,390 minutes."
    assert market.notes[2].startswith("3,316 minutes repeat the close of the minute before")
    assert market.notes[3].startswith(
        "Minutes missing: 10 in 7 place(s), at most 2 in a row, after"
    )


@needs_data
@pytest.mark.realdata
def test_the_bars_of_a_real_days_events_are_its_recorded_minutes() -> None:
    made, recorded = in_bars(read(MAINNET_EVENTS), 60).rows, read(MAINNET_MINUTES).rows
    assert isinstance(made, Bars)
    assert isinstance(recorded, Bars)
    # The file has the liquidity after a minute's last swap, ours that after its last event: they
    # differ in the six minutes that end with a mint or a burn in range.
    other = (made.liquidity != recorded.liquidity).any(axis=1)
    assert other.sum() == 6
    made.liquidity[other] = recorded.liquidity[other]
    assert same_columns(made, recorded)
