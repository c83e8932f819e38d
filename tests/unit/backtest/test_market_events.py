"""A market file is read exactly, or refused by line and column."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from lpmanager.backtest.markets.events import EventKind, read_events
from lpmanager.errors import MarketDataError
from lpmanager.model import TickRange

HEADER = (
    "block_number,block_timestamp,tx_type,log_index,amount0,amount1,total_liquidity,"
    "sqrtPriceX96,current_tick,tick_lower,tick_upper,liquidity"
)
PRICE = 1662995104975155420368771254341874
SWAP = f"100,2024-01-05 00:00:23,SWAP,7,-226,1000,5000,{PRICE},199045.0,,,"
MINT = f"101,2024-01-05 00:00:35,MINT,3,5,6,5000,{PRICE},199045.0,199040.0,199050.0,77"
BURN = f"101,2024-01-05 00:00:35,BURN,4,5,6,5000,{PRICE},199045.0,199040.0,199050.0,77"


def market_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "market.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def with_cell(row: str, column: str, value: str) -> str:
    cells = row.split(",")
    cells[HEADER.split(",").index(column)] = value
    return ",".join(cells)


def test_a_swap_and_a_mint_are_read_to_the_last_digit(tmp_path: Path) -> None:
    swap, mint = read_events(market_file(tmp_path, SWAP, MINT))
    assert (swap.kind, swap.line, swap.block_number) == (EventKind.SWAP, 2, 100)
    assert (swap.timestamp, swap.log_index) == (1_704_412_823, 7)
    assert (swap.amount0, swap.amount1, swap.active_liquidity) == (-226, 1000, 5000)
    assert (swap.sqrt_price_x96, swap.tick, swap.range) == (PRICE, 199_045, None)
    assert (mint.kind, mint.range, mint.liquidity) == (
        EventKind.MINT,
        TickRange(199_040, 199_050),
        77,
    )


def test_a_time_may_say_that_it_is_utc(tmp_path: Path) -> None:
    (swap,) = read_events(market_file(tmp_path, SWAP.replace("00:00:23", "00:00:23+00:00")))
    assert swap.timestamp == 1_704_412_823


def test_a_gzipped_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    plain = market_file(tmp_path, SWAP, MINT, BURN)
    packed = tmp_path / "market.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_events(packed) == read_events(plain)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = market_file(tmp_path, header=HEADER.replace("sqrtPriceX96", "price"))
    with pytest.raises(MarketDataError, match=r"market\.csv: line 1: column sqrtPriceX96"):
        read_events(path)


@pytest.mark.parametrize(
    ("row", "column", "value", "complaint"),
    [
        (SWAP, "amount0", "1e6", "amount0: expected a whole number, found '1e6'"),
        (SWAP, "amount1", "", "amount1: expected a whole number, found nothing"),
        (SWAP, "amount1", "-5", "amount1: expected the other sign than amount0 -226"),
        (SWAP, "total_liquidity", "-1", "total_liquidity: expected at least 0, found '-1'"),
        (SWAP, "sqrtPriceX96", "0", "sqrtPriceX96: expected a number in"),
        (SWAP, "current_tick", "199045.5", "current_tick: expected a whole number"),
        (SWAP, "current_tick", "900000", "current_tick: expected a number in"),
        (SWAP, "block_timestamp", "05.01.2024", "block_timestamp: expected a UTC time"),
        (SWAP, "block_timestamp", "2024-01-05 00:00:23+02:00", "block_timestamp: expected a UTC"),
        (SWAP, "block_timestamp", "2024-02-30 00:00:23", "block_timestamp: expected a UTC time"),
        (SWAP, "tx_type", "FLASH", "tx_type: expected one of SWAP, MINT, BURN, COLLECT"),
        (SWAP, "block_number", "99", "block_number: expected at least 100"),
        (SWAP, "log_index", "7", "log_index: expected more than 7"),
        (MINT, "block_timestamp", "2024-01-05 00:00:23", "block_timestamp: expected a time after"),
        (MINT, "tick_upper", "199040", "tick_upper: expected a tick above tick_lower 199040"),
        (MINT, "tick_lower", "", "tick_lower: expected a whole number, found nothing"),
        (BURN, "liquidity", "-77", "liquidity: expected at least 0, found '-77'"),
    ],
)
def test_a_broken_cell_is_named_by_line_and_column(
    tmp_path: Path, row: str, column: str, value: str, complaint: str
) -> None:
    path = market_file(tmp_path, SWAP, with_cell(row, column, value))
    with pytest.raises(MarketDataError) as raised:
        read_events(path)
    assert str(raised.value).startswith(f"market.csv: line 3: {complaint}")


def test_two_rows_of_one_block_share_their_time(tmp_path: Path) -> None:
    later = with_cell(with_cell(SWAP, "log_index", "8"), "block_timestamp", "2024-01-05 00:00:24")
    with pytest.raises(MarketDataError, match="line 3: block_timestamp: expected the time of"):
        read_events(market_file(tmp_path, SWAP, later))


ROUTER = "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad"


def test_the_sender_of_a_swap_is_read_where_the_file_has_it(tmp_path: Path) -> None:
    """In the form that the chain's reader has it; of a mint it is the position manager."""
    rows = f"{SWAP},{ROUTER}", f"{MINT},{ROUTER}", f"{SWAP.replace('100,', '102,', 1)},"
    later = rows[2].replace("00:00:23", "00:00:47")
    path = market_file(tmp_path, *rows[:2], later, header=f"{HEADER},sender")
    named = "0x3fC91A3afd70395Cd496C647d5a6CC9D4B2b7FAD"
    assert [event.sender for event in read_events(path)] == [named, "", ""]
    assert read_events(market_file(tmp_path, SWAP))[0].sender == ""


@pytest.mark.parametrize("cell", ["router", ROUTER[:-1], f"{ROUTER}0", ROUTER[2:]])
def test_a_sender_that_is_no_address_is_named(tmp_path: Path, cell: str) -> None:
    path = market_file(tmp_path, f"{SWAP},{cell}", header=f"{HEADER},sender")
    with pytest.raises(MarketDataError, match="line 2: sender: expected an address, or nothing"):
        read_events(path)


def test_two_columns_of_senders_are_refused(tmp_path: Path) -> None:
    path = market_file(tmp_path, f"{SWAP},,", header=f"{HEADER},sender,sender")
    with pytest.raises(MarketDataError, match="column sender comes twice"):
        read_events(path)


@pytest.mark.parametrize("row", [SWAP + ",9", SWAP[: SWAP.rindex(",")]])
def test_a_row_of_another_length_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(MarketDataError, match="line 3: the row has another number of cells"):
        read_events(market_file(tmp_path, SWAP, row))


def test_an_empty_market_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="holds no events"):
        read_events(market_file(tmp_path))


def test_a_file_that_is_not_there_or_not_gzip_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "market.csv.gz"
    broken.write_bytes(b"not gzip")
    for path in (broken, tmp_path / "absent.csv"):
        with pytest.raises(MarketDataError, match="cannot be read as a market file"):
            read_events(path)


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(market_file(tmp_path, SWAP, MINT).read_bytes())
    cut = tmp_path / "market.csv.gz"
    cut.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(MarketDataError, match="cannot be read as a market file"):
        read_events(cut)
