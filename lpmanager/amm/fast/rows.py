"""Loading limbs from a row of an array and storing them, in compiled code."""

from __future__ import annotations

from lpmanager.amm.fast.jit import inlined
from lpmanager.amm.fast.limbs import Wide
from lpmanager.amm.fast.packing import Rows


@inlined
def load_two(rows: Rows, row: int) -> Wide:
    """The first two limbs of a row."""
    return rows[row, 0], rows[row, 1]


@inlined
def load_three(rows: Rows, row: int) -> Wide:
    """The first three limbs of a row."""
    return rows[row, 0], rows[row, 1], rows[row, 2]


@inlined
def load_four(rows: Rows, row: int) -> Wide:
    """The first four limbs of a row."""
    return rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 3]


@inlined
def store_two(rows: Rows, row: int, limbs: Wide) -> None:
    """Set the first two limbs of a row."""
    rows[row, 0], rows[row, 1] = limbs


@inlined
def store_three(rows: Rows, row: int, limbs: Wide) -> None:
    """Set the first three limbs of a row."""
    rows[row, 0], rows[row, 1], rows[row, 2] = limbs


@inlined
def store_four(rows: Rows, row: int, limbs: Wide) -> None:
    """Set the first four limbs of a row."""
    rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 3] = limbs
