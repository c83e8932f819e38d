"""One step of a swap in compiled code: inside one liquidity, towards one target price.

Prices are Q96 in three limbs, liquidity has two, amounts four. Prices must lie within what ticks
can express: no move of the price then takes or gives 2**192 raw units or more, and nothing here
overflows.

Formulas: SqrtPriceMath and SwapMath of v4-core. Two divisions in a row that round the same way are
one division by the product.
"""

from __future__ import annotations

import numpy as np

from lpmanager.amm.fast.division import SmallDivisor, divide, divide_small, small_divisor
from lpmanager.amm.fast.jit import compiled, inlined, spliced
from lpmanager.amm.fast.limbs import Flag, Limb, Wide, add, less, multiply, subtract
from lpmanager.amm.swap_step import PIPS

_0 = np.uint64(0)
_1 = np.uint64(1)
_32 = np.uint64(32)
_LOW_32_BITS = np.uint64(2**32 - 1)
_PIPS = np.uint64(PIPS)

#: A pool's fee in millionths, the rest of a million, and both divisors that go with them.
FeeTerms = tuple[Limb, Limb, SmallDivisor, SmallDivisor]


@spliced
def fee_terms(fee_pips: int) -> FeeTerms:
    """What `step_towards` needs of a pool's fee, in millionths."""
    fee = np.uint64(fee_pips)
    return fee, _PIPS - fee, small_divisor(_PIPS), small_divisor(_PIPS - fee)


@spliced
def step_towards(
    price: Wide,
    target: Wide,
    liquidity: Wide,
    remaining: Wide,
    exact_in: Flag,
    zero_for_one: Flag,
    terms: FeeTerms,
) -> tuple[Wide, Wide, Wide, Wide]:
    """(Price where the step ends, amount in, amount out, fee).

    `remaining` is input still to spend, or output still wanted. Input and fee round up, output
    rounds down.
    """
    fee, rest_of_fee, by_pips, by_rest_of_fee = terms
    if exact_in:
        net, _ = divide_small(multiply(remaining, (rest_of_fee,)), by_pips)
        amount_in = _input_up(price, target, liquidity, zero_for_one)
        if less(net, amount_in):
            end = _price_after_input(price, liquidity, net, zero_for_one)
            amount_in = _input_up(price, end, liquidity, zero_for_one)
            amount_out = _output_down(price, end, liquidity, zero_for_one)
            # Short of the target everything is spent, so rounding dust goes to the fee.
            return end, amount_in, amount_out, subtract(remaining, amount_in)
        end = target
        amount_out = _output_down(price, target, liquidity, zero_for_one)
    else:
        end = target
        amount_out = _output_down(price, target, liquidity, zero_for_one)
        if less(remaining, amount_out):
            end = _price_after_output(price, liquidity, remaining, zero_for_one)
            amount_out = _output_down(price, end, liquidity, zero_for_one)
            # The rounded price may have moved a little too far; nobody gets more than was wanted.
            if less(remaining, amount_out):
                amount_out = remaining
        amount_in = _input_up(price, end, liquidity, zero_for_one)
    quotient, inexact = divide_small(multiply(amount_in, (fee,)), by_rest_of_fee)
    return end, amount_in, amount_out, _rounded_up(quotient, inexact)


@inlined
def _input_up(price: Wide, end: Wide, liquidity: Wide, zero_for_one: Flag) -> Wide:
    if zero_for_one:
        quotient, inexact = _amount0(end, price, liquidity)
    else:
        quotient, inexact = _amount1(price, end, liquidity)
    return _rounded_up(quotient, inexact)


@inlined
def _output_down(price: Wide, end: Wide, liquidity: Wide, zero_for_one: Flag) -> Wide:
    if zero_for_one:
        return _amount1(end, price, liquidity)[0]
    return _amount0(price, end, liquidity)[0]


