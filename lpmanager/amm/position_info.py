"""What a pool keeps of a position, and how that changes. Formulas: Position of the contracts."""

from __future__ import annotations

from typing import NamedTuple

from lpmanager.amm.full_math import Q128, Q256, mul_div_down
from lpmanager.amm.reverts import PoolRevert
from lpmanager.amm.tick_info import add_liquidity


class PositionInfo(NamedTuple):
    """A position in the pool's own books, at its last change."""

    liquidity: int
    fee_growth_inside0_last_x128: int
    fee_growth_inside1_last_x128: int
    tokens_owed0: int
    tokens_owed1: int


NO_POSITION = PositionInfo(0, 0, 0, 0, 0)


def updated(position: PositionInfo, delta: int, inside_x128: tuple[int, int]) -> PositionInfo:
    """The position after its fees were added to what is owed (down), and `delta` to its liquidity.

    Owed amounts wrap at uint128. Raises PoolRevert: NP where there is nothing to bring up to
    date, LS or LA where the liquidity does not fit.
    """
    if delta == 0 and position.liquidity == 0:
        raise PoolRevert("NP")
    held, last0, last1, owed0, owed1 = position
    return PositionInfo(
        add_liquidity(held, delta),
        *inside_x128,
        (owed0 + mul_div_down((inside_x128[0] - last0) % Q256, held, Q128)) % Q128,
        (owed1 + mul_div_down((inside_x128[1] - last1) % Q256, held, Q128)) % Q128,
    )
