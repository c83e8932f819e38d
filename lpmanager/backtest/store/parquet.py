"""Rows of a market as Parquet files, whole numbers bit for bit.

A row of limbs is a binary of fixed size, the lowest byte first: it is read back without looking at
it. Whatever Parquet could do to make a file smaller costs more time than it saves, but for lz4.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lpmanager.abi import topic_address
from lpmanager.amm.fast.packing import Rows, from_limbs, to_limbs
from lpmanager.backtest.markets.columns import joined_events
from lpmanager.backtest.markets.market import BURN, MINT, Bars, Change, Events
from lpmanager.backtest.markets.senders import Senders
from lpmanager.errors import MarketDataError, UsageError
from lpmanager.model import TickRange

T = TypeVar("T")

_ABOUT = b"lpmanager"
_LIMB = 8
_ADDRESS = 20

#: Columns of numbers by their type, and of limbs by how many.
_EVENT_COLUMNS: Mapping[str, str | int] = {
    "block": "int64",
    "time": "int64",
    "kind": "uint8",
    "amount0": 2,
    "amount1": 2,
    "sqrt_price": 3,
    "liquidity": 2,
    "tick": "int32",
}
_BAR_COLUMNS: Mapping[str, str | int] = {
    "time": "int64",
    "open": "int32",
    "low": "int32",
    "high": "int32",
    "close": "int32",
    "in0": 2,
    "in1": 2,
    "liquidity": 2,
}
_SENDER = "sender"
_SENDER_TYPE = "dictionary<values=string, indices=int32, ordered=0>"
_CHANGE_COLUMNS = ("lower", "upper", "change", "owner")


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file that was read: what is kept with its rows, and its columns as pyarrow has them."""

    path: Path
    about: dict[str, Any]
    table: Any


def write_rows(path: Path, rows: Events | Bars, about: Mapping[str, Any]) -> None:
    """Write a file that is whole or not there: what was there before stays until then.

    `about` is JSON that is kept with the rows. Raises MarketDataError where it cannot be written.
    """
    arrow = _arrow("pyarrow")
    columns = _columns_of(rows)
    arrays = {name: _array(arrow, getattr(rows, name), kind) for name, kind in columns.items()}
    if isinstance(rows, Events):
        arrays |= _change_arrays(arrow, rows) | {_SENDER: _sender_array(arrow, rows.senders)}
    table = arrow.table(arrays).replace_schema_metadata({_ABOUT: json.dumps(about).encode()})

    def write(part: Path) -> None:
        _arrow("pyarrow.parquet").write_table(
            table, part, compression="lz4", use_dictionary=[_SENDER], write_statistics=False
        )

    replace_file(path, write)


def read_about(path: Path) -> dict[str, Any]:
    """What is kept with the rows of a file. Raises MarketDataError where it cannot be read."""
    return _reading(path, lambda file: _about(path, file))


def read_file(path: Path) -> RowFile:
    """A file with all its rows. Raises MarketDataError, naming it, where it cannot be read."""
    return _reading(
        path, lambda file: RowFile(path, _about(path, file), file.read(use_threads=False))
    )


def read_deltas(path: Path) -> Iterator[tuple[TickRange, int]]:
    """What each MINT of a file added to which range, and each BURN took, in order. Raises
    MarketDataError, naming the file, where it cannot be read."""
    columns = ["kind", *_CHANGE_COLUMNS]
    table = _reading(path, lambda file: file.read(columns, use_threads=False))
    kinds = table.column("kind").to_numpy()
    for row, change in _changes(RowFile(path, {}, table), kinds).items():
        yield change.range, -change.liquidity if kinds[row] == BURN else change.liquidity


def bars_of(files: Sequence[RowFile], step_s: int) -> Bars:
    """The bars of all files, one after the other; MarketDataError for one with other columns."""
    parts = [_numbers(file, _BAR_COLUMNS) for file in files]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in _BAR_COLUMNS}
    return Bars(**columns, step_s=step_s)


def events_of(files: Sequence[RowFile]) -> Events:
    """The events of all files, one after the other; MarketDataError for one with other columns."""
    return joined_events(_events(file) for file in files)


