"""What the chain tells of a pool's swaps, before anything is made of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import BLOCK_TIME_S, a_block
from eth_abi.abi import encode

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.chain.history import flow_questions, join_flow, read_swap
from lpmanager.chain.node import Log
from lpmanager.errors import ChainError
from lpmanager.venues.uniswap_v3 import INITIALIZE_EVENT, SWAP_EVENT


def a_log(sqrt_price_x96: int, block: int = 77) -> Log:
    types = ["int256", "int256", "uint160", "uint128", "int24"]
    return Log(
        address="0xPool",
        topics=(SWAP_EVENT.topic, f"0x{1:064x}", f"0x{2:064x}"),
        data=encode(types, [10**6, -(10**6), sqrt_price_x96, 0, 0]),
        block_number=block,
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


@pytest.mark.parametrize("topics", [(), (SWAP_EVENT.topic,), (f"0x{1:064x}",) * 3])
def test_a_log_that_is_no_swap_is_named_by_its_place(topics: tuple[str, ...]) -> None:
    with pytest.raises(ChainError, match="log 3 of block 77 in pool 0xPool: expected a swap"):
        read_swap(replace(a_log(2**96), topics=topics))


def the_birth(block: int) -> Log:
    return replace(
        a_log(2**96, block),
        topics=(INITIALIZE_EVENT.topic,),
        data=encode(["uint160", "int24"], [2**96, 0]),
    )


def test_a_pool_that_is_younger_than_the_window_is_watched_from_its_birth() -> None:
    """Before that it was not quiet: it was not there. Its block counts as a whole one."""
    swaps = [a_log(2**96, block) for block in (77, 90)]
    flow = join_flow(a_block(100), [a_block(0), [the_birth(61), swaps[0]], [swaps[1]]])
    assert flow is not None
    assert (flow.from_block, flow.seconds) == (61, 40 * BLOCK_TIME_S)
    assert [swap.block_number for swap in flow.swaps] == [77, 90]


def test_an_older_pool_is_watched_for_all_of_the_window() -> None:
    flow = join_flow(a_block(100), [a_block(0), [a_log(2**96)], []])
    assert flow is not None
    assert (flow.from_block, flow.seconds) == (1, 100 * BLOCK_TIME_S)


def test_the_window_is_asked_for_swaps_and_for_the_birth() -> None:
    _, logs = flow_questions("0xPool", a_block(100), 50)
    (query,) = logs.params
    assert query["topics"] == [[SWAP_EVENT.topic, INITIALIZE_EVENT.topic]]
    assert (query["fromBlock"], query["toBlock"]) == (hex(51), hex(100))
