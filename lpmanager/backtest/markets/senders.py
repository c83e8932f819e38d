"""Who called the pool in each row of a market: each name once, and its number in a column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Senders:
    """The sender of a row is `names[codes[row]]`: the address that called the pool for a swap, and
    "" where nothing tells it, or where the row is no swap. A row takes four bytes."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    @classmethod
    def of(cls, told: Iterable[str]) -> Senders:
        """The sender of each row, in order."""
        numbers: dict[str, int] = {}
        codes = [numbers.setdefault(name, len(numbers)) for name in told]
        return cls(np.array(codes, np.int32), tuple(numbers))

    @classmethod
    def unknown(cls, rows: int) -> Senders:
        """So many rows of which nothing is told."""
        return cls(np.zeros(rows, np.int32), ("",))

    @classmethod
    def joined(cls, parts: Iterable[Senders]) -> Senders:
        """The rows of all parts, one part behind the other."""
        numbers: dict[str, int] = {}
        codes = [np.empty(0, np.int32)]
        for part in parts:
            anew = [numbers.setdefault(name, len(numbers)) for name in part.names]
            codes.append(np.array(anew, np.int32)[part.codes])
        return cls(np.concatenate(codes), tuple(numbers))

    def __len__(self) -> int:
        return len(self.codes)

    def between(self, first: int, behind: int) -> Senders:
        """The rows [first, behind)."""
        return Senders(self.codes[first:behind], self.names)

    def at(self, rows: NDArray[np.int64]) -> list[str]:
        """The senders of these rows."""
        return [self.names[code] for code in self.codes[rows].tolist()]
