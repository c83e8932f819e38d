"""The workload's pool, as lpmanager builds it."""

from __future__ import annotations

from lpmanager.amm.pool import Pool
from side_by_side.workload import FEE_PIPS, SQRT_PRICE_X96, TICK_SPACING, Workload


def pool_of(workload: Workload) -> Pool:
    """A whole pool with every position minted."""
    pool = Pool(FEE_PIPS, TICK_SPACING)
    pool.initialize(SQRT_PRICE_X96)
    for number, position in enumerate(workload.positions):
        pool.mint(f"owner {number}", *position)
    return pool
