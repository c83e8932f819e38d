"""How many blocks are asked for at once, and how RPCs say that it was too many."""

from __future__ import annotations

import pytest

from lpmanager.chain.breaker import Breaker
from lpmanager.chain.providers import Provider
from lpmanager.chain.stride import Stride
from lpmanager.chain.transport import Request, RpcError
from lpmanager.errors import RpcUnavailable


def test_it_doubles_with_each_answer_until_something_is_refused() -> None:
    stride = Stride(1_000)
    for _ in range(3):
        stride.answered(10)
    assert stride.blocks == 8_000


def test_it_halves_what_was_refused_down_to_a_single_block() -> None:
    stride = Stride(1_000)
    stride.refused(5)
    assert stride.blocks == 2
    stride.refused(1)
    assert stride.blocks == 1


def test_after_a_refusal_it_grows_again_only_now_and_then() -> None:
    stride = Stride(1_000)
    stride.refused(1_000)
    sizes = []
    for _ in range(16):
        stride.answered(10)
        sizes.append(stride.blocks)
    assert sizes == [500] * 7 + [1_000] * 8 + [2_000]


def test_it_does_not_grow_where_answers_are_long() -> None:
    stride = Stride(1_000)
    stride.answered(4_000)
    assert stride.blocks == 1_000


def test_it_does_not_grow_beyond_its_longest() -> None:
    stride = Stride(1_000)
    for _ in range(20):
        stride.answered(0)
    assert stride.blocks == 100_000


TOO_MUCH = (
    "query returned more than 10000 results",
    "query returned more than 10,000 results. Try with this block range [0xBDE5F8, 0x102DBCC].",
    "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range",
    "query exceeds max results 20000, retry with the range 50784086-50785570",
    "query exceeds max block range 100000",
    "exceed maximum block range: 5000",
    "block range is too wide",
    "block range too large",
    "requested range too large",
    "'fromBlock'-'toBlock' range too large. Max range: 800",
    "eth_getLogs is limited to a 10,000 range",
    "eth_getLogs is limited to 0 - 50 blocks range",
    "requested too many blocks from 0 to 4096, maximum is set to 2048",
    "ranges over 10000 blocks are not supported on freetier",
    "backend response too large",
    "limit exceeded",
)
NOT_NOW = (
    "Rate limit exceeded",
    "daily request count exceeded, request rate limited",
    "project ID request rate exceeded",
    "Your app is limited to 10 requests per second",
    "too many requests",
)


class Saying:
    """An RPC that gives everything the same answer."""

    def __init__(self, error: RpcError) -> None:
        self._error = error

    def request_many(self, requests: list[Request]) -> list[RpcError]:
        return [self._error for _ in requests]


def provider(message: str) -> Provider:
    error = RpcError(-32005, message, None)
    return Provider(name="rpc", transport=Saying(error), breaker=Breaker(lambda: 0.0))


@pytest.mark.parametrize("message", TOO_MUCH)
def test_too_much_asked_for_is_no_reason_to_ask_the_same_again(message: str) -> None:
    (answer,) = provider(message).request_many([("eth_getLogs", [])])
    assert answer.asks_for_less


@pytest.mark.parametrize("message", NOT_NOW)
def test_a_busy_rpc_is_asked_again_later(message: str) -> None:
    with pytest.raises(RpcUnavailable, match="is busy"):
        provider(message).request_many([("eth_getLogs", [])])
