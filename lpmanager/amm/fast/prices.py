"""From ticks to sqrt prices and back in compiled code, to the last bit as the contract has it.

Ticks are int64, prices are Q96 in three limbs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm import tick_math
from lpmanager.amm.fast.division import divide
from lpmanager.amm.fast.jit import compiled, inlined
from lpmanager.amm.fast.limbs import Limb, Wide, add, leading_zeros, less, multiply, shift_left
from lpmanager.amm.fast.packing import Rows, to_limbs
from lpmanager.amm.fast.rows import load_three, store_three
from lpmanager.model import MAX_TICK, SqrtPriceX96

_0 = np.uint64(0)
_1 = np.uint64(1)
_32 = np.uint64(32)
_55 = np.uint64(55)
_LOW_32_BITS = np.uint64(2**32 - 1)
_LOW_8_BITS = np.uint64(2**8 - 1)
_ALL_ONES = np.uint64(2**64 - 1)

LOW_BITS = tick_math.LOW_BITS
#: Products of the factors of a tick's low bits; the first, 2**128, is left at 0.
LOW_PRODUCTS_X128 = to_limbs([p % 2**128 for p in tick_math.LOW_PRODUCTS_X128], 2)
#: Factors of the other bits.
_HIGH_FACTORS_X128 = to_limbs(tick_math.FACTORS_X128[LOW_BITS:], 2)


@compiled
def sqrt_price_at_tick(tick: int) -> Wide:
    """sqrt(1.0001 ** tick), rounded up as the contract does, for a tick that has a price.

    Formula: TickMath of v4-core.
    """
    magnitude = abs(tick)
    low = magnitude & ((1 << LOW_BITS) - 1)
    ratio = LOW_PRODUCTS_X128[low, 0], LOW_PRODUCTS_X128[low, 1]
    is_one = low == 0
    high, bit = magnitude >> LOW_BITS, 0
    while high:
        if high & 1:
            factor = _HIGH_FACTORS_X128[bit, 0], _HIGH_FACTORS_X128[bit, 1]
            product = multiply(ratio, factor)
            ratio = factor if is_one else (product[2], product[3])
            is_one = False
        high, bit = high >> 1, bit + 1
    if is_one:
        return _0, _1 << _32, _0
    if tick < 0:
        return _x96_up((ratio[0], ratio[1], _0))
    inverse, _ = divide(
        (_ALL_ONES, _ALL_ONES, _ALL_ONES, _ALL_ONES, _0, _0), (ratio[0], ratio[1], _0, _0)
    )
    return _x96_up((inverse[0], inverse[1], inverse[2]))


@inlined
def _x96_up(ratio_x128: Wide) -> Wide:
    """From Q128 to Q96, rounded up."""
    r0, r1, r2 = ratio_x128
    whole = r0 >> _32 | r1 << _32, r1 >> _32 | r2 << _32, r2 >> _32
    return add(whole, (_1,)) if r0 & _LOW_32_BITS else whole


#: Binary places in which a price's place among the ticks is estimated.
_PLACES = 32
#: An estimate nearer than this to a whole tick is decided by that tick's exact price. Errors of the
#: estimate stay below a fiftieth of it.
_DOUBT = 1 << _PLACES - 10


def _place(sqrt_price_x96: int) -> int:
    """Where a price lies among the ticks, in 32 binary places: linear between a tick's prices."""
    tick = tick_math.tick_at_sqrt_price(SqrtPriceX96(sqrt_price_x96))
    low, high = tick_math.sqrt_price_at_tick(tick), tick_math.sqrt_price_at_tick(tick + 1)
    return (tick << _PLACES) + (sqrt_price_x96 - low << _PLACES) // (high - low)


#: Places between a price and twice that price.
_DOUBLING = _place(2**159) // 63
#: Places of 1, 1 + 1/256, 1 + 2/256, ..., and one divided by each of these, with 63 binary places.
_COARSE_PLACES = np.array([_place(2**96 + (i << 88)) for i in range(256)], dtype=np.int64)
_COARSE_INVERSES = np.array([2**71 // (256 + i) for i in range(256)], dtype=np.uint64)
#: 2 / ln(1.0001), ticks to a unit of a sqrt price's natural logarithm, less than 0.0001 too high.
_TICKS_PER_UNIT = 20_001
_ONE_Q62 = 1 << 62


class KeptPrices(NamedTuple):
    """Prices of ticks that were worked out, each in the place that its tick's low bits say.

    A market comes back to the same ticks, and working one out takes as long as a step of a swap.
    """

    ticks: NDArray[np.int64]
    prices: Rows


#: So many prices are kept: a power of two.
_KEPT = 1024


def none_kept() -> KeptPrices:
    """Room for prices, still empty: no tick is as far as those that stand there."""
    return KeptPrices(np.full(_KEPT, MAX_TICK + 1), np.zeros((_KEPT, 3), np.uint64))


@compiled
def kept_price_at_tick(kept: KeptPrices, tick: int) -> Wide:
    """As `sqrt_price_at_tick`, worked out only where it is not kept."""
    place = tick & (_KEPT - 1)
    if kept.ticks[place] != tick:
        store_three(kept.prices, place, sqrt_price_at_tick(tick))
        kept.ticks[place] = tick
    return load_three(kept.prices, place)


@compiled
def tick_at_sqrt_price(kept: KeptPrices, sqrt_price_x96: Wide) -> int:
    """The greatest tick whose price is at most this one, for a price that ticks can express.

    Worked out from an estimate; wherever that is not certain, an exact price decides.
    """
    place = _estimated_place(sqrt_price_x96)
    nearest = (place + (1 << _PLACES - 1)) >> _PLACES
    above = place - (nearest << _PLACES)
    if above > _DOUBT:
        return nearest
    if above < -_DOUBT or less(sqrt_price_x96, kept_price_at_tick(kept, nearest)):
        return nearest - 1
    return nearest


@inlined
def _estimated_place(sqrt_price_x96: Wide) -> int:
    """As `_place`, wrong by less than 0.00002 ticks.

    The price's leading bits give the place of a number just below it, and three terms of the series
    of ln(1 + x) the rest.
    """
    exponent, mantissa = _normalized(sqrt_price_x96)
    coarse = mantissa >> _55 & _LOW_8_BITS
    x = np.int64(multiply((mantissa,), (_COARSE_INVERSES[coarse],))[1]) - _ONE_Q62
    x_q31 = x >> 31
    square = x_q31 * x_q31
    cube = (square >> 31) * x_q31
    logarithm = x - (square >> 1) + cube // 3
    rest = (logarithm >> 8) * _TICKS_PER_UNIT >> 54 - _PLACES
    return int((exponent - 96) * _DOUBLING + _COARSE_PLACES[coarse] + rest)


@inlined
def _normalized(price: Wide) -> tuple[np.signedinteger[Any], Limb]:
    """A price as an exponent of 2 and its 64 leading bits."""
    p0, p1, p2 = price
    if p2 != _0:
        zeros, top = leading_zeros(p2), 191
        mantissa = shift_left(price, zeros)[2]
    elif p1 != _0:
        zeros, top = leading_zeros(p1), 127
        mantissa = shift_left((p0, p1), zeros)[1]
    else:
        zeros, top = leading_zeros(p0), 63
        mantissa = p0 << zeros
    return top - np.int64(zeros), mantissa
