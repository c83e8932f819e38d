"""From ticks to sqrt prices and back, to the last bit as the contracts have it."""

from __future__ import annotations

from functools import lru_cache
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


FACTORS_X128 = _factors_x128()

#: Bits of a tick whose products are worked out beforehand.
LOW_BITS = 8


def _low_products_x128() -> tuple[int, ...]:
    """The product of the factors of a tick's low bits, for every value of these bits."""
    products = [1 << 128]
    for factor in FACTORS_X128[:LOW_BITS]:
        products += [product * factor >> 128 for product in products]
    return tuple(products)


LOW_PRODUCTS_X128 = _low_products_x128()


@lru_cache(maxsize=4096)
def sqrt_price_at_tick(tick: int) -> SqrtPriceX96:
    """sqrt(1.0001 ** tick) in Q96, rounded up from the Q128 product of the tick's bits.

    Raises ValueError outside [MIN_TICK, MAX_TICK]. Formula: TickMath of v4-core.
    """
    magnitude = abs(tick)
    if magnitude > MAX_TICK:
        raise ValueError(f"tick {tick} is outside [{MIN_TICK}, {MAX_TICK}]")
    ratio_x128 = LOW_PRODUCTS_X128[magnitude & (1 << LOW_BITS) - 1]
    high, bit = magnitude >> LOW_BITS, LOW_BITS
    while high:
        if high & 1:
            ratio_x128 = ratio_x128 * FACTORS_X128[bit] >> 128
        high, bit = high >> 1, bit + 1
    if tick > 0:
        ratio_x128 = (Q256 - 1) // ratio_x128
    return SqrtPriceX96(div_up(ratio_x128, 1 << 32))


#: The price at MIN_TICK: the lowest a pool can reach.
MIN_SQRT_PRICE = sqrt_price_at_tick(MIN_TICK)
#: The price at MAX_TICK, which a pool never quite reaches.
MAX_SQRT_PRICE = sqrt_price_at_tick(MAX_TICK)

#: A little less than 4 / ln(1.0001), so that `tick_at_sqrt_price` never steps too far.
_TICKS_PER_PART = 40_001
#: Ticks to a doubling of the sqrt price, rounded down.
_TICKS_PER_DOUBLING = 13_863


def tick_at_sqrt_price(sqrt_price_x96: SqrtPriceX96) -> int:
    """The greatest tick whose price is at most `sqrt_price_x96`.

    Steps towards it from the nearest power of two by (p - q) / (p + q) ~ ln(p / q) / 2, never past
    it, until the exact prices of the tick and of the next one lie around the price:
    the exact inverse of `sqrt_price_at_tick`, without a logarithm. Raises ValueError outside
    [MIN_SQRT_PRICE, MAX_SQRT_PRICE).
    """
    if not MIN_SQRT_PRICE <= sqrt_price_x96 < MAX_SQRT_PRICE:
        raise ValueError(
            f"sqrtPriceX96 {sqrt_price_x96} is outside [{MIN_SQRT_PRICE}, {MAX_SQRT_PRICE})"
        )
    doublings = sqrt_price_x96.bit_length() - 97
    tick = doublings * _TICKS_PER_DOUBLING
    while True:
        price = sqrt_price_at_tick(tick)
        step = (sqrt_price_x96 - price) * _TICKS_PER_PART // (sqrt_price_x96 + price)
        if step == 0:
            break
        tick += step
    return tick + 1 if sqrt_price_at_tick(tick + 1) <= sqrt_price_x96 else tick
