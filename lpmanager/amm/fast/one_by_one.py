"""Many swaps by the Python engine: where the compiled one cannot be had, and to refuse a call."""

from __future__ import annotations

from lpmanager.amm.fast.orders import Orders
from lpmanager.amm.fast.swaps import Swaps
from lpmanager.amm.pool import Pool


def swap_all(pool: Pool, orders: Orders) -> Swaps:
    """Carry the swaps out one after another. Raises what `Pool.swap` does, the pool unchanged."""
    worked_on = pool.copy()
    done = [orders.swap(worked_on, number) for number in range(len(orders.zero_for_one))]
    pool.become(worked_on)
    return Swaps(
        amount0=tuple(result.amount0 for result in done),
        amount1=tuple(result.amount1 for result in done),
        sqrt_price_x96=tuple(result.sqrt_price_x96 for result in done),
        liquidity=tuple(result.liquidity for result in done),
        tick=tuple(result.tick for result in done),
    )
