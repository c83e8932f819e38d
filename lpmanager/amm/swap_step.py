"""One step of a swap: inside one liquidity, towards one target price."""

from __future__ import annotations

from lpmanager.amm.full_math import div_up
from lpmanager.amm.sqrt_price import (
    amount0_delta_down,
    amount0_delta_up,
    amount1_delta_down,
    amount1_delta_up,
    next_sqrt_price_from_input,
    next_sqrt_price_from_output,
)
from lpmanager.model import Liquidity, SqrtPriceX96

#: Fees are in millionths.
PIPS = 1_000_000


def compute_swap_step(
    sqrt_price_x96: SqrtPriceX96,
    target_x96: SqrtPriceX96,
    liquidity: Liquidity,
    amount_remaining: int,
    fee_pips: int,
) -> tuple[SqrtPriceX96, int, int, int]:
    """Move the price towards `target_x96` as far as `amount_remaining` goes.

    A positive remainder is input still to spend, fee included; a negative one is output still
    wanted. Gives (sqrt price where it ended, amount in, amount out, fee): raw amounts, the fee in
    the input token and beside the amount in. Input and fee round up, output rounds down. Formula:
    SwapMath of v4-core.
    """
    zero_for_one = sqrt_price_x96 >= target_x96
    if zero_for_one:
        input_up, output_down = amount0_delta_up, amount1_delta_down
    else:
        input_up, output_down = amount1_delta_up, amount0_delta_down
    if amount_remaining >= 0:
        net = amount_remaining * (PIPS - fee_pips) // PIPS
        amount_in = input_up(sqrt_price_x96, target_x96, liquidity)
        if net < amount_in:
            end = next_sqrt_price_from_input(sqrt_price_x96, liquidity, net, zero_for_one)
            amount_in = input_up(sqrt_price_x96, end, liquidity)
            # Short of the target everything is spent, so rounding dust goes to the fee.
            fee = amount_remaining - amount_in
            return end, amount_in, output_down(sqrt_price_x96, end, liquidity), fee
        amount_out = output_down(sqrt_price_x96, target_x96, liquidity)
    else:
        amount_out = output_down(sqrt_price_x96, target_x96, liquidity)
        if -amount_remaining < amount_out:
            target_x96 = next_sqrt_price_from_output(
                sqrt_price_x96, liquidity, -amount_remaining, zero_for_one
            )
            # The rounded price may have moved a little too far; nobody gets more than was wanted.
            amount_out = min(-amount_remaining, output_down(sqrt_price_x96, target_x96, liquidity))
        amount_in = input_up(sqrt_price_x96, target_x96, liquidity)
    return target_x96, amount_in, amount_out, div_up(amount_in * fee_pips, PIPS - fee_pips)
