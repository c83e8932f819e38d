"""Ids of positions in the words of a person."""

from __future__ import annotations

import pytest

from lpmanager.model import MAX_TICK, MIN_TICK, TickRange
from lpmanager.venues.liquidity_vault import position_id
from lpmanager.venues.position_names import position_name


@pytest.mark.parametrize("token_id", [0, 1, 5_432_100, 2**48 - 1])
def test_an_nft_is_called_by_its_number(token_id: int) -> None:
    assert position_name(token_id) == str(token_id)


@pytest.mark.parametrize("vault", ["0x" + "ff" * 20, f"0x{1:040x}"])
@pytest.mark.parametrize("tick_range", [TickRange(-600, 600), TickRange(MIN_TICK, MAX_TICK)])
def test_a_position_of_a_vault_is_called_by_its_range(vault: str, tick_range: TickRange) -> None:
    assert position_name(position_id(vault, tick_range)) == str(tick_range)
