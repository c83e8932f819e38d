"""The compiled engine's arithmetic, exact for numbers of every length."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from numba.core.errors import TypingError

from lpmanager.amm.fast import limbs
from lpmanager.amm.fast.division import (
    _reciprocal_of_two,
    divide,
    divide_small,
    small_divisor,
)
from lpmanager.amm.fast.packing import from_limbs, limbs_of, to_limbs

#: As many as there are in the engine's sums, products and quotients.
WIDTHS = [(1, 1), (2, 2), (3, 3), (4, 4), (2, 3), (3, 4), (4, 2), (4, 1), (5, 2), (1, 4)]


@njit
def add(a: Any, b: Any) -> Any:
    return limbs.add(a, b)


@njit
def subtract(a: Any, b: Any) -> Any:
    return limbs.subtract(a, b)


@njit
def multiply(a: Any, b: Any) -> Any:
    return limbs.multiply(a, b)


@njit
def compare(a: Any, b: Any) -> Any:
    return limbs.less(a, b), limbs.equal(a, b)


@njit
def shift_left(a: Any, bits: Any) -> Any:
    return limbs.shift_left(a, bits)


@njit
def leading_zeros(limb: Any) -> Any:
    return limbs.leading_zeros(limb)


def number(wide: Any) -> int:
    return from_limbs(np.array([wide], dtype=np.uint64))[0]


def numbers(width: int) -> st.SearchStrategy[int]:
    """Numbers of so many limbs: small, of every length, and with limbs that carry or borrow."""
    limb = st.sampled_from([0, 1, 2**32, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1])
    return st.one_of(
        st.integers(0, 2 ** (64 * width) - 1),
        st.lists(limb, min_size=width, max_size=width).map(
            lambda chosen: sum(value << 64 * place for place, value in enumerate(chosen))
        ),
        st.integers(0, 64 * width).flatmap(lambda bits: st.integers(0, 2**bits - 1)),
    )


@pytest.mark.parametrize(("width_a", "width_b"), WIDTHS)
@given(data=st.data())
def test_sums_differences_products_and_comparisons_are_those_of_whole_numbers(
    width_a: int, width_b: int, data: st.DataObject
) -> None:
    a, b = data.draw(numbers(width_a)), data.draw(numbers(width_b))
    wide_a, wide_b = limbs_of(a, width_a), limbs_of(b, width_b)
    modulus = 2 ** (64 * max(width_a, width_b))
    assert number(add(wide_a, wide_b)) == (a + b) % modulus
    assert number(subtract(wide_a, wide_b)) == (a - b) % modulus
    assert number(multiply(wide_a, wide_b)) == a * b
    assert compare(wide_a, wide_b) == (a < b, a == b)
    assert compare(wide_a, wide_a) == (False, True)


@pytest.mark.parametrize("width", [1, 3, 4, 5, 8])
@given(data=st.data())
def test_a_shift_loses_what_no_longer_fits(width: int, data: st.DataObject) -> None:
    value, bits = data.draw(numbers(width)), data.draw(st.integers(0, 63))
    shifted = shift_left(limbs_of(value, width), np.uint64(bits))
    assert number(shifted) == (value << bits) % 2 ** (64 * width)


@given(numbers(1))
def test_the_zeros_above_a_limbs_highest_bit_are_counted(limb: int) -> None:
    assert leading_zeros(np.uint64(limb)) == 64 - limb.bit_length()


def test_nothing_but_limbs_is_taken() -> None:
    with pytest.raises(TypingError, match="expected a tuple of uint64 limbs"):
        add((1, 2), limbs_of(3, 2))


def awkward_number(dice: Random, width: int) -> int:
    """A number with limbs that estimates of a quotient go wrong with: half a limb and its ends."""
    ends = [0, 1, 2, 2**62, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1]
    chosen = [
        dice.choice([*ends, dice.getrandbits(64), dice.getrandbits(64)]) for _ in range(width)
    ]
    return sum(value << 64 * place for place, value in enumerate(chosen))


def test_a_quotient_is_exact_where_its_estimates_go_wrong() -> None:
    # Of so many, each correction of the long division is needed by at least a hundred.
    dice, checked = Random(1), 0
    while checked < 30_000:
        divisor = awkward_number(dice, dice.randint(1, 4)) or 1
        quotient = awkward_number(dice, dice.randint(1, 4))
        rest = dice.choice([0, 1 % divisor, divisor - 1, dice.randrange(divisor)])
        numerator = quotient * divisor + rest
        if numerator < 2**384:
            found, inexact = divide(limbs_of(numerator, 6), limbs_of(divisor, 4))
            assert (number(found), inexact) == (quotient, rest != 0), (numerator, divisor)
            checked += 1


@pytest.mark.parametrize(
    ("numerator", "divisor"),
    [
        # the estimated limb is one too high, once the divisor's low limbs are counted
        (3 * 2**255, 2**255 + 2**128 - 1),
        # the leading limbs are the divisor's own, so the estimate would not fit a limb
        ((2**255 + 5 << 64) - 1, 2**255 + 5),
        (2**384 - 1, 2**128),
        (2**384 - 1, 2**256 - 1),
        (0, 1),
        (2**256 - 1, 1),
    ],
)
def test_the_far_ends_of_division(numerator: int, divisor: int) -> None:
    found, inexact = divide(limbs_of(numerator, 6), limbs_of(divisor, 4))
    assert (number(found), inexact) == (numerator // divisor, numerator % divisor != 0)


@pytest.mark.parametrize(
    ("high", "low"),
    [
        (2**63, 0),
        (2**64 - 1, 2**64 - 1),
        # the last correction hangs on the lower limb alone
        (2**63 + 3_893_067, 13_835_088_367_235_175_905),
        (2**63, 13_835_058_055_282_163_713),
    ],
)
def test_a_reciprocal_is_exact_at_its_last_correction(high: int, low: int) -> None:
    found = _reciprocal_of_two(np.uint64(high), np.uint64(low))
    assert found == (2**192 - 1) // (high << 64 | low) - 2**64


def test_a_quotient_by_a_single_limb_is_exact() -> None:
    dice = Random(2)
    for _ in range(10_000):
        divisor = dice.choice([awkward_number(dice, 1), 1_000_000, dice.randint(1, 10)]) or 1
        quotient, rest = awkward_number(dice, dice.randint(1, 4)), dice.randrange(divisor)
        ready = tuple(np.uint64(limb) for limb in small_divisor(np.uint64(divisor)))
        found, inexact = divide_small(limbs_of(quotient * divisor + rest, 5), ready)
        assert (number(found), inexact) == (quotient, rest != 0)


@given(st.lists(st.integers(-(2**255), 2**255 - 1)))
def test_signed_integers_come_back_from_rows_of_limbs(values: list[int]) -> None:
    assert from_limbs(to_limbs(values, 4, signed=True), signed=True) == values


@pytest.mark.parametrize("bits", [1, 63, 64, 65, 128, 129, 192])
def test_integers_around_a_limbs_end_come_back_from_rows_of_limbs(bits: int) -> None:
    values = [2**bits - 1, 2**bits, 2**bits + 1]
    assert from_limbs(to_limbs(values, 4)) == values
    for signed in (values, [-value for value in values], [*values, -1]):
        assert from_limbs(to_limbs(signed, 4, signed=True), signed=True) == signed


@pytest.mark.parametrize(("value", "signed"), [(2**128, False), (-1, False), (2**127, True)])
def test_an_integer_that_does_not_fit_its_limbs_is_refused(value: int, signed: bool) -> None:
    with pytest.raises(OverflowError):
        to_limbs([value], 2, signed=signed)
