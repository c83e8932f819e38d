"""JSON-RPC over real HTTP: what a bad, slow or hostile endpoint can answer."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from loopback_rpc import always, loopback, result

from lpmanager.chain.node import Node
from lpmanager.chain.transport import HttpTransport, RpcError, masked
from lpmanager.errors import MaybeSent, RpcUnavailable

CHAIN = ("eth_chainId", [])
SECRET = "v3/0123456789abcdef"


def asked(url: str, *requests: Any) -> list[Any]:
    return HttpTransport(url, timeout_s=2).request_many(requests or [CHAIN])


def test_one_request_is_no_batch_and_many_are_one() -> None:
    with loopback(result("0x1")) as rpc:
        assert asked(rpc.url, CHAIN) == ["0x1"]
        assert asked(rpc.url, CHAIN, CHAIN, CHAIN) == ["0x1"] * 3
        assert HttpTransport(rpc.url).request_many([]) == []
    assert [isinstance(posted, list) for posted in rpc.posts] == [False, True]


def test_answers_in_any_order_go_to_their_questions() -> None:
    def backwards(posted: Any) -> tuple[int, Any]:
        answers = [
            {"jsonrpc": "2.0", "id": one["id"], "result": one["params"][0]} for one in posted
        ]
        return 200, answers[::-1]

    with loopback(backwards) as rpc:
        requests = [("echo", [word]) for word in ("a", "b", "c")]
        assert asked(rpc.url, *requests) == ["a", "b", "c"]


def test_an_error_object_is_a_value_with_its_data() -> None:
    error = {"code": 3, "message": "execution reverted", "data": "0x08c379a0"}
    with loopback(always(200, {"jsonrpc": "2.0", "id": 0, "error": error})) as rpc:
        assert asked(rpc.url) == [RpcError(3, "execution reverted", "0x08c379a0")]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>busy</html>",
        "null",
        "5",
        '"x"',
        "[]",
        "{}",
        '{"error": "no"}',
        '{"jsonrpc": "2.0", "id": 0, "error": {"code": "x", "message": "no"}}',
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_what_is_not_json_rpc_is_no_answer(body: str, count: int) -> None:
    with (
        loopback(always(200, body)) as rpc,
        pytest.raises(RpcUnavailable, match=r"http://127\.0\.0\.1"),
    ):
        asked(rpc.url, *[CHAIN] * count)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_batch_with_an_answer_missing_is_no_answer(kept: int) -> None:
    def fewer(posted: Any) -> tuple[int, Any]:
        status, answers = result("0x1")(posted)
        return status, answers[:kept]

    with loopback(fewer) as rpc, pytest.raises(RpcUnavailable, match="batch"):
        asked(rpc.url, CHAIN, CHAIN, CHAIN)


@pytest.mark.parametrize(
    "strange",
    [["a", "b"], [None, None], [[], []]],
)
def test_a_batch_of_something_else_is_no_answer(strange: Any) -> None:
    with loopback(always(200, strange)) as rpc, pytest.raises(RpcUnavailable):
        asked(rpc.url, CHAIN, CHAIN)


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 502, 503])
@pytest.mark.parametrize("count", [1, 2])
def test_an_http_error_is_no_answer(status: int, count: int) -> None:
    with loopback(always(status, "busy")) as rpc, pytest.raises(RpcUnavailable, match="no answer"):
        asked(rpc.url, *[CHAIN] * count)
    assert len(rpc.posts) == 1


def test_a_closed_port_is_no_answer() -> None:
    with loopback(result("0x1")) as rpc:
        pass
    with pytest.raises(RpcUnavailable, match="ConnectionError"):
        asked(rpc.url)


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("status", [200, 401, 429])
def test_the_key_in_a_url_is_in_no_error_nor_its_traceback(status: int) -> None:
    with loopback(always(status, "no")) as rpc, pytest.raises(RpcUnavailable) as caught:
        asked(f"{rpc.url}/{SECRET}?token={SECRET}")
    assert SECRET not in told(caught.value)
    with pytest.raises(RpcUnavailable) as caught:
        asked(f"{rpc.url}/{SECRET}")
    assert SECRET not in told(caught.value)


def test_a_url_is_shown_by_its_host_alone() -> None:
    assert masked("https://user:word@rpc.example:8545/v3/key?k=1#f") == "https://rpc.example:8545"
    assert masked("https://rpc.example/v3/key") == "https://rpc.example"


@pytest.mark.parametrize(
    ("answer", "delay_s"),
    [
        (always(429, "slow down"), 0.0),
        (always(500, "oops"), 0.0),
        (always(200, "not json"), 0.0),
        (result("0x1"), 0.5),
        (always(200, {"id": 0, "error": {"code": -32000, "message": "already known"}}), 0.0),
    ],
)
def test_a_raw_transaction_is_posted_once_and_is_then_maybe_sent(answer, delay_s: float) -> None:
    with loopback(answer, delay_s=delay_s) as rpc:
        node = Node(HttpTransport(rpc.url, timeout_s=0.2), 1)
        with pytest.raises(MaybeSent):
            node.send_raw(b"\x02\xff")
    assert [posted["method"] for posted in rpc.posts] == ["eth_sendRawTransaction"]
    assert rpc.posts[0]["params"] == ["0x02ff"]


def test_a_refused_batch_says_why() -> None:
    error = {"code": -32600, "message": "batch too large"}
    with (
        loopback(always(200, {"jsonrpc": "2.0", "id": None, "error": error})) as rpc,
        pytest.raises(RpcUnavailable, match="batch too large"),
    ):
        asked(rpc.url, CHAIN, CHAIN)
