"""What the chain tells of a pool's swaps, before anything is made of it."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.chain.history import read_swap
from lpmanager.chain.node import Log
from lpmanager.errors import ChainError
from lpmanager.venues.uniswap_v3 import SWAP_EVENT


def a_log(sqrt_price_x96: int) -> Log:
    types = ["int256", "int256", "uint160", "uint128", "int24"]
    return Log(
        address="0xPool",
        topics=(SWAP_EVENT.topic, f"0x{1:064x}", f"0x{2:064x}"),
        data=encode(types, [10**6, -(10**6), sqrt_price_x96, 0, 0]),
        block_number=77,
        block_hash="0x",
        tx_hash="0x",
        log_index=3,
    )


@pytest.mark.parametrize("price", [MIN_SQRT_PRICE, 2**96, MAX_SQRT_PRICE - 1])
def test_a_swap_tells_any_price_that_a_pool_can_have(price: int) -> None:
    assert read_swap(a_log(price)).sqrt_price_x96 == price


@pytest.mark.parametrize("price", [0, MIN_SQRT_PRICE - 1, MAX_SQRT_PRICE])
def test_a_price_that_no_pool_can_have_is_named_with_its_swap(price: int) -> None:
    with pytest.raises(ChainError, match=f"swap 3 of block 77 in pool 0xPool: .* found {price};"):
        read_swap(a_log(price))
