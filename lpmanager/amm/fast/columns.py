"""A column of integers that stay limbs until they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from lpmanager.amm.fast.packing import Rows, from_limbs


class LimbColumn(Sequence[int]):
    """Integers, each made when it is read; reading all of them at once is faster than by number."""

    __slots__ = ("_limbs", "_signed")

    def __init__(self, limbs: Rows, *, signed: bool = False) -> None:
        """A row of limbs for each integer, in two's complement where signed."""
        self._limbs = limbs
        self._signed = signed

    def __len__(self) -> int:
        return len(self._limbs)

    def __iter__(self) -> Iterator[int]:
        return iter(from_limbs(self._limbs, signed=self._signed))

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> LimbColumn: ...
    def __getitem__(self, place: int | slice) -> int | LimbColumn:
        if isinstance(place, slice):
            return LimbColumn(self._limbs[place], signed=self._signed)
        return from_limbs(self._limbs[[place]], signed=self._signed)[0]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"LimbColumn({list(self)})"
