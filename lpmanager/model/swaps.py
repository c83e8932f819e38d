"""Swaps as a pool's record tells them: one by one, or many in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any, NamedTuple, overload

from lpmanager.model.tick import Liquidity, SqrtPriceX96


class SwapEvent(NamedTuple):
    """One Swap event: amounts as the pool sees them (positive = into the pool), state after."""

    block_number: int
    log_index: int
    tx_hash: str
    sender: str
    amount0: int
    amount1: int
    sqrt_price_x96: SqrtPriceX96
    liquidity: Liquidity
    tick: int


@dataclass(frozen=True, slots=True)
class SwapColumns(Sequence[SwapEvent]):
    """Swap events by what they tell: a column of equal length for each field of `SwapEvent`, in its
    order. An event is made when it is read; who needs a sum over many reads the columns."""

    block_numbers: Sequence[int]
    log_indices: Sequence[int]
    tx_hashes: Sequence[str]
    senders: Sequence[str]
    amounts0: Sequence[int]
    amounts1: Sequence[int]
    sqrt_prices_x96: Sequence[int]
    liquidities: Sequence[int]
    ticks: Sequence[int]

    @classmethod
    def of(cls, swaps: Sequence[SwapEvent]) -> SwapColumns:
        """The events in columns; themselves where they are."""
        if isinstance(swaps, SwapColumns):
            return swaps
        columns: Sequence[Sequence[Any]] = tuple(zip(*swaps, strict=True))
        return cls(*(columns or _no_columns()))

    @classmethod
    def joined(cls, parts: Iterable[SwapColumns]) -> SwapColumns:
        """The events of all parts, one part behind the other; of one part, itself."""
        parts = tuple(parts)
        if len(parts) == 1:
            return parts[0]
        columns = zip(*(part.columns for part in parts), strict=True)
        whole: list[Sequence[Any]] = [list(chain.from_iterable(pieces)) for pieces in columns]
        return cls(*(whole or _no_columns()))

    @property
    def columns(self) -> tuple[Sequence[Any], ...]:
        """All columns, in the order of `SwapEvent`."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def __len__(self) -> int:
        return len(self.block_numbers)

    def __iter__(self) -> Iterator[SwapEvent]:
        return map(SwapEvent._make, zip(*self.columns, strict=True))

    @overload
    def __getitem__(self, place: int) -> SwapEvent: ...

    @overload
    def __getitem__(self, place: slice) -> SwapColumns: ...

    def __getitem__(self, place: int | slice) -> SwapEvent | SwapColumns:
        found = (column[place] for column in self.columns)
        return SwapColumns(*found) if isinstance(place, slice) else SwapEvent._make(found)


def _no_columns() -> Sequence[Sequence[Any]]:
    return [()] * len(SwapEvent._fields)
