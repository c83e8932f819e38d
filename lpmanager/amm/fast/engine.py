"""Many swaps, or a market's legs, by the compiled engine."""

from __future__ import annotations

from lpmanager.amm.fast import follow_kernel, follow_one_by_one, kernel, one_by_one
from lpmanager.amm.fast.batch import batch_of, swaps_of
from lpmanager.amm.fast.legs import Followed, Legs, followed, room_for
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


def follow_all(pool: Pool, legs: Legs, lowest: int, highest: int) -> Followed:
    """Carry legs out up to the end of the first row with a tick outside [lowest, highest).

    Raises what `Pool.swap` does, the pool unchanged.
    """
    market, batch = market_of(pool), room_for(legs)
    done = follow_kernel.follow_all(market, batch, legs, lowest, highest)
    if done < 0:
        # One of them cannot be carried out, and the Python engine says why.
        return follow_one_by_one.follow_all(pool, legs, lowest, highest)
    give_back(market, pool)
    return followed(batch, done)
