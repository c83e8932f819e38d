"""A pool on the way of a market, exactly as `Pool` would go it, in compiled code.

Where numba is not installed, the Python engine does the same.
"""

from __future__ import annotations

from lpmanager.amm.fast.legs import Followed, Legs
from lpmanager.amm.pool import Pool
from lpmanager.model import MAX_TICK, MIN_TICK

try:
    import numba  # noqa: F401
except ImportError:
    from lpmanager.amm.fast.follow_one_by_one import follow_all
else:
    from lpmanager.amm.fast.engine import follow_all


def follow(pool: Pool, legs: Legs, lowest: int = MIN_TICK, highest: int = MAX_TICK + 1) -> Followed:
    """Take the pool the way of a market, all in its present block.

    It ends with the first row of the market that leaves the pool's tick outside [lowest, highest).
    Where a leg raises PoolRevert, TickDataMissing or ValueError, the message names the row and the
    pool is unchanged.
    """
    return follow_all(pool, legs, lowest, highest)
