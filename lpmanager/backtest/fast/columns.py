"""A market as float columns: what the compiled loops read, 100 bytes a row."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.packing import to_floats
from lpmanager.amm.swap_step import PIPS
from lpmanager.backtest.fast.prices import Q96, rises, sqrt_prices
from lpmanager.backtest.markets.market import Bars, Events, Market, Ticks, Times
from lpmanager.backtest.replay.bar_ways import bar_ways
from lpmanager.backtest.report.run import Numbers

#: Rows worked on at once: what is worked out in between stays small.
_BLOCK = 1 << 16


#: Rows of `FastRows.numbers`.
OPEN, FIRST, SECOND, CLOSE, CHURN0, CHURN1, LIQUIDITY, DOWN, UP, LOSS = range(10)
#: Rows of `FastRows.reach`.
LOW, HIGH = range(2)


class FastRows(NamedTuple):
    """Columns of a market, and the pool's terms. They lie together in few arrays, because each
    array makes compiling longer; prices are sqrt prices of raw token1 per raw token0.

    `time` is when an event or a bar is over, in Unix seconds, and `tick` the recorded tick then;
    `start_*` are those before the first. `numbers` (10, n) are:

    * OPEN, FIRST, SECOND, CLOSE: where the price is led, from the close before or `start_price`.
      Of an event these are one price.
    * DOWN, UP: what a unit of liquidity that is active all that way takes in, without the fee: raw
      token0 on the way down, raw token1 on the way up.
    * LOSS: what it loses to arbitrage from close to close, against rebalancing to what it held
      before: raw token0 at the close.
    * CHURN0, CHURN1: raw volume beyond that way, without its fee. It is sold at the close one after
      the other, then the price returns to the close.
    * LIQUIDITY: the others' active liquidity.

    `reach` (2, n) bounds, rounded outwards, all that a row does to the price for any liquidity of
    ours: LOW and HIGH. `fee` is the pool's; `earned0` and `earned1` are the fees that liquidity
    providers get for each raw unit taken in, which is counted without the fee.
    """

    time: Times
    tick: Ticks
    numbers: Numbers
    reach: NDArray[np.float32]
    start_time: int
    start_tick: int
    start_price: float
    fee: float
    earned0: float
    earned1: float
    tick_spacing: int


def fast_columns(market: Market) -> FastRows:
    """The columns of a market, each float to about 15 digits.

    Where the pool before the first row is unknown, the first row begins at its own (opening) price.
    A bar's way and what it leaves of the volume is as `lpmanager.backtest.replay.bar_ways` says.
    """
    if isinstance(market.rows, Events):
        return _of_events(market, market.rows)
    return _of_bars(market, market.rows)


def _of_events(market: Market, events: Events) -> FastRows:
    """A row is one move of the price, and has no churn."""
    count = len(events)
    price = to_floats(events.sqrt_price) / Q96
    up = np.zeros(count)
    up[1:] = rises(events.sqrt_price[:-1], events.sqrt_price[1:]) / Q96
    if market.start is not None:
        up[0] = price[0] - market.start.sqrt_price_x96 / Q96
    before = np.concatenate((price[:1] - up[0], price[:-1]))
    numbers = np.zeros((10, count))
    numbers[[OPEN, FIRST, SECOND, CLOSE]] = price
    numbers[LIQUIDITY] = to_floats(events.liquidity)
    numbers[DOWN] = np.maximum(-up, 0.0) / (before * price)
    numbers[UP] = np.maximum(up, 0.0)
    numbers[LOSS] = up * up / (before * price * price)
    return FastRows(
        time=np.array(events.time, np.int64),
        tick=np.array(events.tick, np.int32),
        numbers=numbers,
        reach=_outwards(np.minimum(before, price), np.maximum(before, price)),
        start_time=int(events.time[0]),
        start_tick=int(events.tick[0]) if market.start is None else market.start.tick,
        start_price=float(before[0]),
        **_terms(market),
    )


def _of_bars(market: Market, bars: Bars) -> FastRows:
    count = len(bars)
    start_tick = int(bars.open[0]) if market.start is None else market.start.tick
    start_price = (
        float(sqrt_prices(bars.open[:1])[0])
        if market.start is None
        else market.start.sqrt_price_x96 / Q96
    )
    numbers, reach = np.empty((10, count)), np.empty((2, count), np.float32)
    before, ways, kept = start_price, bar_ways(bars, market.pool.fee_pips), 1 - _fee(market)
    for begin in range(0, count, _BLOCK):
        part = slice(begin, begin + _BLOCK)
        churn = ways.left0[part] * kept, ways.left1[part] * kept
        liquidity = to_floats(bars.liquidity[part])
        numbers[:, part], reach[:, part] = _block(ways.stops[part], before, churn, liquidity)
        before = float(numbers[CLOSE, part][-1])
    return FastRows(
        time=np.array(bars.time + bars.step_s, np.int64),
        tick=np.array(bars.close, np.int32),
        numbers=numbers,
        reach=reach,
        start_time=int(bars.time[0]),
        start_tick=start_tick,
        start_price=start_price,
        **_terms(market),
    )


def _outwards(low: Numbers, high: Numbers) -> NDArray[np.float32]:
    """Bounds in single precision that hold none the less."""
    return np.stack((_single_down(low), -_single_down(-high)))


def _single_down(values: Numbers) -> NDArray[np.float32]:
    """The nearest single-precision floats that are not above."""
    single = values.astype(np.float32)
    return np.where(single > values, np.nextafter(single, np.float32(-np.inf)), single)


def _fee(market: Market) -> float:
    return market.pool.fee_pips / PIPS


class _Terms(TypedDict):
    fee: float
    earned0: float
    earned1: float
    tick_spacing: int


def _terms(market: Market) -> _Terms:
    """The pool's terms. Its owner's share of the fees is 0 where the pool's start is unknown."""
    shares = 0 if market.start is None else market.start.fee_protocol
    fee = _fee(market)
    kept0, kept1 = (1 - 1 / share if share else 1.0 for share in (shares & 0xF, shares >> 4))
    return _Terms(
        fee=fee,
        earned0=fee / (1 - fee) * kept0,
        earned1=fee / (1 - fee) * kept1,
        tick_spacing=market.pool.tick_spacing,
    )


