"""lpmanager's compiled engine, all swaps in one call with lists of Python integers.

"columns" leaves the results in the columns that the call returns; "read" makes Python integers of
every one of them too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from time import perf_counter

from lpmanager.amm.fast import swap_many
from side_by_side.ours import pool_of
from side_by_side.serving import Round, calculated, serve
from side_by_side.workload import Row, Workload


def engine(workload: Workload, *, reads: bool) -> Callable[[], Round]:
    if find_spec("numba") is None:
        sys.exit("numba is absent, so this would be the Python engine; install lpmanager[backtest]")
    start = pool_of(workload)
    directions = [order.zero_for_one for order in workload.orders]
    amounts = [order.amount_specified for order in workload.orders]

    def run() -> Round:
        pool = start.copy()
        began = perf_counter()
        done = swap_many(pool, directions, amounts)
        if reads:
            for column in (done.amount0, done.amount1, done.sqrt_price_x96, done.liquidity):
                list(column)
            list(done.tick)
        seconds = perf_counter() - began
        rows = [
            Row(price, tick, liquidity, calculated(order, amount0, amount1))
            for order, amount0, amount1, price, liquidity, tick in zip(
                workload.orders,
                done.amount0,
                done.amount1,
                done.sqrt_price_x96,
                done.liquidity,
                done.tick,
                strict=True,
            )
        ]
        return Round(seconds, rows, (pool.fee_growth_global0_x128, pool.fee_growth_global1_x128))

    return run


if __name__ == "__main__":
    serve(partial(engine, reads=sys.argv[2] == "read"))
