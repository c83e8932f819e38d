"""Exact concentrated-liquidity maths in integers, equal to the contracts. Import from here."""

from lpmanager.amm.fee_growth import fee_growth_inside
from lpmanager.amm.full_math import div_up, mul_div_down, mul_div_up
from lpmanager.amm.liquidity import (
    LiquidityOverflow,
    amounts_between_down,
    amounts_for_liquidity_down,
    amounts_for_liquidity_up,
    liquidity_for_amounts_down,
    range_bounds,
)
from lpmanager.amm.pool import Pool, require_sound
from lpmanager.amm.position import principal_down, uncollected_fees
from lpmanager.amm.position_info import PositionInfo
from lpmanager.amm.reverts import PoolRevert
from lpmanager.amm.sizing import SwapSize, swap_for_deposit, swap_to_price, swap_to_weight
from lpmanager.amm.slippage import burn_minimums_down, mint_minimums_down, sqrt_price_bounds
from lpmanager.amm.sqrt_price import (
    amount0_delta_down,
    amount0_delta_up,
    amount1_delta_down,
    amount1_delta_up,
    next_sqrt_price_from_input,
    next_sqrt_price_from_output,
)
from lpmanager.amm.swap import SwapResult, SwapStep
from lpmanager.amm.swap_step import compute_swap_step
from lpmanager.amm.tick_info import TickInfo
from lpmanager.amm.tick_map import TickDataMissing
from lpmanager.amm.tick_math import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    sqrt_price_at_tick,
    tick_at_sqrt_price,
)

__all__ = [
    "MAX_SQRT_PRICE",
    "MIN_SQRT_PRICE",
    "LiquidityOverflow",
    "Pool",
    "PoolRevert",
    "PositionInfo",
    "SwapResult",
    "SwapSize",
    "SwapStep",
    "TickDataMissing",
    "TickInfo",
    "amount0_delta_down",
    "amount0_delta_up",
    "amount1_delta_down",
    "amount1_delta_up",
    "amounts_between_down",
    "amounts_for_liquidity_down",
    "amounts_for_liquidity_up",
    "burn_minimums_down",
    "compute_swap_step",
    "div_up",
    "fee_growth_inside",
    "liquidity_for_amounts_down",
    "mint_minimums_down",
    "mul_div_down",
    "mul_div_up",
    "next_sqrt_price_from_input",
    "next_sqrt_price_from_output",
    "principal_down",
    "range_bounds",
    "require_sound",
    "sqrt_price_at_tick",
    "sqrt_price_bounds",
    "swap_for_deposit",
    "swap_to_price",
    "swap_to_weight",
    "tick_at_sqrt_price",
    "uncollected_fees",
]
