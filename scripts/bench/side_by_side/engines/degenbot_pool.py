"""degenbot's UniswapV3Pool, on the path of its that is exact.

Its public swap calls say `simulate_exact_...`; `inner` calls what they wrap, with less around it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter

from degenbot.uniswap.types import (
    UniswapV3BitmapAtWord,
    UniswapV3LiquidityAtTick,
    UniswapV3PoolState,
)
from degenbot.uniswap.v3_liquidity_pool import UniswapV3Pool

from side_by_side.serving import Round, calculated, forget_cached, serve
from side_by_side.workload import (
    FEE_PIPS,
    FULL_RANGE,
    SQRT_PRICE_X96,
    TICK_SPACING,
    Order,
    Row,
    Workload,
)

ADDRESS, TOKEN0, TOKEN1 = "pool", "token0", "token1"
#: (pool, state before, order) -> (amount0, amount1, state after)
Swap = Callable[[UniswapV3Pool, UniswapV3PoolState, Order], tuple[int, int, UniswapV3PoolState]]


def pool_at(state: UniswapV3PoolState) -> UniswapV3Pool:
    """A pool without a node to read from, which its constructor asks for.

    Its search through the bitmap's words is what `sparse_liquidity_map` chooses; its other one, for
    a map that is known to be whole, goes wrong upwards from the last tick of a word.
    """
    pool = UniswapV3Pool.__new__(UniswapV3Pool)
    pool.address, pool.token0, pool.token1 = ADDRESS, TOKEN0, TOKEN1
    pool.fee, pool.tick_spacing = FEE_PIPS, TICK_SPACING
    pool.sparse_liquidity_map = True
    pool._state = state
    return pool


def first_state(workload: Workload) -> UniswapV3PoolState:
    words = FULL_RANGE // TICK_SPACING // 256 + 1
    return UniswapV3PoolState(
        pool=ADDRESS,
        liquidity=workload.liquidity,
        sqrt_price_x96=SQRT_PRICE_X96,
        tick=0,
        # The search asks only whether a word is known; the ticks themselves are in tick_data.
        tick_bitmap={word: UniswapV3BitmapAtWord() for word in range(-words, words + 1)},
        tick_data={
            tick: UniswapV3LiquidityAtTick(liquidity_net=net, liquidity_gross=gross)
            for tick, (gross, net) in workload.ticks().items()
        },
    )


def public(
    pool: UniswapV3Pool, state: UniswapV3PoolState, order: Order
) -> tuple[int, int, UniswapV3PoolState]:
    zero_for_one, amount = order
    if amount > 0:
        token_in = TOKEN0 if zero_for_one else TOKEN1
        done = pool.simulate_exact_input_swap(token_in, amount, override_state=state)
    else:
        token_out = TOKEN1 if zero_for_one else TOKEN0
        done = pool.simulate_exact_output_swap(token_out, -amount, override_state=state)
    return done.amount0_delta, done.amount1_delta, done.final_state


def inner(
    pool: UniswapV3Pool, state: UniswapV3PoolState, order: Order
) -> tuple[int, int, UniswapV3PoolState]:
    amount0, amount1, price, liquidity, tick = pool._calculate_swap(*order, order.limit, state)
    bitmap, ticks = state.tick_bitmap, state.tick_data
    return amount0, amount1, UniswapV3PoolState(ADDRESS, liquidity, price, tick, bitmap, ticks)


def engine(workload: Workload, swap: Swap) -> Callable[[], Round]:
    first = first_state(workload)
    pool = pool_at(first)

    def run() -> Round:
        forget_cached("degenbot")
        state, results = first, []
        began = perf_counter()
        for order in workload.orders:
            result = swap(pool, state, order)
            state = result[2]
            results.append(result)
        seconds = perf_counter() - began
        rows = [
            Row(s.sqrt_price_x96, s.tick, s.liquidity, calculated(order, amount0, amount1))
            for order, (amount0, amount1, s) in zip(workload.orders, results, strict=True)
        ]
        return Round(seconds, rows)

    return run


if __name__ == "__main__":
    serve(partial(engine, swap={"public": public, "inner": inner}[sys.argv[2]]))
