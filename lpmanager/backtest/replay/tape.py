"""A market as the way it takes through a pool: legs to prices, and sales at most as far as one.

An event of a swap is its sale, and then whatever brings the pool to the recorded price: where our
liquidity or our swaps made the pool another, an arbitrageur follows the market all the same. Of a
bar, see `lpmanager.backtest.replay.bar_ways`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE, sqrt_price_at_tick, tick_at_sqrt_price
from lpmanager.amm.fast.legs import SELL0, SELL1, TO, Followed, Legs
from lpmanager.amm.fast.packing import Rows, differences, from_limbs, to_limbs
from lpmanager.backtest.markets.market import MINT, SWAP, Bars, Change, Events, Market
from lpmanager.backtest.markets.senders import Senders
from lpmanager.backtest.replay.bar_ways import BarWays, bar_ways
from lpmanager.errors import MarketDataError
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Liquidity,
    PoolState,
    SqrtPriceX96,
    SwapColumns,
    TickRange,
)

_EVERYWHERE = TickRange(MIN_TICK, MAX_TICK)
_63 = np.uint64(63)
#: Legs of a bar: open, first and second extreme, close, both sales, the close again.
_LEGS_OF_A_BAR = 7


class Tape(Protocol):
    """A market to replay: the pool it begins with, and the legs of any of its rows.

    Rows before `first` are spent on knowing `start`. `changes` have to be made to the pool's ticks
    just before a row is replayed, by hand; legs are of the rows between.
    """

    @property
    def start(self) -> PoolState: ...

    @property
    def first(self) -> int: ...

    @property
    def times(self) -> NDArray[np.int64]: ...

    @property
    def blocks(self) -> NDArray[np.int64]: ...

    @property
    def changes(self) -> Mapping[int, tuple[bool, Change]]: ...

    def legs(self, first: int, behind: int) -> Legs:
        """The legs of the rows in [first, behind)."""
        ...

    def swaps(self, first: int, behind: int, legs: Legs, went: Followed) -> SwapColumns:
        """The swaps of the rows in [first, behind), as a chain would tell them afterwards.

        `went` is what the pool did on the way of `legs`, which those rows are among.
        """
        ...


def tape_of(market: Market, block_s: Fraction) -> Tape:
    """The market's tape. Bars have no block numbers: one block in `block_s` seconds is counted
    since 1970. Raises MarketDataError where there is nothing to replay."""
    if isinstance(market.rows, Bars):
        return _bar_tape(market, market.rows, block_s)
    return _event_tape(market, market.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTape:
    """A tape of single events; see the module. `senders` are those of all rows.

    `recorded` are the events themselves where the ticks are not known: then they tell better what a
    swap that crossed some has paid than the pool does.
    """

    start: PoolState
    first: int
    times: NDArray[np.int64]
    blocks: NDArray[np.int64]
    changes: Mapping[int, tuple[bool, Change]]
    swap_rows: NDArray[np.int64]
    kinds: NDArray[np.int8]
    amounts: Rows
    prices: Rows
    gained: Rows
    senders: Senders
    recorded: Events | None

    def swaps(self, first: int, behind: int, legs: Legs, went: Followed) -> SwapColumns:
        """As recorded where the ticks are not known, else as the pool did them."""
        if self.recorded is None:
            return _done(self.blocks, self.senders, first, behind, legs, went)
        low, high = np.searchsorted(self.swap_rows, (first, behind))
        return _told(self.recorded, self.swap_rows[low:high])

    def legs(self, first: int, behind: int) -> Legs:
        """Two of each swap: its sale, then to its price."""
        low, high = np.searchsorted(self.swap_rows, (first, behind))
        part = slice(low, high)
        count = int(high - low)
        kinds = np.full(2 * count, TO, np.int8)
        kinds[::2] = self.kinds[part]
        amounts, gained = np.zeros((2, 2 * count, 2), np.uint64)
        amounts[::2], gained[::2] = self.amounts[part], self.gained[part]
        return Legs(
            kinds,
            np.repeat(self.swap_rows[part], 2),
            amounts,
            np.repeat(self.prices[part], 2, axis=0),
            gained,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BarTape:
    """A tape of bars; see the module."""

    start: PoolState
    first: int
    times: NDArray[np.int64]
    blocks: NDArray[np.int64]
    changes: Mapping[int, tuple[bool, Change]]
    ways: BarWays
    gained: Rows
    volumes: Bars
    #: every tick that comes up, in rising order, and its price
    ticks: NDArray[np.int32]
    ticks_prices: Rows

    def legs(self, first: int, behind: int) -> Legs:
        """Seven of each bar; those that lead nowhere cost nothing."""
        count = behind - first
        amounts, gained = np.zeros((2, count, _LEGS_OF_A_BAR, 2), np.uint64)
        prices = np.empty((count, _LEGS_OF_A_BAR, 3), np.uint64)
        prices[:, :4] = self._prices(self.ways.stops[first:behind])
        prices[:, 4], prices[:, 5] = _FURTHEST_DOWN, _FURTHEST_UP
        prices[:, 6] = prices[:, 3]
        for place, left in ((4, self.ways.left0), (5, self.ways.left1)):
            amounts[:, place] = _limbs_down(left[first:behind])
        gained[:, 0] = self.gained[first:behind]
        return Legs(
            np.tile(np.array([TO, TO, TO, TO, SELL0, SELL1, TO], np.int8), count),
            np.repeat(np.arange(first, behind), _LEGS_OF_A_BAR),
            amounts.reshape(-1, 2),
            prices.reshape(-1, 3),
            gained.reshape(-1, 2),
        )

    def swaps(self, first: int, behind: int, legs: Legs, went: Followed) -> SwapColumns:
        """One of each token's volume of a bar, at its own liquidity, ending at its close."""
        bars, part = self.volumes, slice(first, behind)
        came_in = np.stack((bars.in0[part], bars.in1[part]), axis=1)
        bar, token = np.nonzero(came_in.any(axis=2))
        # a third limb keeps what came in positive
        amounts = np.zeros((2, len(bar), 3), np.uint64)
        amounts[token, np.arange(len(bar)), :2] = came_in[bar, token]
        rows = bar + first
        return _events(
            self.blocks[rows],
            token.tolist(),
            (amounts[0], amounts[1]),
            self._prices(bars.close[rows]),
            bars.liquidity[rows],
            bars.close[rows],
            [""] * len(rows),
        )

    def _prices(self, ticks: NDArray[np.int32]) -> Rows:
        return self.ticks_prices[np.searchsorted(self.ticks, ticks)]


