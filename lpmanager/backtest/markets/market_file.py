"""Market files as text: opening them, their times, and complaining about a cell."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from lpmanager.errors import MarketDataError

#: What a cell with a time should have held.
UTC_TIME = "a UTC time such as 2024-01-05 00:00:23"
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})(\+00:00)?")


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """The text of a .csv or .csv.gz file.

    Whatever fails in opening, unpacking or parsing it inside the block is a MarketDataError.
    """
    try:
        with _open(path) as file:
            yield file
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise MarketDataError(
            f"{path.name}: cannot be read as a market file ({error}); expected CSV or gzipped CSV"
        ) from error


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def header_of(path: Path) -> tuple[str, ...]:
    """The cells of a file's first line."""
    with opened(path) as file:
        return tuple(next(csv.reader(file, strict=True), ()))


def require_columns(file: str, found: tuple[str, ...], needed: tuple[str, ...]) -> None:
    """Raise MarketDataError, naming it, where a column is missing or comes twice."""
    for name in needed:
        if found.count(name) != 1:
            what = "is missing" if name not in found else "comes twice"
            raise MarketDataError(
                f"{file}: line 1: column {name} {what}; expected at least {', '.join(needed)}"
            )


def utc_seconds(text: str) -> int | None:
    """Unix seconds of a UTC time such as "2024-01-05 00:00:23"; None where it is none."""
    match = _TIME.fullmatch(text)
    try:
        return match and int(datetime.fromisoformat(match[1] + "+00:00").timestamp())
    except ValueError:
        return None  # a day that does not exist


def wrong_cell(
    file: str, line: int, column: str, expected: str, found: str | None
) -> MarketDataError:
    """What to raise about a cell. The header is line 1."""
    shown = repr(found) if found else "nothing"
    return MarketDataError(f"{file}: line {line}: {column}: expected {expected}, found {shown}")


def wrong_length(file: str, line: int) -> MarketDataError:
    """What to raise about a row that is shorter or longer than the header."""
    return MarketDataError(
        f"{file}: line {line}: the row has another number of cells than the header"
    )