@inlined
def _amount0(low: Wide, high: Wide, liquidity: Wide) -> tuple[Wide, Flag]:
    """Raw token0 between two prices: rounded down, and whether it is inexact."""
    numerator = _shift_left_96(multiply(liquidity, subtract(high, low)))
    d0, d1, d2, d3, d4, d5 = multiply(low, high)
    if d4 | d5 == _0:
        return divide(numerator, (d0, d1, d2, d3))
    first, first_inexact = divide(numerator, (high[0], high[1], high[2], _0))
    f0, f1, f2, f3 = first
    second, inexact = divide((f0, f1, f2, f3, _0, _0), (low[0], low[1], low[2], _0))
    return second, first_inexact | inexact


@inlined
def _amount1(low: Wide, high: Wide, liquidity: Wide) -> tuple[Wide, Flag]:
    """Raw token1 between two prices: rounded down, and whether it is inexact."""
    p0, p1, p2, p3, p4 = multiply(liquidity, subtract(high, low))
    quotient = p1 >> _32 | p2 << _32, p2 >> _32 | p3 << _32, p3 >> _32 | p4 << _32, p4 >> _32
    return quotient, (p0 | p1 & _LOW_32_BITS) != _0


@compiled
def _price_after_input(price: Wide, liquidity: Wide, net: Wide, zero_for_one: Flag) -> Wide:
    """The price after input short of the target's, rounded so that the pool never loses."""
    if not zero_for_one:
        quotient, _ = _per_liquidity_x96(net, liquidity)
        return add(price, (quotient[0], quotient[1], quotient[2]))
    if net[0] | net[1] | net[2] == _0:
        return price
    reserve = _reserve(liquidity)
    added = multiply((net[0], net[1], net[2]), price)
    s0, s1, s2, s3, s4, s5 = add(added, reserve)
    if s4 | s5 == _0:
        quotient, inexact = divide(_shift_left_96(multiply(liquidity, price)), (s0, s1, s2, s3))
    else:
        # The contract's 256 bits overflow here, and it falls back to a coarser quotient.
        r0, r1, r2, r3 = reserve
        coarse, _ = divide((r0, r1, r2, r3, _0, _0), (price[0], price[1], price[2], _0))
        quotient, inexact = divide((r0, r1, r2, r3, _0, _0), add(coarse, net))
    return _price_up(quotient, inexact)


@compiled
def _price_after_output(price: Wide, liquidity: Wide, wanted: Wide, zero_for_one: Flag) -> Wide:
    """The price after output short of the target's, rounded so that the pool never loses."""
    if zero_for_one:
        quotient, inexact = _per_liquidity_x96(wanted, liquidity)
        return subtract(price, _price_up(quotient, inexact))
    reserve = _reserve(liquidity)
    taken = multiply((wanted[0], wanted[1], wanted[2]), price)
    left = subtract(reserve, (taken[0], taken[1], taken[2], taken[3]))
    quotient, inexact = divide(_shift_left_96(multiply(liquidity, price)), left)
    return _price_up(quotient, inexact)


@inlined
def _per_liquidity_x96(amount: Wide, liquidity: Wide) -> tuple[Wide, Flag]:
    """`amount * 2**96 / liquidity`: rounded down, and whether it is inexact."""
    a0, a1, a2, _ = amount
    return divide(_shift_left_96((a0, a1, a2, _0, _0)), (liquidity[0], liquidity[1], _0, _0))


@inlined
def _reserve(liquidity: Wide) -> Wide:
    """Liquidity times 2**96."""
    l0, l1 = liquidity
    return _0, l0 << _32, l0 >> _32 | l1 << _32, l1 >> _32


@inlined
def _shift_left_96(limbs: Wide) -> Wide:
    """Five limbs below 2**288 times 2**96, in six."""
    p0, p1, p2, p3, p4 = limbs
    return (
        _0,
        p0 << _32,
        p0 >> _32 | p1 << _32,
        p1 >> _32 | p2 << _32,
        p2 >> _32 | p3 << _32,
        p3 >> _32 | p4 << _32,
    )


@inlined
def _rounded_up(quotient: Wide, inexact: Flag) -> Wide:
    return add(quotient, (np.uint64(inexact),))


@inlined
def _price_up(quotient: Wide, inexact: Flag) -> Wide:
    return add((quotient[0], quotient[1], quotient[2]), (np.uint64(inexact),))
