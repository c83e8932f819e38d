"""lpmanager's Pool, one `swap` after another."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from side_by_side.ours import pool_of
from side_by_side.serving import Round, calculated, forget_cached, serve
from side_by_side.workload import Row, Workload


def engine(workload: Workload) -> Callable[[], Round]:
    start = pool_of(workload)

    def run() -> Round:
        forget_cached("lpmanager")
        pool, results = start.copy(), []
        began = perf_counter()
        for zero_for_one, amount_specified in workload.orders:
            results.append(pool.swap(zero_for_one, amount_specified))
        seconds = perf_counter() - began
        rows = [
            Row(r.sqrt_price_x96, r.tick, r.liquidity, calculated(order, r.amount0, r.amount1))
            for order, r in zip(workload.orders, results, strict=True)
        ]
        return Round(seconds, rows, (pool.fee_growth_global0_x128, pool.fee_growth_global1_x128))

    return run


if __name__ == "__main__":
    serve(engine)
