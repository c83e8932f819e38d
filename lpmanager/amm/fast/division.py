"""Exact division of wide integers in compiled code, by multiplication with reciprocals.

Formulas: N. Moeller and T. Granlund, "Improved division by invariant integers" (IEEE Transactions
on Computers 60, 2011), for one limb of a quotient; D. Knuth, The Art of Computer Programming
volume 2, algorithm D, for the long division around it.
"""

from __future__ import annotations

import numpy as np

from lpmanager.amm.fast.jit import compiled, inlined
from lpmanager.amm.fast.limbs import (
    Flag,
    Limb,
    Wide,
    add,
    leading_zeros,
    less,
    multiply,
    shift_left,
    subtract,
)

_0 = np.uint64(0)
_1 = np.uint64(1)
_11 = np.uint64(11)
_13 = np.uint64(13)
_24 = np.uint64(24)
_31 = np.uint64(31)
_40 = np.uint64(40)
_47 = np.uint64(47)
_55 = np.uint64(55)
_2_60 = np.uint64(2**60)
_FIRST_GUESS = np.uint64(2**19 - 3 * 2**8)
_ALL_ONES = np.uint64(2**64 - 1)

#: A divisor shifted left until its highest bit is set, by how much, and its reciprocal.
SmallDivisor = tuple[Limb, Limb, Limb]


@compiled
def divide(numerator: Wide, divisor: Wide) -> tuple[Wide, Flag]:
    """Six limbs by four: (the quotient rounded down, in four limbs, and whether it is inexact).

    Needs a divisor above 0 and a quotient below 2**256. Add 1 to an inexact quotient to round up.
    """
    low, high, divisor = _aligned(numerator, divisor)
    reciprocal = _reciprocal_of_two(divisor[3], divisor[2])
    q3, high = _digit(high, low[3], divisor, reciprocal)
    q2, high = _digit(high, low[2], divisor, reciprocal)
    q1, high = _digit(high, low[1], divisor, reciprocal)
    q0, high = _digit(high, low[0], divisor, reciprocal)
    return (q0, q1, q2, q3), (high[0] | high[1] | high[2] | high[3]) != _0


@compiled
def small_divisor(divisor: Limb) -> SmallDivisor:
    """A divisor of one limb, above 0, made ready for `divide_small`."""
    shift = leading_zeros(divisor)
    aligned = divisor << shift
    return aligned, shift, _reciprocal_of_one(aligned)


@compiled
def divide_small(numerator: Wide, divisor: SmallDivisor) -> tuple[Wide, Flag]:
    """Five limbs by one: (the quotient rounded down, in four limbs, and whether it is inexact).

    Needs a divisor from `small_divisor` and a quotient below 2**256.
    """
    by, shift, reciprocal = divisor
    n0, n1, n2, n3, n4 = shift_left(numerator, shift)
    q3, rest = _digit_of_one(n4, n3, by, reciprocal)
    q2, rest = _digit_of_one(rest, n2, by, reciprocal)
    q1, rest = _digit_of_one(rest, n1, by, reciprocal)
    q0, rest = _digit_of_one(rest, n0, by, reciprocal)
    return (q0, q1, q2, q3), rest != _0


@inlined
def _aligned(numerator: Wide, divisor: Wide) -> tuple[Wide, Wide, Wide]:
    """Both shifted left until the divisor's highest bit is set: numerator low, high, divisor."""
    n0, n1, n2, n3, n4, n5 = numerator
    d0, d1, d2, d3 = divisor
    if d3 != _0:
        low, high, divisor = (n0, n1, n2, n3), (n4, n5, _0, _0), (d0, d1, d2, d3)
    elif d2 != _0:
        low, high, divisor = (_0, n0, n1, n2), (n3, n4, n5, _0), (_0, d0, d1, d2)
    elif d1 != _0:
        low, high, divisor = (_0, _0, n0, n1), (n2, n3, n4, n5), (_0, _0, d0, d1)
    else:
        low, high, divisor = (_0, _0, _0, n0), (n1, n2, n3, n4), (_0, _0, _0, d0)
    shift = leading_zeros(divisor[3])
    all_limbs = shift_left(
        (low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3]), shift
    )
    l0, l1, l2, l3, h0, h1, h2, h3 = all_limbs
    return (l0, l1, l2, l3), (h0, h1, h2, h3), shift_left(divisor, shift)


