"""Liquidity, amounts and the swap into a range's ratio as floats, in compiled code."""

from __future__ import annotations

import math

import numpy as np

from lpmanager.amm.fast.jit import compiled, inlined


@inlined
def amounts_of(liquidity: float, price: float, low: float, high: float) -> tuple[float, float]:
    """Raw token0 and token1 of liquidity between two sqrt prices."""
    inside = min(max(price, low), high)
    return liquidity * (high - inside) / (inside * high), liquidity * (inside - low)


@inlined
def liquidity_of(amount0: float, amount1: float, price: float, low: float, high: float) -> float:
    """The most liquidity that raw amounts pay for between two sqrt prices."""
    inside = min(max(price, low), high)
    of0 = amount0 * inside * high / (high - inside) if inside < high else np.inf
    of1 = amount1 / (inside - low) if inside > low else np.inf
    return min(of0, of1)


@compiled
def price_into_ratio(
    amount0: float,
    amount1: float,
    price: float,
    low: float,
    high: float,
    active: float,
    fee: float,
) -> float:
    """The sqrt price to which a swap leads after which the amounts go up in [low, high] without a
    rest.

    The pool's active liquidity `active` (not 0) is taken for constant on the way; the swap pays the
    pool's fee. The price must be inside the range. With d the way of the sqrt price, the amounts
    after the swap in the ratio that the range takes there are a quadratic equation in d, of which
    this is the root on the way to balance, in the form that cancels nothing.
    """
    above0, below1 = high - price, price - low
    excess = amount0 * price * below1 - amount1 * above0 / high
    kept = 1 - fee
    if excess > 0:
        slope = amount0 + active / (kept * price)
        square = slope - active / high
        linear = amount0 * price + slope * below1 + (amount1 + active * above0) / high
        return price - 2 * excess / (linear + math.sqrt(linear * linear - 4 * square * excess))
    slope = amount0 + active / price
    square = slope - active / (kept * high)
    linear = amount0 * price + slope * below1 + (amount1 + active * above0 / kept) / high
    return price - 2 * excess / (linear + math.sqrt(linear * linear - 4 * square * excess))