_FURTHEST_DOWN = to_limbs([MIN_SQRT_PRICE + 1], 3)[0]
_FURTHEST_UP = to_limbs([MAX_SQRT_PRICE - 1], 3)[0]


def _event_tape(market: Market, rows: Events) -> EventTape:
    swaps = np.flatnonzero(rows.kind == SWAP)
    if market.start is None:
        start, first = _recorded_state(rows), 1
        swaps = swaps[swaps >= first]
        active = np.concatenate((rows.liquidity[:1], rows.liquidity[swaps]))
        gained, changes = differences(active[1:], active[:-1]), {}
    else:
        start, first = market.start, 0
        gained = np.zeros((len(swaps), 2), np.uint64)
        changes = {
            row: (rows.kind[row] == MINT, change) for row, change in sorted(rows.changes.items())
        }
    if len(swaps) == 0:
        raise MarketDataError(f"{market.name}: holds no swap to replay behind its first row")
    sold0 = _is_positive(rows.amount0[swaps])
    return EventTape(
        start=start,
        first=first,
        times=rows.time,
        blocks=rows.block,
        changes=changes,
        swap_rows=swaps,
        kinds=np.where(sold0, SELL0, SELL1).astype(np.int8),
        amounts=np.where(sold0[:, None], rows.amount0[swaps], rows.amount1[swaps]),
        prices=rows.sqrt_price[swaps],
        gained=gained,
        senders=rows.senders,
        recorded=rows if market.start is None else None,
    )


