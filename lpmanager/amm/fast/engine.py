"""Many swaps by the compiled engine."""

from __future__ import annotations

from lpmanager.amm.fast import kernel, one_by_one
from lpmanager.amm.fast.batch import batch_of, swaps_of
from lpmanager.amm.fast.market import give_back, market_of
from lpmanager.amm.fast.orders import Orders
from lpmanager.amm.fast.swaps import Swaps
from lpmanager.amm.pool import Pool


def swap_all(pool: Pool, orders: Orders) -> Swaps:
    """Carry the swaps out one after another. Raises what `Pool.swap` does, the pool unchanged."""
    try:
        batch = batch_of(orders)
    except OverflowError:
        return one_by_one.swap_all(pool, orders)
    market = market_of(pool)
    if kernel.swap_all(market, batch) < len(orders.zero_for_one):
        # One of them cannot be carried out, and the Python engine says why.
        return one_by_one.swap_all(pool, orders)
    give_back(market, pool)
    return swaps_of(batch)
