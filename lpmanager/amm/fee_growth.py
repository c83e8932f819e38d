"""Fee growth inside a range, in the contracts' wrapping 256-bit arithmetic."""

from __future__ import annotations

from lpmanager.amm.full_math import Q256
from lpmanager.model import TickRange


def fee_growth_inside(
    *,
    tick_range: TickRange,
    tick: int,
    global_x128: int,
    lower_outside_x128: int,
    upper_outside_x128: int,
) -> int:
    """One token's fee growth per unit of liquidity inside the range, in Q128, modulo 2**256.

    `*_outside_x128` is what each edge stores: growth on the far side of it, seen from the current
    tick. Warning: only differences of the result mean anything; take them modulo 2**256 too.
    Formula: Tick.getFeeGrowthInside of the core contracts.
    """
    at_or_above_lower = tick >= tick_range.lower
    below_upper = tick < tick_range.upper
    below = lower_outside_x128 if at_or_above_lower else global_x128 - lower_outside_x128
    above = upper_outside_x128 if below_upper else global_x128 - upper_outside_x128
    return (global_x128 - below - above) % Q256
