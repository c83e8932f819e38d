"""Between Python's integers and arrays of 64-bit limbs: the lowest limb first."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

import numpy as np
from numpy.typing import NDArray

#: A row of limbs for each integer.
Rows = NDArray[np.uint64]


def limbs_of(value: int, width: int) -> tuple[np.uint64, ...]:
    """One value as a tuple of limbs, as compiled code works on it."""
    return tuple(to_limbs([value], width)[0])


def to_limbs(values: Sequence[int], width: int, *, signed: bool = False) -> Rows:
    """A row of `width` limbs for each value, in two's complement where signed.

    Raises OverflowError for a value that does not fit, TypeError for one that is no integer.
    """
    size = 8 * width
    try:
        rows = [value.to_bytes(size, "little", signed=signed) for value in values]
    except AttributeError:  # numpy's integers
        rows = [index(value).to_bytes(size, "little", signed=signed) for value in values]
    # The copy can be written to and is aligned: what compiled code was made for.
    return np.frombuffer(b"".join(rows), dtype="<u8").astype(np.uint64).reshape(len(rows), width)


def from_limbs(limbs: Rows, *, signed: bool = False) -> list[int]:
    """What `to_limbs` made rows of."""
    width = limbs.shape[1]
    while width > 1 and _only_sign(limbs[:, width - 1], limbs[:, width - 2], signed):
        width -= 1
    top = limbs[:, width - 1]
    values: list[int] = (top.view(np.int64) if signed else top).tolist()
    for place in range(width - 2, -1, -1):
        lower = limbs[:, place].tolist()
        values = [high << 64 | low for high, low in zip(values, lower, strict=True)]
    return values


def to_floats(limbs: Rows) -> NDArray[np.float64]:
    """Rows of limbs, unsigned, as the nearest floats or their neighbours."""
    total = limbs[:, -1].astype(np.float64)
    for place in range(limbs.shape[1] - 2, -1, -1):
        total = total * 2.0**64 + limbs[:, place]
    return total


def differences(minuend: Rows, subtrahend: Rows) -> Rows:
    """What the one is more than the other, row by row, in two's complement."""
    difference = np.empty_like(minuend)
    borrow = np.zeros(len(minuend), np.uint64)
    for place in range(minuend.shape[1]):
        part = minuend[:, place] - subtrahend[:, place]
        difference[:, place] = part - borrow
        borrow = ((minuend[:, place] < subtrahend[:, place]) | (part < borrow)).astype(np.uint64)
    return difference


def _only_sign(limb: Rows, below: Rows, signed: bool) -> bool:
    """Whether a limb adds nothing to the one below it, in every row."""
    if not signed:
        return not limb.any()
    return bool((limb.view(np.int64) == below.view(np.int64) >> 63).all())
