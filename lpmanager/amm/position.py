"""What a position holds: its fees not yet collected, and its principal."""

from __future__ import annotations

from lpmanager.amm.full_math import Q128, Q256, mul_div_down
from lpmanager.amm.liquidity import amounts_for_liquidity_down
from lpmanager.model import Liquidity, Position, SqrtPriceX96


def uncollected_fees(position: Position) -> tuple[int, int]:
    """Raw (token0, token1) that `collect` pays at the position's block, rounded down.

    The sum of what is owed since the last change and the growth since then, truncated to uint128
    as the position manager does.
    Warning: where several NFTs of one manager share a range, the pool rounds their common fees
    once more; the last one to collect may be paid a few raw units less.
    """
    return (
        _owed_down(
            position.tokens_owed0,
            position.liquidity,
            position.fee_growth_inside0_x128,
            position.fee_growth_inside0_last_x128,
        ),
        _owed_down(
            position.tokens_owed1,
            position.liquidity,
            position.fee_growth_inside1_x128,
            position.fee_growth_inside1_last_x128,
        ),
    )


def principal_down(position: Position, sqrt_price_x96: SqrtPriceX96) -> tuple[int, int]:
    """Raw (token0, token1) that burning all liquidity pays at this price, rounded down."""
    return amounts_for_liquidity_down(sqrt_price_x96, position.range, position.liquidity)


def _owed_down(owed: int, liquidity: Liquidity, inside_x128: int, last_x128: int) -> int:
    grown = mul_div_down((inside_x128 - last_x128) % Q256, liquidity, Q128)
    return (owed + grown) % Q128
