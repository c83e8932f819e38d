"""A market of one pool, recorded or generated, as columns: every event, or bars of a fixed step.

Whole numbers that do not fit 64 bits are rows of limbs (`lpmanager.amm.fast.packing`): nothing is
rounded, and a row takes about a hundred bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm import sqrt_price_at_tick
from lpmanager.amm.fast.packing import Rows, from_limbs
from lpmanager.backtest.markets.events import EventKind
from lpmanager.backtest.markets.senders import Senders
from lpmanager.errors import MarketDataError
from lpmanager.model import Liquidity, PoolKey, PoolState, SqrtPriceX96, TickRange, TickState

Times = NDArray[np.int64]
Ticks = NDArray[np.int32]
Kinds = NDArray[np.uint8]

#: What a row takes, at most.
ROW_BYTES = 100

#: What a report says of recorded markets: no event and no bar tells what the protocol takes.
ALL_OF_THE_FEE = (
    "The protocol's share of the fee is not recorded: providers are taken to get all of it."
)

#: What `Events.kind` counts.
KINDS = tuple(EventKind)
SWAP, MINT, BURN, COLLECT = range(len(KINDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a MINT added to a range or a BURN took from it: `liquidity` is never negative.

    `owner` is the position's owner in the pool's own books, None where the source does not say.
    """

    range: TickRange
    liquidity: int
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """A pool's events in chain order, a row each.

    `time` is in Unix seconds. `kind` counts in `KINDS`. `amount0` and `amount1` are raw units as
    the pool sees them (positive = into the pool), (n, 2) limbs in two's complement; `sqrt_price`
    (n, 3 limbs), `liquidity` (active, n, 2 limbs) and `tick` are those after the event. `changes`
    has the range and liquidity of each MINT and BURN by its row, and no other row; `senders` who
    called the pool for each SWAP, as far as the source tells.
    """

    block: NDArray[np.int64]
    time: Times
    kind: Kinds
    amount0: Rows
    amount1: Rows
    sqrt_price: Rows
    liquidity: Rows
    tick: Ticks
    changes: Mapping[int, Change]
    senders: Senders

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A pool's market in bars of `step_s` seconds, a row each; a bar without trade may be missing.

    `time` is a bar's start in Unix seconds; `open`, `low`, `high` and `close` are ticks; `in0` and
    `in1` are the raw volumes paid in, fee included, and `liquidity` is active at the close, each
    (n, 2) limbs.
    """

    time: Times
    open: Ticks
    low: Ticks
    high: Ticks
    close: Ticks
    in0: Rows
    in1: Rows
    liquidity: Rows
    step_s: int

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A market of one pool.

    `start` is the pool before the first row with its whole tick map, where that is known; MINT and
    BURN rows then change the ticks. Where it is None, active liquidity is taken as recorded.
    `notes` are sentences on what the reader found and assumed, for the report.
    """

    name: str
    chain_id: int
    pool: PoolKey
    rows: Events | Bars
    start: PoolState | None
    notes: tuple[str, ...]

    @property
    def first(self) -> int:
        """Time of the first row, Unix seconds."""
        return int(self.rows.time[0])

    @property
    def end(self) -> int:
        """The first moment behind the market, Unix seconds."""
        last = int(self.rows.time[-1])
        return last + (self.rows.step_s if isinstance(self.rows, Bars) else 1)

    def between(self, start: int, end: int) -> Market:
        """The market of the rows with start <= time < end, Unix seconds.

        The pool's `start` is brought up to the first row kept. Raises MarketDataError where no row
        is left, and says what the market spans.
        """
        first, behind = (int(row) for row in np.searchsorted(self.rows.time, (start, end)))
        if first >= behind:
            raise MarketDataError(
                f"{self.name}: no rows from {utc(start)} up to {utc(end)}; the market spans "
                f"{utc(self.first)} up to {utc(self.end)}: choose a window that meets it"
            )
        state = self.start and _state_before(self.start, self.rows, first)
        return replace(self, rows=cut(self.rows, first, behind), start=state)


def utc(time: int) -> str:
    """Unix seconds as a person reads them ("2024-01-05 00:00:23 UTC")."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"


AnyRows = TypeVar("AnyRows", bound=Events | Bars)


def cut(rows: AnyRows, first: int, behind: int) -> AnyRows:
    """The rows [first, behind): views of the columns, not copies."""
    parts: dict[str, Any] = {
        field.name: column[first:behind]
        for field in fields(rows)
        if isinstance(column := getattr(rows, field.name), np.ndarray)
    }
    if isinstance(rows, Events):
        parts["changes"] = {
            row - first: change for row, change in rows.changes.items() if first <= row < behind
        }
        parts["senders"] = rows.senders.between(first, behind)
    return replace(rows, **parts)


def _state_before(start: PoolState, rows: Events | Bars, row: int) -> PoolState:
    """The pool's state before a row. Fee growth stays as it was: only its differences count."""
    if row == 0:
        return start
    if isinstance(rows, Events):
        return replace(
            start,
            sqrt_price_x96=SqrtPriceX96(from_limbs(rows.sqrt_price[row - 1 : row])[0]),
            tick=int(rows.tick[row - 1]),
            liquidity=Liquidity(from_limbs(rows.liquidity[row - 1 : row])[0]),
            ticks=_ticks_after(start.ticks, rows, row),
        )
    tick = int(rows.close[row - 1])
    crossed = sum(
        state.liquidity_net if tick > start.tick else -state.liquidity_net
        for state in start.ticks
        if min(tick, start.tick) < state.tick <= max(tick, start.tick)
    )
    return replace(
        start,
        sqrt_price_x96=sqrt_price_at_tick(tick),
        tick=tick,
        liquidity=Liquidity(start.liquidity + crossed),
    )


def _ticks_after(ticks: tuple[TickState, ...], rows: Events, row: int) -> tuple[TickState, ...]:
    """The tick map behind the mints and burns of the rows before `row`."""
    gross = {state.tick: state.liquidity_gross for state in ticks}
    net = {state.tick: state.liquidity_net for state in ticks}
    for at, change in rows.changes.items():
        if at >= row:
            continue
        delta = change.liquidity if rows.kind[at] == MINT else -change.liquidity
        for tick, across in ((change.range.lower, delta), (change.range.upper, -delta)):
            gross[tick] = gross.get(tick, 0) + delta
            net[tick] = net.get(tick, 0) + across
    return tuple(
        TickState(tick=tick, liquidity_gross=gross[tick], liquidity_net=net[tick])
        for tick in sorted(gross)
        if gross[tick]
    )
