"""One step of a swap: inside one liquidity, towards one target price."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.amm.full_math import mul_div_down, mul_div_up
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapStep:
    """Where a step ended, and its raw amounts. `fee` is in the input token, beside `amount_in`."""

    sqrt_price_x96: SqrtPriceX96
    amount_in: int
    amount_out: int
    fee: int


def compute_swap_step(
    sqrt_price_x96: SqrtPriceX96,
    target_x96: SqrtPriceX96,
    liquidity: Liquidity,
    amount_remaining: int,
    fee_pips: int,
) -> SwapStep:
    """Move the price towards `target_x96` as far as `amount_remaining` goes.

    A positive remainder is input still to spend, fee included; a negative one is output still
    wanted. Input and fee round up, output rounds down. Formula: SwapMath of the core contracts.
    """
    zero_for_one = sqrt_price_x96 >= target_x96
    if amount_remaining >= 0:
        return _exact_input(
            sqrt_price_x96, target_x96, liquidity, amount_remaining, fee_pips, zero_for_one
        )
    return _exact_output(
        sqrt_price_x96, target_x96, liquidity, -amount_remaining, fee_pips, zero_for_one
    )


def _exact_input(
    start: SqrtPriceX96,
    target: SqrtPriceX96,
    liquidity: Liquidity,
    available: int,
    fee_pips: int,
    zero_for_one: bool,
) -> SwapStep:
    net = mul_div_down(available, PIPS - fee_pips, PIPS)
    to_target = _input_up(start, target, liquidity, zero_for_one)
    reaches = net >= to_target
    end = target if reaches else next_sqrt_price_from_input(start, liquidity, net, zero_for_one)
    amount_in = _input_up(start, end, liquidity, zero_for_one)
    return SwapStep(
        sqrt_price_x96=end,
        amount_in=amount_in,
        amount_out=_output_down(start, end, liquidity, zero_for_one),
        # Short of the target everything is spent, so rounding dust goes to the fee.
        fee=_fee_up(amount_in, fee_pips) if end == target else available - amount_in,
    )


def _exact_output(
    start: SqrtPriceX96,
    target: SqrtPriceX96,
    liquidity: Liquidity,
    wanted: int,
    fee_pips: int,
    zero_for_one: bool,
) -> SwapStep:
    reaches = wanted >= _output_down(start, target, liquidity, zero_for_one)
    end = target if reaches else next_sqrt_price_from_output(start, liquidity, wanted, zero_for_one)
    amount_in = _input_up(start, end, liquidity, zero_for_one)
    return SwapStep(
        sqrt_price_x96=end,
        amount_in=amount_in,
        # The rounded price may have moved a little too far; nobody gets more than was wanted.
        amount_out=min(wanted, _output_down(start, end, liquidity, zero_for_one)),
        fee=_fee_up(amount_in, fee_pips),
    )


def _input_up(a: SqrtPriceX96, b: SqrtPriceX96, liquidity: Liquidity, zero_for_one: bool) -> int:
    delta_up = amount0_delta_up if zero_for_one else amount1_delta_up
    return delta_up(a, b, liquidity)


def _output_down(a: SqrtPriceX96, b: SqrtPriceX96, liquidity: Liquidity, zero_for_one: bool) -> int:
    delta_down = amount1_delta_down if zero_for_one else amount0_delta_down
    return delta_down(a, b, liquidity)


def _fee_up(amount_in: int, fee_pips: int) -> int:
    return mul_div_up(amount_in, fee_pips, PIPS - fee_pips)
