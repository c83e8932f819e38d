"""Many swaps at once, exactly as `Pool` carries them out, in compiled code.

Where numba is not installed, the Python engine does the same, and a warning says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from lpmanager.amm.fast.orders import Orders
from lpmanager.amm.fast.swaps import Swaps
from lpmanager.amm.pool import Pool

try:
    import numba  # noqa: F401
except ImportError as reason:
    from lpmanager.amm.fast.one_by_one import swap_all

    warnings.warn(
        f"numba cannot be had ({reason}), so swap_many takes the Python engine, which is as exact "
        "and much slower; to have the compiled one: pip install 'lpmanager[backtest]'",
        RuntimeWarning,
        stacklevel=2,
    )
else:
    from lpmanager.amm.fast.engine import swap_all

__all__ = ["Swaps", "swap_many"]


def swap_many(
    pool: Pool,
    zero_for_one: Sequence[bool],
    amounts_specified: Sequence[int],
    sqrt_price_limits_x96: Sequence[int | None] | None = None,
) -> Swaps:
    """Swap again and again on the pool, all in its present block: `Pool.swap` for each in turn.

    Amounts are raw, positive for exact input and negative for exact output; a limit of None goes as
    far as prices go. Where a swap raises PoolRevert, TickDataMissing or ValueError, the message
    names its index and the pool is unchanged, as if none had taken place. Formulas: as in `Pool`.
    """
    orders = Orders(zero_for_one, amounts_specified, sqrt_price_limits_x96)
    orders.require_sound()
    return swap_all(pool, orders)
