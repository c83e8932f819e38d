"""Reads recorded prices of gas: one CSV row for each moment, with the price in gwei."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np

from lpmanager.backtest.markets.gas_prices import RecordedGasPrices
from lpmanager.backtest.markets.market_file import (
    UTC_TIME,
    opened,
    require_columns,
    utc_seconds,
    wrong_cell,
    wrong_length,
)
from lpmanager.errors import MarketDataError

#: What a file of gas prices must have: UTC times, and gwei.
GAS_COLUMNS = ("block_timestamp", "gas_price")
_WEI_PER_GWEI = 10**9
_NUMBER = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
#: No chain was ever so dear: above it, a file is in wei.
_MOST_GWEI = 1_000_000


def read_gas_prices(path: Path) -> RecordedGasPrices:
    """The prices of a file (.csv, or .csv.gz), each in wei, rounded up: it is paid.

    Raises MarketDataError with the line (the header is line 1) and the column that is wrong.

    Warning: an average that stands at the beginning of its minute or hour knows all of it. Who
    wants to see nothing of the future records prices at the end.
    """
    with opened(path) as file:
        told = list(_told(path.name, csv.reader(file, strict=True)))
    if not told:
        raise MarketDataError(f"{path.name}: holds no gas prices; expected at least one row")
    times, wei = np.array(told, np.int64).T
    return RecordedGasPrices(name=path.name, times=times, wei=wei)


def _told(name: str, rows: Iterator[list[str]]) -> Iterator[tuple[int, int]]:
    """Time and wei of each row."""
    header = tuple(next(rows, ()))
    require_columns(name, header, GAS_COLUMNS)
    at, priced = (header.index(column) for column in GAS_COLUMNS)
    before = None
    for line, cells in enumerate(rows, 2):
        if len(cells) != len(header):
            raise wrong_length(name, line)
        time = utc_seconds(cells[at])
        if time is None:
            raise wrong_cell(name, line, "block_timestamp", UTC_TIME, cells[at])
        if before is not None and time <= before:
            raise wrong_cell(
                name, line, "block_timestamp", "a time after the row before's", cells[at]
            )
        before = time
        yield time, _wei_up(name, line, cells[priced])


def _wei_up(name: str, line: int, text: str) -> int:
    gwei = Decimal(text) if _NUMBER.fullmatch(text) else Decimal(0)
    if not 0 < gwei <= _MOST_GWEI:
        raise wrong_cell(
            name, line, "gas_price", f"a price in gwei, above 0 and at most {_MOST_GWEI:,}", text
        )
    return math.ceil(Fraction(gwei) * _WEI_PER_GWEI)