def _bar_tape(market: Market, bars: Bars, block_s: Fraction) -> BarTape:
    times = bars.time + bars.step_s
    ticks = np.unique(np.concatenate((bars.open, bars.low, bars.high, bars.close)))
    prices = to_limbs([sqrt_price_at_tick(tick) for tick in ticks.tolist()], 3)
    start = _flat(int(bars.open[0]), sqrt_price_at_tick(int(bars.open[0])), bars.liquidity)
    return BarTape(
        start=start,
        first=0,
        times=times,
        blocks=times * block_s.denominator // block_s.numerator,
        changes={},
        ways=bar_ways(bars, market.pool.fee_pips),
        gained=differences(
            bars.liquidity, np.concatenate((bars.liquidity[:1], bars.liquidity[:-1]))
        ),
        volumes=bars,
        ticks=ticks,
        ticks_prices=prices,
    )


def _recorded_state(rows: Events) -> PoolState:
    """The pool as the first row leaves it; of its ticks nothing is known."""
    price = SqrtPriceX96(from_limbs(rows.sqrt_price[:1])[0])
    state = _flat(int(rows.tick[0]), price, rows.liquidity)
    above = tick_at_sqrt_price(price)
    return state if state.tick in (above, above - 1) else replace(state, tick=above)


def _flat(tick: int, price: SqrtPriceX96, liquidity: Rows) -> PoolState:
    """A pool whose liquidity is the first of these, wherever the price goes."""
    return PoolState(
        sqrt_price_x96=price,
        tick=tick,
        liquidity=Liquidity(from_limbs(liquidity[:1])[0]),
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        fee_protocol=0,
        ticks=(),
        known=_EVERYWHERE,
    )


def _limbs_down(raw: NDArray[np.float64]) -> Rows:
    """Amounts of at least 0 and below 2**128, rounded down, as two limbs each."""
    whole = np.floor(raw)
    # exact, as both are by a power of two; the remainder of a division takes longer
    high = np.floor(whole * 2.0**-64)
    return np.stack((whole - high * 2.0**64, high), axis=1).astype(np.uint64)


def _is_positive(amounts: Rows) -> NDArray[np.bool_]:
    positive: NDArray[np.bool_] = (amounts[:, 1] >> _63 == 0) & (amounts != 0).any(axis=1)
    return positive


def _told(events: Events, rows: NDArray[np.int64]) -> SwapColumns:
    return _events(
        events.block[rows],
        range(len(rows)),
        (events.amount0[rows], events.amount1[rows]),
        events.sqrt_price[rows],
        events.liquidity[rows],
        events.tick[rows],
        events.senders.at(rows),
    )


def _done(
    blocks: NDArray[np.int64],
    senders: Senders,
    first: int,
    behind: int,
    legs: Legs,
    went: Followed,
) -> SwapColumns:
    """What moved the pool: sales are their senders', and who followed the market nobody knows."""
    low, high = np.searchsorted(legs.rows[: went.legs], (first, behind))
    moved = low + np.flatnonzero((went.amounts0[low:high] | went.amounts1[low:high]).any(axis=1))
    sold = (legs.kinds[moved] != TO).tolist()
    recorded = senders.at(legs.rows[moved])
    return _events(
        blocks[legs.rows[moved]],
        range(len(moved)),
        (went.amounts0[moved], went.amounts1[moved]),
        went.prices[moved],
        went.liquidities[moved],
        went.ticks[moved],
        [sender if is_sale else "" for sender, is_sale in zip(recorded, sold, strict=True)],
    )


def _events(
    blocks: NDArray[np.int64],
    numbers: Sequence[int],
    amounts: tuple[Rows, Rows],
    prices: Rows,
    liquidities: Rows,
    ticks: NDArray[np.int64] | NDArray[np.int32],
    senders: Sequence[str],
) -> SwapColumns:
    """The events in these columns; nothing tells their transactions."""
    amounts0, amounts1 = amounts
    return SwapColumns(
        block_numbers=blocks.tolist(),
        log_indices=numbers,
        tx_hashes=[""] * len(blocks),
        senders=senders,
        amounts0=from_limbs(amounts0, signed=True),
        amounts1=from_limbs(amounts1, signed=True),
        sqrt_prices_x96=from_limbs(prices),
        liquidities=from_limbs(liquidities),
        ticks=ticks.tolist(),
    )
