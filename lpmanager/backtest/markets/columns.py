"""Recorded events as columns, checked against the pool they are said to be of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import chain, islice

import numpy as np

from lpmanager.amm.fast.packing import Rows, to_limbs
from lpmanager.backtest.markets.events import EventKind, MarketEvent
from lpmanager.backtest.markets.market import KINDS, ROW_BYTES, Change, Events
from lpmanager.backtest.markets.room import require_room
from lpmanager.backtest.markets.senders import Senders
from lpmanager.errors import MarketDataError
from lpmanager.model import PoolKey
from lpmanager.model.units import LOG_TICK

#: So many rows are objects at a time.
EVENTS_AT_ONCE = 4_096
_COLUMNS = tuple(field.name for field in fields(Events) if field.name not in ("changes", "senders"))
_CODES = {kind: code for code, kind in enumerate(KINDS)}
_CHANGING = (EventKind.MINT, EventKind.BURN)
_Q96 = 2.0**96
#: How far, in ticks, floats may be wrong about the tick of a price.
_FLOAT_ERROR = 1e-3


def columns_of(name: str, pool: PoolKey, events: Iterable[MarketEvent]) -> Events | None:
    """The columns of a pool's events, None where there are none; `name` is for errors.

    Events may come one by one from a file of any size. Raises MarketDataError, naming the line,
    where a tick is not that of its price, a range is not on the pool's spacing, or a number is
    larger than any pool of today's tokens holds.
    """
    parts = _parts(name, pool, events)
    first = next(parts, None)
    return None if first is None else joined_events(chain((first,), parts))


def _parts(name: str, pool: PoolKey, events: Iterable[MarketEvent]) -> Iterator[Events]:
    """The columns of so many events at a time."""
    each, rows = iter(events), 0
    while some := list(islice(each, EVENTS_AT_ONCE)):
        yield _columns(name, pool, some)
        rows += len(some)
        require_room(name, rows, rows * ROW_BYTES)


def _columns(name: str, pool: PoolKey, events: Sequence[MarketEvent]) -> Events:
    """The columns of some events."""
    tick = np.array([event.tick for event in events], np.int32)
    prices = [event.sqrt_price_x96 for event in events]
    _require_ticks_of_prices(name, events, np.array(prices, np.float64), tick)
    return Events(
        block=np.array([event.block_number for event in events], np.int64),
        time=np.array([event.timestamp for event in events], np.int64),
        kind=np.array([_CODES[event.kind] for event in events], np.uint8),
        amount0=_signed(name, "amount0", events, [event.amount0 for event in events]),
        amount1=_signed(name, "amount1", events, [event.amount1 for event in events]),
        sqrt_price=to_limbs(prices, 3),
        liquidity=_unsigned(
            name, "total_liquidity", events, [event.active_liquidity for event in events]
        ),
        tick=tick,
        changes=dict(_changes(name, pool, events)),
        senders=Senders.of(event.sender for event in events),
    )


def _signed(name: str, column: str, events: Sequence[MarketEvent], values: list[int]) -> Rows:
    _require_within(name, column, events, values, -(2**127), 2**127 - 1)
    return to_limbs(values, 2, signed=True)


def _unsigned(name: str, column: str, events: Sequence[MarketEvent], values: list[int]) -> Rows:
    _require_within(name, column, events, values, 0, 2**128 - 1)
    return to_limbs(values, 2)


def _require_within(
    name: str, column: str, events: Sequence[MarketEvent], values: list[int], low: int, high: int
) -> None:
    if min(values) < low or max(values) > high:
        row = next(row for row, value in enumerate(values) if not low <= value <= high)
        raise MarketDataError(
            f"{name}: line {events[row].line}: {column}: expected a number in [{low}, {high}], "
            f"found {values[row]}"
        )


def _require_ticks_of_prices(
    name: str,
    events: Sequence[MarketEvent],
    prices: np.typing.NDArray[np.float64],
    ticks: np.typing.NDArray[np.int32],
) -> None:
    """A tick is its price's, or the one below where a swap down ended on the tick's own price."""
    exact = 2 * np.log(prices / _Q96) / LOG_TICK
    above = exact - ticks
    odd = (above < -_FLOAT_ERROR) | (above > 1 + _FLOAT_ERROR)
    if odd.any():
        row = int(odd.argmax())
        raise MarketDataError(
            f"{name}: line {events[row].line}: current_tick: expected "
            f"{math.floor(exact[row])}, that of its sqrtPriceX96, found {ticks[row]}"
        )


def _changes(
    name: str, pool: PoolKey, events: Sequence[MarketEvent]
) -> Iterator[tuple[int, Change]]:
    for row, event in enumerate(events):
        if event.kind not in _CHANGING or event.range is None:
            continue
        try:
            event.range.require_spacing(pool.tick_spacing)
        except ValueError as error:
            raise MarketDataError(
                f"{name}: line {event.line}: tick_lower, tick_upper: {error}; is the file of the "
                f"pool {pool}?"
            ) from error
        yield row, Change(range=event.range, liquidity=event.liquidity, owner=None)


def joined_events(parts: Iterable[Events]) -> Events:
    """Events that follow each other as one.

    At least one part. The columns grow in place, so that parts which are made one by one are never
    there all at once.
    """
    each = iter(parts)
    first = next(each)
    columns = {name: np.array(getattr(first, name)) for name in _COLUMNS}
    changes, senders = dict(first.changes), [first.senders]
    for part in each:
        behind = len(columns["time"])
        for name, column in columns.items():
            rows, more = len(column), getattr(part, name)
            column.resize((rows + len(more), *column.shape[1:]), refcheck=False)
            column[rows:] = more
        changes |= {row + behind: change for row, change in part.changes.items()}
        senders.append(part.senders)
    return Events(**columns, changes=changes, senders=Senders.joined(senders))