def _block(
    stops: Ticks, before: float, churn: tuple[Numbers, Numbers], liquidity: Numbers
) -> tuple[Numbers, NDArray[np.float32]]:
    """`numbers` and `reach` of some bars; `before` is the price before them."""
    prices = sqrt_prices(stops.T)
    close = prices[3]
    path = np.concatenate((np.concatenate(((before,), close[:-1]))[None], prices))
    moves = np.diff(path, axis=0)
    down = (np.maximum(-moves, 0.0) / (path[:-1] * path[1:])).sum(axis=0)
    up = np.maximum(moves, 0.0).sum(axis=0)
    fallen, risen = _furthest(close, *churn, liquidity)
    loss = (close - path[0]) ** 2 / (path[0] * close * close)
    numbers = (*prices, *churn, liquidity, down, up, loss)
    reach = _outwards(np.minimum(path.min(axis=0), fallen), np.maximum(path.max(axis=0), risen))
    return np.stack(numbers), reach


def _furthest(
    close: Numbers, churn0: Numbers, churn1: Numbers, liquidity: Numbers
) -> tuple[Numbers, Numbers]:
    """How far churn leads the price at most: with liquidity of ours in the pool it moves less.

    After the fall the rise ends at close - (a fall) + churn1 / liquidity, which is convex in
    1 / liquidity and so highest without us or at the close. Where nobody has liquidity there are no
    bounds.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        per0, per1 = (
            np.nan_to_num(churn / liquidity, nan=0.0, posinf=np.inf) for churn in (churn0, churn1)
        )
    fallen = close / (1 + close * per0)
    return fallen, np.where(churn1 > 0, fallen + per1, close)
