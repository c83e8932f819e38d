"""Square roots of prices as floats: of ticks, and of the contract's Q96 integers.

Raw token1 per raw token0, without the factor 2**96. The price of a tick is the product of two
entries of a table, in compiled code and in numpy alike, so that equal ticks have equal floats; it
lies within 2**-51 of the contract's, relatively, for ticks that are not at the very ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm import sqrt_price_at_tick
from lpmanager.amm.fast.jit import inlined
from lpmanager.amm.fast.packing import Rows, differences, to_floats
from lpmanager.backtest.report.run import Numbers
from lpmanager.model import MAX_TICK, MIN_TICK

Q96 = 2.0**96
_BITS = 8
_LOW_MASK = (1 << _BITS) - 1
_FIRST, _LAST = MIN_TICK >> _BITS, MAX_TICK >> _BITS


def _coarse() -> Numbers:
    """The prices of every 256th tick. The first lies below MIN_TICK and has none of its own."""
    exact = [sqrt_price_at_tick(step << _BITS) / Q96 for step in range(_FIRST + 1, _LAST + 1)]
    return np.array([exact[0] / (sqrt_price_at_tick(1 << _BITS) / Q96), *exact])


_COARSE = _coarse()
_FINE = np.array([sqrt_price_at_tick(tick) / Q96 for tick in range(1 << _BITS)])


@inlined
def sqrt_price(tick: int) -> float:
    """The sqrt price of a tick, in compiled code."""
    return _COARSE[(tick >> _BITS) - _FIRST] * _FINE[tick & _LOW_MASK]  # type: ignore[no-any-return]


def sqrt_prices(ticks: NDArray[np.signedinteger[Any]]) -> Numbers:
    """The sqrt prices of ticks: the very floats of `sqrt_price`."""
    prices: Numbers = _COARSE[(ticks >> _BITS) - _FIRST] * _FINE[ticks & _LOW_MASK]
    return prices


def rises(before: Rows, after: Rows) -> Numbers:
    """`after - before` as floats, row by row.

    The integers are subtracted, so that the rise between neighbouring prices is as exact as any.
    Rows of limbs, unsigned, whose highest bit is 0.
    """
    up, down = differences(after, before), differences(before, after)
    return np.where(up[:, -1] >> np.uint64(63), -to_floats(down), to_floats(up))
