"""Small random markets for fast mode, and the exact pool taken through them row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from builders import a_pool, price_at

from lpmanager.amm import Pool
from lpmanager.amm.fast.packing import from_limbs, to_limbs
from lpmanager.backtest.markets.market import SWAP, Bars, Events, Market
from lpmanager.backtest.markets.senders import Senders
from lpmanager.backtest.replay.bar_ways import bar_ways
from lpmanager.model import PoolKey, TickRange
from lpmanager.model.tick import max_usable_tick, min_usable_tick

START = 1_700_000_000
MINUTE = 60
#: So much that a raw unit, the size of all rounding, is nothing.
DEEP = 10**26
_FURTHEST = 2**255 - 1
_US, _OTHERS = "us", "others"


def bars_of(
    *ticks: tuple[int, int, int, int],
    in0: Sequence[int] | None = None,
    in1: Sequence[int] | None = None,
    liquidity: Sequence[int] | None = None,
) -> Bars:
    """Minutes of (open, low, high, close)."""
    count = len(ticks)
    opens, low, high, close = np.array(ticks, np.int32).T
    return Bars(
        time=START + MINUTE * np.arange(count),
        open=opens,
        low=low,
        high=high,
        close=close,
        in0=to_limbs(in0 or [0] * count, 2),
        in1=to_limbs(in1 or [0] * count, 2),
        liquidity=to_limbs(liquidity or [DEEP] * count, 2),
        step_s=MINUTE,
    )


def market_of(rows: Bars | Events, pool: PoolKey | None = None) -> Market:
    return Market(name="small", chain_id=1, pool=pool or a_pool(), rows=rows, start=None, notes=())


def random_bars(seed: int, count: int = 60, step: int = 12) -> Bars:
    """Minutes that wander some ticks at a time, some with much more volume than their path."""
    random = np.random.default_rng(seed)
    close = np.cumsum(random.integers(-step, step + 1, count))
    opens = np.concatenate(([0], close[:-1])) + random.integers(-1, 2, count)
    low = np.minimum(opens, close) - random.integers(0, step, count)
    high = np.maximum(opens, close) + random.integers(0, step, count)
    raw = [[int(DEEP * x) for x in random.random(count) * 4e-3] for _ in range(2)]
    liquidity = [int(DEEP * x) for x in 0.5 + random.random(count)]
    ticks = zip(*(column.tolist() for column in (opens, low, high, close)), strict=True)
    return bars_of(*ticks, in0=raw[0], in1=raw[1], liquidity=liquidity)


def random_events(seed: int, count: int = 80, reach: int = 40) -> Events:
    """Swaps to prices anywhere between ticks; in some rows liquidity comes just in time."""
    random = np.random.default_rng(seed)
    ticks = np.cumsum(random.integers(-reach, reach + 1, count)).astype(np.int32)
    prices = [
        int(price_at(tick)) + (int(price_at(tick + 1)) - int(price_at(tick))) * part // 1_000
        for tick, part in zip(
            ticks.tolist(), random.integers(0, 1_000, count).tolist(), strict=True
        )
    ]
    deep = [DEEP * int(10 ** int(x)) for x in random.integers(0, 3, count)]
    nothing = to_limbs([0] * count, 2)
    return Events(
        block=np.arange(count),
        time=START + 12 * np.arange(count),
        kind=np.full(count, SWAP, np.uint8),
        amount0=nothing,
        amount1=nothing,
        sqrt_price=to_limbs(prices, 3),
        liquidity=to_limbs(deep, 2),
        tick=ticks,
        changes={},
        senders=Senders.unknown(count),
    )


@dataclass
class ExactPool:
    """The contract's arithmetic, led the way that a market's rows say."""

    market: Market
    pool: Pool

    @staticmethod
    def of(market: Market) -> ExactPool:
        key, rows = market.pool, market.rows
        pool = Pool(key.fee_pips, key.tick_spacing)
        first = (
            price_at(int(rows.open[0]))
            if isinstance(rows, Bars)
            else from_limbs(rows.sqrt_price[:1])[0]
        )
        pool.initialize(first)
        return ExactPool(market, pool)

    def before(self, row: int) -> None:
        """Others' liquidity as this row has it."""
        rows = self.market.rows
        self._set_others(from_limbs(rows.liquidity[row : row + 1])[0])

    def copy(self) -> ExactPool:
        return ExactPool(self.market, self.pool.copy())

    def mint(self, held: TickRange, liquidity: int) -> tuple[int, int]:
        return self.pool.mint(_US, held.lower, held.upper, liquidity)

    def withdraw(self, held: TickRange, liquidity: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """All of a position: its principal, and its fees."""
        principal = self.pool.burn(_US, held.lower, held.upper, liquidity)
        owed = self.pool.collect(_US, held.lower, held.upper, 2**128 - 1, 2**128 - 1)
        return principal, (owed[0] - principal[0], owed[1] - principal[1])

    def replay(self, row: int) -> None:
        """One row of the market."""
        rows = self.market.rows
        self.before(row)
        if isinstance(rows, Events):
            self._to(from_limbs(rows.sqrt_price[row : row + 1])[0])
            return
        ways = bar_ways(rows, self.pool.fee_pips)
        for tick in ways.stops[row].tolist():
            self._to(price_at(tick))
        for zero_for_one, left in ((True, ways.left0), (False, ways.left1)):
            if left[row] >= 1:
                self.pool.swap(zero_for_one, int(left[row]))
        self._to(price_at(int(rows.close[row])))

    def _to(self, price: int) -> None:
        if price != self.pool.sqrt_price_x96:
            self.pool.swap(price < self.pool.sqrt_price_x96, _FURTHEST, price)

    def _set_others(self, liquidity: int) -> None:
        everywhere = _everywhere(self.pool.tick_spacing)
        have = self.pool.positions.get((_OTHERS, *everywhere))
        more = liquidity - (have.liquidity if have else 0)
        if more > 0:
            self.pool.mint(_OTHERS, *everywhere, more)
        elif more < 0:
            self.pool.burn(_OTHERS, *everywhere, -more)


def _everywhere(spacing: int) -> tuple[int, int]:
    return min_usable_tick(spacing), max_usable_tick(spacing)
