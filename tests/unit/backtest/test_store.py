"""Our own store of markets: what is written is read back, and what is damaged is named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from builders import USDC, a_pool
from market_builders import (
    MIDNIGHT,
    a_recorded_market,
    events_of,
    needs_data,
    same_columns,
    senders_of,
)

from lpmanager.amm.fast.packing import to_limbs
from lpmanager.backtest.markets.market import BURN, MINT, Bars, Change, Events, Market
from lpmanager.backtest.markets.senders import Senders
from lpmanager.backtest.store import parquet
from lpmanager.backtest.store.shelf import (
    Shelf,
    find_shelf,
    read,
    read_day,
    write_day,
    write_market,
)
from lpmanager.backtest.store.shelf import events_of as events_of_day
from lpmanager.errors import MarketDataError, UsageError
from lpmanager.model import TickRange

DAY_S = 86_400
OWNER = "0xC36442b4a4522E871399CD717aBDD847Ab11FE88"
LARGE = 2**127 - 1


def some_events(days: int = 3) -> Events:
    """Three events a day, the largest and the smallest amounts among them."""
    plain = events_of(
        *((MIDNIGHT + DAY_S * n // 3, n, 1, -1) for n in range(3 * days)),
        changes={1: (MINT, "[-60, 60)", 0), 5: (BURN, "[-887220, 887220)", 0)},
    )
    signs = [-LARGE - 1, LARGE, 0, *[n - 4 for n in range(3 * days - 3)]]
    return replace(
        plain,
        amount0=to_limbs(signs, 2, signed=True),
        sqrt_price=to_limbs([2**160 - 1 - n for n in range(3 * days)], 3),
        liquidity=to_limbs([2**128 - 1 - n for n in range(3 * days)], 2),
        changes={
            1: Change(range=TickRange(-60, 60), liquidity=2**128 - 1, owner=OWNER),
            5: Change(range=TickRange(-887220, 887220), liquidity=0, owner=None),
        },
    )


def some_bars(days: int = 3) -> Bars:
    """A bar an hour."""
    time = MIDNIGHT + 3_600 * np.arange(24 * days)
    ticks = np.arange(24 * days, dtype=np.int32) - 30
    volume = to_limbs([2**128 - 1 - n for n in range(24 * days)], 2)
    return Bars(
        time=time,
        open=ticks,
        low=ticks - 5,
        high=ticks + 5,
        close=ticks + 1,
        in0=volume,
        in1=volume[::-1].copy(),
        liquidity=volume,
        step_s=3_600,
    )


def stored(root: Path, rows: Events | Bars | None = None) -> Shelf:
    return write_market(root, a_recorded_market(some_events() if rows is None else rows))


@pytest.mark.parametrize("rows", [some_events(), some_bars()], ids=["events", "bars"])
def test_what_is_written_is_read_back_to_the_unit(tmp_path: Path, rows: Events | Bars) -> None:
    found = read(stored(tmp_path, rows))
    assert same_columns(found.rows, rows)
    assert (found.chain_id, found.pool) == (1, a_pool())


SENDERS = ["0xA", "0xB", "", "0xB", "0xC", "0xA", "", "0xC", "0xB"]


def with_senders() -> Events:
    return replace(some_events(), senders=Senders.of(SENDERS))


def test_senders_are_read_back_whichever_days_they_swapped_on(tmp_path: Path) -> None:
    shelf = stored(tmp_path, with_senders())
    whole, later = read(shelf).rows, read(shelf, MIDNIGHT + DAY_S).rows
    assert isinstance(whole, Events)
    assert isinstance(later, Events)
    assert senders_of(whole.senders) == SENDERS
    assert senders_of(later.senders) == SENDERS[3:]
    assert set(later.senders.names) == {"0xA", "0xB", "0xC", ""}


def test_a_day_keeps_only_its_own_senders(tmp_path: Path) -> None:
    shelf = stored(tmp_path, with_senders())
    kept = events_of_day(shelf, date(2024, 1, 6)).senders
    assert set(kept.names) - {""} == {"0xA", "0xB", "0xC"}
    assert set(events_of_day(shelf, date(2024, 1, 5)).senders.names) - {""} == {"0xA", "0xB"}


def test_days_of_a_version_that_kept_no_senders_are_read_without_them(tmp_path: Path) -> None:
    from pyarrow import parquet as pq

    shelf = stored(tmp_path, with_senders())
    path = shelf.path(date(2024, 1, 6))
    pq.write_table(pq.read_table(path).drop_columns(["sender"]), path)
    rows = read(shelf).rows
    assert isinstance(rows, Events)
    assert senders_of(rows.senders) == [*SENDERS[:3], "", "", "", *SENDERS[6:]]


def test_senders_of_another_kind_are_named(tmp_path: Path) -> None:
    from pyarrow import array
    from pyarrow import parquet as pq

    shelf = stored(tmp_path, with_senders())
    path = shelf.path(date(2024, 1, 6))
    table = pq.read_table(path)
    at = table.column_names.index("sender")
    pq.write_table(table.set_column(at, "sender", array([1, 2, 3])), path)
    with pytest.raises(MarketDataError, match=r"column sender: expected dictionary.*found int64"):
        read(shelf)


def test_a_window_may_begin_and_end_within_a_day(tmp_path: Path) -> None:
    shelf, rows = stored(tmp_path, some_bars()), some_bars()
    start, end = MIDNIGHT + DAY_S + 7_200, MIDNIGHT + 2 * DAY_S + 3_600
    found = read(shelf, start, end).rows
    assert found.time.tolist() == [t for t in rows.time.tolist() if start <= t < end]


def test_days_that_a_window_does_not_need_are_not_read(tmp_path: Path) -> None:
    shelf = stored(tmp_path)
    shelf.path(shelf.dates()[1]).write_bytes(b"damaged")
    assert len(read(shelf, MIDNIGHT, MIDNIGHT + DAY_S).rows) == 3
    with pytest.raises(MarketDataError, match="2024-01-06"):
        read(shelf)


def test_a_market_with_a_quiet_day_has_a_file_for_it(tmp_path: Path) -> None:
    quiet = events_of((MIDNIGHT, 0, 1, -1), (MIDNIGHT + 2 * DAY_S, 0, 1, -1))
    shelf = stored(tmp_path, quiet)
    assert len(shelf.dates()) == 3
    assert same_columns(read(shelf).rows, quiet)


def test_a_folder_is_enough_to_find_the_market(tmp_path: Path) -> None:
    shelf = stored(tmp_path)
    for path in (tmp_path, tmp_path / "1", shelf.pool_folder, shelf.folder):
        assert find_shelf(path).folder == shelf.folder


def test_events_and_bars_of_a_pool_are_kept_apart(tmp_path: Path) -> None:
    events, bars = stored(tmp_path), stored(tmp_path, some_bars())
    assert same_columns(read(find_shelf(bars.folder)).rows, some_bars())
    assert same_columns(read(find_shelf(events.folder)).rows, some_events())
    with pytest.raises(MarketDataError, match=r"events, .*bars"):
        find_shelf(tmp_path)


def test_a_folder_without_a_market_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    with pytest.raises(MarketDataError, match="lpm fetch"):
        find_shelf(tmp_path / "1")


@pytest.mark.parametrize(
    ("start", "end"),
    [(MIDNIGHT - 1, None), (None, MIDNIGHT + 10 * DAY_S), (MIDNIGHT + 9, MIDNIGHT + 9)],
    ids=["before", "after", "empty"],
)
def test_a_window_that_the_store_does_not_reach_is_refused(
    tmp_path: Path, start: int | None, end: int | None
) -> None:
    with pytest.raises(MarketDataError, match="found only those from 2024-01-05"):
        read(stored(tmp_path), start, end)


def test_a_day_that_is_gone_is_named(tmp_path: Path) -> None:
    shelf = stored(tmp_path)
    shelf.path(date(2024, 1, 6)).unlink()
    with pytest.raises(MarketDataError, match="2024-01-06 is missing"):
        read(shelf)


def test_half_a_file_is_named(tmp_path: Path) -> None:
    shelf = stored(tmp_path)
    path = shelf.path(date(2024, 1, 7))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(MarketDataError, match=r"2024-01-07\.parquet: cannot be read as Parquet"):
        read(shelf)


def test_what_a_killed_writer_left_is_not_read(tmp_path: Path) -> None:
    shelf = stored(tmp_path)
    shelf.path(date(2024, 1, 8)).with_name(".2024-01-08.parquet.part").write_bytes(b"PAR1")
    assert same_columns(read(shelf).rows, some_events())


def test_another_programs_parquet_is_refused(tmp_path: Path) -> None:
    from pyarrow import parquet as pq
    from pyarrow import table

    shelf = stored(tmp_path)
    pq.write_table(table({"time": [1]}), shelf.path(date(2024, 1, 7)))
    with pytest.raises(MarketDataError, match="is not a file of this program's store"):
        read(shelf)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"format": 2}, "expected format 1, found 2"), ({"whole": ...}, "cannot be read")],
)
def test_a_day_of_another_version_is_refused(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    shelf = stored(tmp_path)
    path = shelf.path(date(2024, 1, 7))
    told = parquet.read_about(path) | changes
    about = {name: value for name, value in told.items() if value is not ...}
    parquet.write_rows(path, events_of((MIDNIGHT + 2 * DAY_S, 0, 1, -1)), about)
    with pytest.raises(MarketDataError, match=words):
        read(shelf)


def test_a_file_with_another_name_is_named(tmp_path: Path) -> None:
    shelf = stored(tmp_path)
    shelf.path(date(2024, 1, 7)).rename(shelf.folder / "january.parquet")
    with pytest.raises(MarketDataError, match=r"january\.parquet: expected a day's name"):
        read(shelf)


def test_bars_are_not_read_as_events(tmp_path: Path) -> None:
    shelf, bars = stored(tmp_path), stored(tmp_path, some_bars())
    day = date(2024, 1, 6)
    shelf.path(day).write_bytes(bars.path(day).read_bytes())
    with pytest.raises(MarketDataError, match=r"column block: expected int64.*found nothing"):
        read(shelf)


def test_rows_of_another_day_are_not_written(tmp_path: Path) -> None:
    shelf = stored(tmp_path)
    day = read_day(shelf, date(2024, 1, 5))
    with pytest.raises(ValueError, match="are not all of 2024-01-05"):
        write_day(shelf, day, some_events())


def test_a_pool_of_other_terms_is_not_mixed_in(tmp_path: Path) -> None:
    stored(tmp_path)
    other = a_pool(token0=replace(USDC, decimals=18))
    with pytest.raises(MarketDataError, match="use another store"):
        write_market(tmp_path, replace(a_recorded_market(some_events()), pool=other))


@pytest.mark.parametrize("text", ["", "{}", '{"token0": 1}'])
def test_terms_that_are_damaged_are_named(tmp_path: Path, text: str) -> None:
    shelf = stored(tmp_path)
    (shelf.pool_folder / "pool.json").write_text(text)
    with pytest.raises(MarketDataError, match=r"pool\.json: expected the pool's tokens"):
        read(shelf)


def test_the_terms_are_for_people_too(tmp_path: Path) -> None:
    told = json.loads((stored(tmp_path).pool_folder / "pool.json").read_text())
    assert (told["token0"]["symbol"], told["fee_pips"], told["tick_spacing"]) == ("USDC", 500, 10)


def test_a_store_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(parquet, "import_module", missing)
    with pytest.raises(UsageError, match=r"pip install 'lpmanager\[backtest\]'"):
        stored(tmp_path)


@pytest.mark.realdata
@needs_data
def test_a_recorded_day_is_read_back_to_the_unit(tmp_path: Path) -> None:
    recorded = mainnet_day()
    assert same_columns(read(write_market(tmp_path, recorded)).rows, recorded.rows)


def mainnet_day() -> Market:
    from builders import USDC, WETH
    from market_builders import MAINNET_EVENTS

    from lpmanager.backtest.markets.reading import read_market

    return read_market(MAINNET_EVENTS, a_pool(USDC, WETH), 1)