def _events(file: RowFile) -> Events:
    columns = _numbers(file, _EVENT_COLUMNS)
    return Events(**columns, changes=_changes(file, columns["kind"]), senders=_senders(file))


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` write another file, which then takes the place of this one at once."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        raise MarketDataError(
            f"{path}: cannot be written ({error.strerror or error}); see that there is room on the "
            "disk, and let this user write the folder"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _columns_of(rows: Events | Bars) -> Mapping[str, str | int]:
    return _EVENT_COLUMNS if isinstance(rows, Events) else _BAR_COLUMNS


def _array(arrow: ModuleType, column: NDArray[Any], kind: str | int) -> Any:
    if isinstance(kind, str):
        return arrow.array(column.astype(kind, casting="safe", copy=False))
    limbs = np.ascontiguousarray(column, dtype="<u8")
    return arrow.FixedSizeBinaryArray.from_buffers(
        arrow.binary(_LIMB * kind), len(limbs), [None, arrow.py_buffer(limbs)]
    )


def _change_arrays(arrow: ModuleType, rows: Events) -> dict[str, Any]:
    """What MINT and BURN rows have more than others; null elsewhere."""
    changes = [rows.changes.get(row) for row in range(len(rows))]
    sizes = [None if c is None else _bytes_of(c.liquidity) for c in changes]
    owners = [None if c is None or c.owner is None else bytes.fromhex(c.owner[2:]) for c in changes]
    return {
        "lower": arrow.array([c and c.range.lower for c in changes], arrow.int32()),
        "upper": arrow.array([c and c.range.upper for c in changes], arrow.int32()),
        "change": arrow.array(sizes, arrow.binary(2 * _LIMB)),
        "owner": arrow.array(owners, arrow.binary(_ADDRESS)),
    }


def _sender_array(arrow: ModuleType, senders: Senders) -> Any:
    """Each name once; null where nothing tells it."""
    names = arrow.array([name or None for name in senders.names], arrow.string())
    return names.take(arrow.array(senders.codes)).dictionary_encode()


def _bytes_of(liquidity: int) -> bytes:
    return to_limbs([liquidity], 2).astype("<u8").tobytes()


def _numbers(file: RowFile, columns: Mapping[str, str | int]) -> dict[str, NDArray[Any]]:
    found, table = {}, file.table
    for name, kind in columns.items():
        expected = kind if isinstance(kind, str) else f"fixed_size_binary[{_LIMB * kind}]"
        column = table.column(name) if name in table.column_names else None
        if column is None or str(column.type) != expected or column.null_count:
            found_type = "nothing" if column is None else column.type
            raise _wrong_column(file, name, f"{expected} without nulls", found_type)
        found[name] = _flat(column, kind)
    return found


def _flat(column: Any, kind: str | int) -> NDArray[Any]:
    if isinstance(kind, str):
        numbers: NDArray[Any] = column.to_numpy()
        return numbers
    parts: list[Rows] = [
        np.frombuffer(
            chunk.buffers()[1], "<u8", count=kind * len(chunk), offset=_LIMB * kind * chunk.offset
        )
        for chunk in column.chunks
        if len(chunk)
    ]
    limbs = np.concatenate(parts) if parts else np.empty(0, np.uint64)
    return limbs.astype(np.uint64, copy=False).reshape(-1, kind)


def _changes(file: RowFile, kinds: NDArray[np.uint8]) -> dict[int, Change]:
    rows = np.flatnonzero((kinds == MINT) | (kinds == BURN))
    if not len(rows):
        return {}
    try:
        told = file.table.select(_CHANGE_COLUMNS).take(rows).to_pylist()
        return {
            int(row): Change(
                range=TickRange(one["lower"], one["upper"]),
                liquidity=from_limbs(np.frombuffer(one["change"], "<u8").reshape(1, 2))[0],
                owner=one["owner"] and topic_address(one["owner"].hex()),
            )
            for row, one in zip(rows, told, strict=True)
        }
    except (KeyError, TypeError, ValueError) as error:
        raise MarketDataError(
            f"{file.path}: a MINT or BURN without its range and liquidity ({error}); the file is "
            "damaged: delete it, and fetch that day again"
        ) from error


def _senders(file: RowFile) -> Senders:
    """Unknown in the files of older versions, which did not keep them."""
    if _SENDER not in file.table.column_names:
        return Senders.unknown(len(file.table))
    column = file.table.column(_SENDER)
    if str(column.type) != _SENDER_TYPE:
        raise _wrong_column(file, _SENDER, _SENDER_TYPE, column.type)
    return Senders.joined(
        Senders(chunk.indices.fill_null(len(names)).to_numpy(), (*names, ""))
        for chunk in column.chunks
        for names in [chunk.dictionary.to_pylist()]
    )


def _wrong_column(file: RowFile, name: str, expected: str, found: object) -> MarketDataError:
    return MarketDataError(
        f"{file.path}: column {name}: expected {expected}, found {found}; it is not a file of this "
        "program's store, or is damaged: delete it, and fetch that day again"
    )


def _about(path: Path, file: Any) -> dict[str, Any]:
    told = json.loads((file.metadata.metadata or {}).get(_ABOUT, b"null"))
    if not isinstance(told, dict):
        raise MarketDataError(
            f"{path}: is not a file of this program's store; move it away, or name another folder"
        )
    return told


def _reading(path: Path, read: Callable[[Any], T]) -> T:
    parquet, arrow = _arrow("pyarrow.parquet"), _arrow("pyarrow")
    try:
        with parquet.ParquetFile(path) as file:
            return read(file)
    except (OSError, ValueError, arrow.ArrowException) as error:
        raise MarketDataError(
            f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]}); it is damaged: "
            "delete it, and fetch that day again"
        ) from error


def _arrow(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(
            "a store of markets needs pyarrow: pip install 'lpmanager[backtest]'"
        ) from error
