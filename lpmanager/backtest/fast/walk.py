"""One row's way through the edges of our ranges, in compiled code.

A move through a range pays the range by the part of the way inside, whatever others hold: of raw
token0 it takes L (1/a - 1/b) on the way from b down to a, of token1 L (b - a) on the way up.
Formulas: SqrtPriceMath of v4-core, without its rounding.
"""

from __future__ import annotations

import numpy as np

from lpmanager.amm.fast.jit import compiled
from lpmanager.backtest.fast import columns
from lpmanager.backtest.fast.columns import CHURN0, CHURN1, CLOSE, OPEN, FastRows
from lpmanager.backtest.fast.positions import (
    FEES0,
    FEES1,
    LIQUIDITY,
    LOST,
    LOWER,
    UPPER,
    Earned,
    Held,
)
from lpmanager.backtest.report.run import Numbers


@compiled
def walk_row(
    rows: FastRows, row: int, before: float, quote_is_token0: bool, held: Held, earned: Earned
) -> None:
    """Add the fees and the loss of one row, whose path begins at the price `before`."""
    numbers, price = rows.numbers, before
    left0, left1 = numbers[CHURN0, row], numbers[CHURN1, row]
    others, stop = numbers[columns.LIQUIDITY, row], OPEN
    while True:
        end = numbers[min(stop, CLOSE), row]
        if stop > CLOSE:
            if left0 > 0:
                end, left0 = _sell0(price, left0, others, held.numbers)
            elif left1 > 0:
                end, left1 = _sell1(price, left1, others, held.numbers)
            elif price == end:
                break
        else:
            stop += 1
        _move(price, end, rows.earned0, rows.earned1, held.numbers, earned)
        price = end
    _lose(before, price, quote_is_token0, held.numbers, earned)


@compiled
def _move(
    start: float, end: float, earned0: float, earned1: float, ours: Numbers, earned: Earned
) -> None:
    """A move to a price, however much that takes."""
    for place in range(ours.shape[1]):
        low = max(min(start, end), ours[LOWER, place])
        high = min(max(start, end), ours[UPPER, place])
        if high > low:
            traded = ours[LIQUIDITY, place] * (high - low)
            if end < start:
                earned[FEES0, place] += traded / (low * high) * earned0
            else:
                earned[FEES1, place] += traded * earned1


@compiled
def _lose(
    before: float, close: float, quote_is_token0: bool, ours: Numbers, earned: Earned
) -> None:
    """What was held before the row, valued at its close, less what the position is worth there."""
    scale = close * close if quote_is_token0 else 1.0
    for place in range(ours.shape[1]):
        start = min(max(before, ours[LOWER, place]), ours[UPPER, place])
        end = min(max(close, ours[LOWER, place]), ours[UPPER, place])
        of_unit = (end - start) * (close * close / (start * end) - 1)
        earned[LOST, place] += ours[LIQUIDITY, place] * of_unit / scale


@compiled
def _sell0(price: float, amount: float, others: float, ours: Numbers) -> tuple[float, float]:
    """Sell raw token0 as far as the next edge of ours: the price there, and what is left."""
    active, edge = others, 0.0
    for place in range(ours.shape[1]):
        low, high = ours[LOWER, place], ours[UPPER, place]
        if low < price <= high:
            active += ours[LIQUIDITY, place]
        if low < price:
            edge = max(edge, high if high < price else low)
    if active <= 0:
        return (edge, amount) if edge > 0 else (price, 0.0)
    end = price / (1 + price * amount / active)
    if end > edge:
        return end, 0.0
    return edge, amount - active * (price - edge) / (price * edge)


@compiled
def _sell1(price: float, amount: float, others: float, ours: Numbers) -> tuple[float, float]:
    """Sell raw token1 as far as the next edge of ours: the price there, and what is left."""
    active, edge = others, np.inf
    for place in range(ours.shape[1]):
        low, high = ours[LOWER, place], ours[UPPER, place]
        if low <= price < high:
            active += ours[LIQUIDITY, place]
        if high > price:
            edge = min(edge, low if low > price else high)
    if active <= 0:
        return (edge, amount) if edge < np.inf else (price, 0.0)
    end = price + amount / active
    if end < edge:
        return end, 0.0
    return edge, amount - active * (edge - price)
