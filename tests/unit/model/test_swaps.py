"""Swap events one by one and in columns are the same events."""

from __future__ import annotations

import pytest

from lpmanager.model import Liquidity, SqrtPriceX96, SwapColumns, SwapEvent


def a_swap(block: int) -> SwapEvent:
    return SwapEvent(
        block_number=block,
        log_index=block + 1,
        tx_hash=f"0x{block}",
        sender="0xA",
        amount0=-block,
        amount1=2 * block,
        sqrt_price_x96=SqrtPriceX96(3 * block),
        liquidity=Liquidity(4 * block),
        tick=5 * block,
    )


SWAPS = [a_swap(block) for block in (7, 8, 9)]


def test_columns_give_back_the_events_they_were_made_of() -> None:
    columns = SwapColumns.of(SWAPS)
    assert list(columns) == SWAPS
    assert (columns[0], columns[-1]) == (SWAPS[0], SWAPS[-1])
    assert list(columns[1:]) == SWAPS[1:]
    assert columns.amounts1 == (14, 16, 18)


def test_of_no_events_there_are_columns_too() -> None:
    assert list(SwapColumns.of([])) == list(SwapColumns.joined([])) == []


def test_columns_are_not_made_of_columns_again() -> None:
    columns = SwapColumns.of(SWAPS)
    assert SwapColumns.of(columns) is columns


def test_parts_are_joined_in_their_order() -> None:
    parts = [SwapColumns.of(SWAPS[:1]), SwapColumns.of([]), SwapColumns.of(SWAPS[1:])]
    assert list(SwapColumns.joined(parts)) == SWAPS


def test_a_column_that_is_shorter_than_the_others_is_refused() -> None:
    columns = SwapColumns.of(SWAPS)
    with pytest.raises(ValueError, match="shorter"):
        list(SwapColumns(*columns.columns[:-1], ticks=(1,)))
