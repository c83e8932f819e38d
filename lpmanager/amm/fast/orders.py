"""The swaps that a call asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lpmanager.amm.pool import Pool
from lpmanager.amm.swap import SwapResult
from lpmanager.errors import LpmError


class Orders(NamedTuple):
    """Swaps in columns, as `Pool.swap` takes them. No limits is no limit for any of them."""

    zero_for_one: Sequence[bool]
    amounts_specified: Sequence[int]
    sqrt_price_limits_x96: Sequence[int | None] | None

    def require_sound(self) -> None:
        """Raise ValueError where the columns differ in length."""
        count = len(self.zero_for_one)
        for name, column in zip(self._fields[1:], self[1:], strict=True):
            if column is not None and len(column) != count:
                raise ValueError(
                    f"{name} must have a value for each of the {count} swaps of zero_for_one, "
                    f"found {len(column)}"
                )

    def swap(self, pool: Pool, number: int) -> SwapResult:
        """Carry out one of them. What `Pool.swap` raises names the swap's index."""
        limits = self.sqrt_price_limits_x96
        try:
            return pool.swap(
                self.zero_for_one[number],
                self.amounts_specified[number],
                None if limits is None else limits[number],
            )
        except (LpmError, ValueError) as refusal:
            refusal.args = (f"swap [{number}] of {len(self.zero_for_one)}: {refusal}",)
            raise
