"""What the chain tells of a pool's swaps, before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from builders import BLOCK_TIME_S, CHAIN_ID, a_block
from eth_abi.abi import encode

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.chain.history import flow_questions, join_flow, price_by_logs, read_swap
from lpmanager.chain.node import Log, Node
from lpmanager.chain.transport import RpcError
from lpmanager.errors import ChainError, RpcUnavailable
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


POOL = "0x0000000000000000000000000000000000000010"


class Searched:
    """A node that has one log, of the block 5,000, and answers for spans as `refuse` lets it."""

    def __init__(self, log: Log | None = None) -> None:
        self.refuse: Callable[[int, int], Any | None] = lambda _first, _last: None
        self.alive = True
        self.asked = 0
        self._log = log

    def request_many(self, requests: Any) -> list[Any]:
        ((method, params),) = requests
        if method == "eth_getBlockByNumber":
            if not self.alive:
                raise RpcUnavailable("no answer")
            return [{"number": "0x1", "hash": f"0x{1:064x}", "timestamp": "0x1"}]
        self.asked += 1
        first, last = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
        refusal = self.refuse(first, last)
        if isinstance(refusal, Exception):
            raise refusal
        held = self._log is not None and first <= self._log.block_number <= last
        return [refusal or ([self._told(self._log)] if self._log and held else [])]

    def _told(self, log: Log) -> dict[str, Any]:
        return {
            "address": POOL,
            "topics": list(log.topics),
            "data": "0x" + log.data.hex(),
            "blockNumber": hex(log.block_number),
            "blockHash": f"0x{1:064x}",
            "transactionHash": f"0x{2:064x}",
            "logIndex": "0x3",
        }


def the_price(node: Searched, height: int = 90_000) -> int:
    return price_by_logs(Node(node, CHAIN_ID), POOL, height)


TOO_MANY = RpcError(-32000, "block range is too large", None)


@pytest.mark.parametrize("log", [a_log(2**95, 5_000), the_birth(5_000)])
def test_a_price_is_that_of_the_last_log_that_set_it_however_long_ago(log: Log) -> None:
    node = Searched(log)
    assert the_price(node) == (2**96 if log.topics == the_birth(0).topics else 2**95)
    assert node.asked < 12


@pytest.mark.parametrize("refusal", [TOO_MANY, RpcUnavailable("timed out")], ids=["words", "none"])
def test_a_node_that_searches_few_blocks_at_once_is_asked_for_fewer(refusal: Any) -> None:
    """Some refuse by saying nothing at all."""
    node = Searched(a_log(2**95, 5_000))
    node.refuse = lambda first, last: refusal if last - first >= 500 else None
    assert the_price(node) == 2**95


def test_a_node_that_is_gone_is_not_taken_for_one_that_refuses() -> None:
    node = Searched(a_log(2**95, 5_000))
    node.refuse, node.alive = (lambda _first, _last: RpcUnavailable("no answer")), False
    with pytest.raises(RpcUnavailable, match="no answer"):
        the_price(node)
    assert node.asked == 1


def pruned(first: int, _last: int) -> RpcError | None:
    return RpcError(4444, "pruned history unavailable", None) if first < 80_000 else None


def few_at_once(first: int, last: int) -> RpcError | None:
    return TOO_MANY if last - first >= 10 else None


@pytest.mark.parametrize("refuse", [pruned, few_at_once])
def test_a_price_that_was_set_too_long_ago_takes_an_rpc_that_forgets_nothing(
    refuse: Callable[[int, int], Any | None],
) -> None:
    node = Searched(a_log(2**95, 5_000))
    node.refuse = refuse
    with pytest.raises(ChainError, match=r"its price at the end of block 90000.*an archive RPC"):
        the_price(node)
    assert node.asked <= 500


def test_a_pool_that_never_had_a_price_has_none_now() -> None:
    with pytest.raises(ChainError, match="no log that set it in the blocks from 0 on"):
        the_price(Searched())
