"""What comes of many swaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Swaps:
    """What each swap of a call did, in columns of whole numbers.

    Raw amounts as the pool sees them: positive went in, negative came out. Price, liquidity and
    tick are those after the swap.
    """

    amount0: Sequence[int]
    amount1: Sequence[int]
    sqrt_price_x96: Sequence[int]
    liquidity: Sequence[int]
    tick: Sequence[int]

    def __len__(self) -> int:
        return len(self.tick)
