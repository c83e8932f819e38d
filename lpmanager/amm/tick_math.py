"""From ticks to sqrt prices and back, to the last bit as the contracts have it."""

from __future__ import annotations

from bisect import bisect_right
from math import isqrt

from lpmanager.amm.full_math import Q256, div_up
from lpmanager.model import MAX_TICK, MIN_TICK, SqrtPriceX96

#: Binary places of the working precision; squaring 20 times loses about 20 of them.
_PLACES = 384


def _factors_x128() -> tuple[int, ...]:
    """1.0001 ** (-2**i / 2) in Q128 for every bit i of a tick, each rounded to nearest.

    The contract writes these out as literals; a unit test compares the two.
    """
    factor = isqrt((10_000 << 2 * _PLACES) // 10_001)
    factors = []
    for _ in range(MAX_TICK.bit_length()):
        factors.append((factor + (1 << (_PLACES - 129))) >> (_PLACES - 128))
        factor = factor * factor >> _PLACES
    return tuple(factors)


_FACTORS_X128 = _factors_x128()


def sqrt_price_at_tick(tick: int) -> SqrtPriceX96:
    """sqrt(1.0001 ** tick) in Q96, rounded up from the Q128 product of the tick's bits.

    Raises ValueError outside [MIN_TICK, MAX_TICK]. Formula: TickMath of the core contracts.
    """
    magnitude = abs(tick)
    if magnitude > MAX_TICK:
        raise ValueError(f"tick {tick} is outside [{MIN_TICK}, {MAX_TICK}]")
    ratio_x128 = 1 << 128
    for bit, factor in enumerate(_FACTORS_X128):
        if magnitude >> bit & 1:
            ratio_x128 = ratio_x128 * factor >> 128
    if tick > 0:
        ratio_x128 = (Q256 - 1) // ratio_x128
    return SqrtPriceX96(div_up(ratio_x128, 1 << 32))


#: The price at MIN_TICK: the lowest a pool can reach.
MIN_SQRT_PRICE = sqrt_price_at_tick(MIN_TICK)
#: The price at MAX_TICK, which a pool never quite reaches.
MAX_SQRT_PRICE = sqrt_price_at_tick(MAX_TICK)


def tick_at_sqrt_price(sqrt_price_x96: SqrtPriceX96) -> int:
    """The greatest tick whose price is at most `sqrt_price_x96`.

    Found by bisection over `sqrt_price_at_tick`, so it is its exact inverse and needs no logarithm.
    Raises ValueError outside [MIN_SQRT_PRICE, MAX_SQRT_PRICE).
    """
    if not MIN_SQRT_PRICE <= sqrt_price_x96 < MAX_SQRT_PRICE:
        raise ValueError(
            f"sqrtPriceX96 {sqrt_price_x96} is outside [{MIN_SQRT_PRICE}, {MAX_SQRT_PRICE})"
        )
    ticks = range(MIN_TICK, MAX_TICK + 1)
    return ticks[bisect_right(ticks, sqrt_price_x96, key=sqrt_price_at_tick) - 1]
