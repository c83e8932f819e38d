"""Gas at a recorded price: what was known at a block is what is paid in it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from market_builders import DATA, needs_data
from replay_builders import BEGINS, a_replay, a_walk, some_terms

from lpmanager.backtest.markets.gas_file import read_gas_prices
from lpmanager.backtest.markets.gas_prices import FixedGasPrice, RecordedGasPrices, only_price
from lpmanager.backtest.replay.exact import Replay
from lpmanager.errors import MarketDataError, UsageError
from lpmanager.model import Decision, Plan
from lpmanager.rebalancer.economics import WALLET_GAS

POLYGON_GAS = DATA / "gas-price.csv.gz"
HEADER = "block_timestamp,gas_price"
MORNING = 1_692_000_000  # 2023-08-14 08:00:00 UTC


def gas_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "gas.csv"
    path.write_text("\n".join((header, *rows, "")))
    return path


def a_record(*prices: tuple[int, int]) -> RecordedGasPrices:
    """Of (seconds after the walk begins, wei)."""
    times, wei = np.array(prices, np.int64).T
    return RecordedGasPrices(name="gas.csv", times=BEGINS + times, wei=wei)


def a_minutely_record(minutes: int = 700, *, dearer_from: int = 10**9) -> RecordedGasPrices:
    """Another price every minute, ten times as much from a minute on."""
    return a_record(
        *((60 * m, (1_000 + 7 * m) * (10 if m >= dearer_from else 1)) for m in range(minutes))
    )


def replayed(gas: RecordedGasPrices, **changes: object) -> tuple[Replay, list[Decision]]:
    market = a_walk()
    replay = a_replay(market, some_terms(market.pool, gas=gas, **changes))
    decisions = []
    while not replay.is_over:
        if (decision := replay.step()) is not None:
            decisions.append(decision)
    return replay, decisions


def test_prices_are_read_in_gwei_and_rounded_up_to_the_wei(tmp_path: Path) -> None:
    rows = ("2023-08-14 08:00:00,53.089213505000004", "2023-08-14 08:01:00+00:00,4.1e1")
    found = read_gas_prices(gas_file(tmp_path, *rows))
    assert found.times.tolist() == [MORNING, MORNING + 60]
    assert found.wei.tolist() == [53_089_213_506, 41_000_000_000]


def test_a_gzipped_record_reads_like_a_plain_one(tmp_path: Path) -> None:
    packed = tmp_path / "gas.csv.gz"
    packed.write_bytes(gzip.compress(f"{HEADER}\n2023-08-14 08:00:00,1\n".encode()))
    assert read_gas_prices(packed).wei.tolist() == [10**9]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2023-08-14 08:00:00,9", "block_timestamp: expected a time after the row before's, found"),
        ("2023-08-14 07:59:00,9", "block_timestamp: expected a time after the row before's, found"),
        ("14.08.2023,9", "block_timestamp: expected a UTC time such as"),
        ("2023-08-32 08:00:00,9", "block_timestamp: expected a UTC time such as"),
        ("2023-08-14 08:01:00,-9", "gas_price: expected a price in gwei, above 0 and at most"),
        ("2023-08-14 08:01:00,0", "gas_price: expected a price in gwei, above 0 and at most"),
        ("2023-08-14 08:01:00,nan", "gas_price: expected a price in gwei, above 0 and at most"),
        ("2023-08-14 08:01:00,", "found nothing"),
        ("2023-08-14 08:01:00,53089213505", "found '53089213505'"),
        ("2023-08-14 08:01:00", "the row has another number of cells"),
        ("", "the row has another number of cells"),
    ],
)
def test_a_broken_row_is_named_by_line_and_column(tmp_path: Path, row: str, says: str) -> None:
    path = gas_file(tmp_path, "2023-08-14 08:00:00,9", row, "2023-08-14 08:09:00,9")
    with pytest.raises(MarketDataError) as refused:
        read_gas_prices(path)
    assert str(refused.value).startswith("gas.csv: line 3: ")
    assert says in str(refused.value)


def test_a_record_without_rows_or_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match=r"gas\.csv: holds no gas prices"):
        read_gas_prices(gas_file(tmp_path))
    with pytest.raises(MarketDataError, match="line 1: column gas_price is missing"):
        read_gas_prices(gas_file(tmp_path, header="block_timestamp,gwei"))


def test_a_price_is_the_last_one_recorded_at_or_before_a_moment() -> None:
    gas = a_record((0, 5), (60, 7), (120, 9))
    assert [gas.at(BEGINS + after) for after in (0, 59, 60, 61, 119, 120, 3_720)] == [
        *(5, 5, 7, 7, 7, 9, 9)
    ]


@pytest.mark.parametrize(
    ("prices", "says"),
    [
        (((1, 5), (3_000, 5)), "begins at 2023-11-14 22:13:21 UTC, expected a price at or before"),
        (((-3_601, 5),), "ends at 2023-11-14 21:13:19 UTC, expected a price for"),
        (((0, 5), (60, 7)), "ends at 2023-11-14 22:14:20 UTC, expected a price for"),
        (((0, 5), (3_602, 7), (5_000, 5)), "tells nothing from 2023-11-14 22:13:20 UTC to 2023-11"),
    ],
)
def test_a_record_that_does_not_cover_the_market_is_refused_before_it_is_replayed(
    prices: tuple[tuple[int, int], ...], says: str
) -> None:
    with pytest.raises(MarketDataError, match=says):
        a_record(*prices).require_whole(BEGINS, BEGINS + 5_400)
    market = a_walk(steps=91)
    with pytest.raises(MarketDataError, match=says):
        a_replay(market, some_terms(market.pool, gas=a_record(*prices)))


def test_a_gap_outside_the_market_does_not_matter() -> None:
    gas = a_record((-90_000, 3), (-5, 5), (3_596, 5), (7_190, 5), (90_000, 3))
    gas.require_whole(BEGINS, BEGINS + 7_200)


def test_the_gas_of_a_move_is_its_units_at_the_price_recorded_for_its_block() -> None:
    """To the wei; a block that comes later than the decision has its own price."""
    gas = a_minutely_record()
    replay, decisions = replayed(gas, latency_blocks=10)
    first = next(decision for decision in decisions if isinstance(decision, Plan))
    included = first.block.timestamp + 120
    assert gas.at(included) != gas.at(first.block.timestamp)
    entries = replay.books.entries("", ["gas"])
    paid = [-sum(raw for raw in entry.raw.values() if raw < 0) for entry in entries]
    units = [WALLET_GAS.of_up([action.kind]) for action in first.actions]
    assert paid[: len(units)] == [each * gas.at(included) for each in units]


def test_a_decision_sees_the_price_of_its_own_block() -> None:
    gas = a_minutely_record()
    market = a_walk()
    replay = a_replay(market, some_terms(market.pool, gas=gas))
    seen = replay.look(BEGINS + 1_799)
    assert seen.snapshot.gas_price == 1_000 + 7 * 29


def test_no_decision_sees_a_later_price() -> None:
    """All prices from the minute after a plan on are replaced, and all up to the plan stays."""
    decided = replayed(a_minutely_record())[1]
    plan = next(number for number, d in enumerate(decided) if isinstance(d, Plan))
    minute = (decided[plan].block.timestamp - BEGINS) // 60
    again = replayed(a_minutely_record(dearer_from=minute + 1))[1]
    assert again[: plan + 1] == decided[: plan + 1]
    assert replayed(a_minutely_record(dearer_from=minute))[1][plan] != decided[plan]


def test_the_report_says_whose_prices_were_paid() -> None:
    market = a_walk(steps=40)
    replay = a_replay(market, some_terms(market.pool, gas=a_minutely_record()))
    assert any(
        "gas.csv tells of the last moment at or before a block" in n for n in replay.run().notes
    )


def test_fast_mode_takes_one_price_alone() -> None:
    assert only_price(FixedGasPrice(7)) == 7
    with pytest.raises(UsageError, match="--gas-prices: fast mode and sweeps take one price"):
        only_price(a_record((0, 5)))


@needs_data
@pytest.mark.realdata
def test_four_days_of_polygon_are_covered_without_a_gap() -> None:
    gas = read_gas_prices(POLYGON_GAS)
    gas.require_whole(1_691_971_200, 1_692_316_800)
    assert gas.at(1_691_971_200 + 90) == 41_890_879_527
    with pytest.raises(MarketDataError, match="begins at 2023-08-14 00:00:00 UTC"):
        gas.require_whole(1_691_971_199, 1_692_316_800)