@inlined
def _digit(high: Wide, low: Limb, divisor: Wide, reciprocal: Limb) -> tuple[Limb, Wide]:
    """One limb of a quotient: (high * 2**64 + low) divided by an aligned divisor above `high`.

    Gives the limb and the remainder.
    """
    h0, h1, h2, h3 = high
    d0, d1, d2, d3 = divisor
    if h3 == _0 and h2 < d3:
        return _0, (low, h0, h1, h2)
    if h3 == d3 and h2 == d2:
        # The estimate below would not fit a limb; the highest one is exact here.
        rest = subtract((low, h0, h1, h2, h3), multiply(divisor, (_ALL_ONES,)))
        return _ALL_ONES, (rest[0], rest[1], rest[2], rest[3])
    digit, r1, r0 = _digit_of_two(h3, h2, h1, d3, d2, reciprocal)
    rest = (low, h0, r0, r1)
    taken = multiply((d0, d1), (digit,))
    if less(rest, taken):
        digit -= _1
        rest = add(rest, divisor)
    return digit, subtract(rest, taken)


@inlined
def _digit_of_two(
    u2: Limb, u1: Limb, u0: Limb, d1: Limb, d0: Limb, reciprocal: Limb
) -> tuple[Limb, Limb, Limb]:
    """Three limbs by two, the divisor aligned and above (u2, u1): the quotient and remainder."""
    q0, q1 = multiply((reciprocal,), (u2,))
    q0, q1 = add((q0, q1), (u1, u2))
    rest = subtract((u0, u1 - q1 * d1), multiply((q1,), (d0,)))
    rest = subtract(rest, (d0, d1))
    q1 += _1
    if rest[1] >= q0:
        q1 -= _1
        rest = add(rest, (d0, d1))
    if not less(rest, (d0, d1)):
        q1 += _1
        rest = subtract(rest, (d0, d1))
    return q1, rest[1], rest[0]


@inlined
def _digit_of_one(u1: Limb, u0: Limb, divisor: Limb, reciprocal: Limb) -> tuple[Limb, Limb]:
    """Two limbs by one, the divisor aligned and above `u1`: the quotient and remainder."""
    if u1 == _0 and u0 < divisor:
        return _0, u0
    q0, q1 = multiply((reciprocal,), (u1,))
    q0, q1 = add((q0, q1), (u0, u1))
    q1 += _1
    rest = u0 - q1 * divisor
    if rest > q0:
        q1 -= _1
        rest += divisor
    if rest >= divisor:
        q1 += _1
        rest -= divisor
    return q1, rest


@inlined
def _reciprocal_of_two(d1: Limb, d0: Limb) -> Limb:
    """(2**192 - 1) // (d1 * 2**64 + d0) - 2**64 for an aligned d1."""
    reciprocal = _reciprocal_of_one(d1)
    p = d1 * reciprocal + d0
    if p < d0:
        reciprocal -= _1
        if p >= d1:
            reciprocal -= _1
            p -= d1
        p -= d1
    low, high = multiply((reciprocal,), (d0,))
    p += high
    if p < high:
        reciprocal -= _1
        if p > d1 or (p == d1 and low >= d0):
            reciprocal -= _1
    return reciprocal


@inlined
def _reciprocal_of_one(d: Limb) -> Limb:
    """(2**128 - 1) // d - 2**64 for an aligned d, each line doubling the bits that are right."""
    d40 = (d >> _24) + _1
    v0 = _FIRST_GUESS // (d >> _55)
    v1 = (v0 << _11) - (v0 * v0 * d40 >> _40) - _1
    v2 = (v1 << _13) + (v1 * (_2_60 - v1 * d40) >> _47)
    odd = d & _1
    e = (_0 - odd & v2 >> _1) - v2 * ((d >> _1) + odd)
    v3 = (multiply((v2,), (e,))[1] >> _1) + (v2 << _31)
    return v3 - add(multiply((v3,), (d,)), (d, d))[1]
