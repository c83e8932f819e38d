"""JSON-RPC over real HTTP: what a bad, slow or hostile endpoint can answer."""

from __future__ import annotations

import contextlib
import json
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from loopback_rpc import Answer, always, loopback, result

from lpmanager.chain.node import Node, chain_id_question
from lpmanager.chain.transport import HttpTransport, RpcError
from lpmanager.chain.urls import has_secret, masked, secrets_in
from lpmanager.errors import ChainError, MaybeSent, RpcUnavailable

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


def reply(i: Any, value: Any = "0x1") -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": i, "result": value}


@pytest.mark.parametrize("wrong", [7, "0", None, False, 0.5, [], {}])
def test_an_answer_to_another_request_is_no_answer(wrong: Any) -> None:
    with (
        loopback(always(200, reply(wrong))) as rpc,
        pytest.raises(RpcUnavailable, match="it mixes up its answers"),
    ):
        asked(rpc.url)


@pytest.mark.parametrize("ids", [(0, 0), (0, 2), (1, 2), (0, None), (None, None), ("0", "1")])
def test_a_batch_with_answers_to_other_requests_is_no_answer(ids: tuple[Any, Any]) -> None:
    answers = [reply(i) for i in ids]
    with (
        loopback(always(200, answers)) as rpc,
        pytest.raises(RpcUnavailable, match="it mixes up its answers"),
    ):
        asked(rpc.url, CHAIN, CHAIN)


def test_the_answer_to_an_earlier_request_is_no_answer_to_a_later_one() -> None:
    with loopback(always(200, reply(0))) as rpc:
        transport = HttpTransport(rpc.url)
        assert transport.request_many([CHAIN]) == ["0x1"]
        with pytest.raises(RpcUnavailable, match="mixes up"):
            transport.request_many([CHAIN])


def test_a_request_that_was_refused_unread_is_no_answer() -> None:
    error = {"code": -32700, "message": "parse error"}
    with (
        loopback(always(200, {"jsonrpc": "2.0", "id": None, "error": error})) as rpc,
        pytest.raises(RpcUnavailable, match="refused: parse error"),
    ):
        asked(rpc.url)


def test_what_is_nested_deep_is_read_only_as_deep_as_any_answer_is() -> None:
    def nested(deep: int) -> Answer:
        return always(200, json.dumps(reply(0, "")).replace('""', "[" * deep + '"]"' + "]" * deep))

    with loopback(nested(60)) as rpc:
        assert len(asked(rpc.url)) == 1
    with loopback(nested(90_000)) as rpc, pytest.raises(RpcUnavailable, match="not JSON-RPC"):
        asked(rpc.url)


def test_a_long_answer_of_many_shallow_things_is_read() -> None:
    logs = [{"data": "[" * 9, "topics": ["0x"]} for _ in range(2_000)]
    with loopback(always(200, reply(0, logs))) as rpc:
        assert asked(rpc.url) == [logs]


def test_a_redirection_is_not_followed() -> None:
    with (
        loopback(always(307, "elsewhere")) as rpc,
        pytest.raises(RpcUnavailable, match="HTTP 307"),
    ):
        asked(rpc.url)
    assert len(rpc.posts) == 1


_HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("at_once", "again_and_again"),
    [
        (_HEAD + b"\r\n", b" "),
        (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (_HEAD + b"X-Long: ", b"a"),
        (_HEAD, b"X-Many: a\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 ", b"O"),
    ],
    ids=["body", "chunks", "one header", "headers", "continue", "first line"],
)
def test_an_answer_that_drips_in_is_given_up(at_once: bytes, again_and_again: bytes) -> None:
    with dripping(at_once, again_and_again) as url:
        began = time.monotonic()
        with pytest.raises(RpcUnavailable, match="ReadTimeout"):
            HttpTransport(url, timeout_s=0.3).request_many([CHAIN])
        assert time.monotonic() - began < 2


def test_a_body_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpmanager.chain.transport._LONGEST_ANSWER", 3)
    with (
        dripping(_HEAD + b"\r\n", b" ") as url,
        pytest.raises(RpcUnavailable, match="longer than 3 bytes"),
    ):
        HttpTransport(url).request_many([CHAIN])


def test_an_answer_has_all_of_its_time_again_over_a_connection_that_was_used(
    keeping: tuple[str, list[object]],
) -> None:
    url, connections = keeping
    transport = HttpTransport(url, timeout_s=0.5)
    for _ in range(4):
        assert transport.request_many([CHAIN]) == ["0x1"]
        time.sleep(0.2)
    assert len(connections) == 1


@contextmanager
def dripping(at_once: bytes, again_and_again: bytes) -> Iterator[str]:
    """The URL of a server that sends a part of its answer at once, and then another every 20 ms,
    for ten seconds at most."""

    class Drip(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.wfile.write(at_once)
            with contextlib.suppress(OSError):  # the client has hung up, as it should
                for _ in range(500):
                    self.wfile.write(again_and_again)
                    time.sleep(0.02)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def keeping() -> Iterator[tuple[str, list[object]]]:
    """The URL of a server that keeps connections open, and those it was asked over."""
    connections: list[object] = []

    class Keep(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(self.client_address)
            super().setup()

        def do_POST(self) -> None:
            posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(reply(posted["id"])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    server.daemon_threads = True  # they wait for a client that may not hang up
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", connections
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_connection_is_used_again_unless_it_was_idle_for_long(
    keeping: tuple[str, list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, connections = keeping
    transport = HttpTransport(url)
    for _ in range(3):
        assert transport.request_many([CHAIN]) == ["0x1"]
    assert len(connections) == 1
    monkeypatch.setattr("lpmanager.chain.transport._LONGEST_IDLE_S", 0.01)
    time.sleep(0.05)
    assert transport.request_many([CHAIN]) == ["0x1"]
    assert len(connections) == 2


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
        "[" * 100_000,
        '{"jsonrpc": "2.0", "id": 0}',
        '{"jsonrpc": "2.0", "id": 0, "resu',
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


def test_a_url_that_http_cannot_carry_is_no_answer() -> None:
    url = "http://%E2%82%ACsecret:word@127.0.0.1:1/"
    with pytest.raises(RpcUnavailable, match="no answer") as caught:
        asked(url)
    assert "secret" not in told(caught.value)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("place", ["/v3/{key}", "/?apikey={key}&x=1"])
def test_a_server_that_repeats_the_key_it_was_asked_with_is_not_quoted(
    place: str, count: int
) -> None:
    key = "0123456789abcdef"
    error = {"code": -32005, "message": f"project {key} is over its limit"}
    with loopback(always(200, {"jsonrpc": "2.0", "id": 0, "error": error})) as rpc:
        transport = HttpTransport(rpc.url + place.format(key=key))
        try:
            said = str(transport.request_many([CHAIN] * count))
        except RpcUnavailable as refused:
            said = told(refused)
    assert key not in said
    assert "project *** is over its limit" in said


_SHOUTED = "no\nlpm: all is well \x1b[2J" + "x" * 10_000


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    "answer",
    [
        {"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": _SHOUTED}},
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": _SHOUTED}},
        {"jsonrpc": "2.0", "id": _SHOUTED, "result": "0x1"},
        {"jsonrpc": "2.0", "id": 0, "error": {"code": 10**4000, "message": "no"}},
    ],
    ids=["refusal", "unread", "id", "code"],
)
def test_what_a_server_says_is_told_in_one_short_line(answer: Any, count: int) -> None:
    def one_for_each(posted: Any) -> tuple[int, Any]:
        return 200, answer if count == 1 else [answer] * count

    def whole(_posted: Any) -> tuple[int, Any]:
        return 200, answer

    for server in (one_for_each, whole):
        with loopback(server) as rpc:
            node = Node(HttpTransport(rpc.url), 1)
            with pytest.raises(ChainError) as caught:
                node.ask_many([chain_id_question()] * count)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 600


def test_a_url_is_shown_by_its_host_alone() -> None:
    assert masked("https://user:word@rpc.example:8545/v3/key?k=1#f") == "https://rpc.example:8545"
    assert masked("https://rpc.example/v3/key") == "https://rpc.example"


@pytest.mark.parametrize(
    "key",
    [
        "0123456789abcdef0123456789abcdef",
        "0AbCdEfGhIjKlMnOpQrS",
        "01234567-89ab-cdef-0123-456789abcdef",
    ],
)
def test_a_key_in_the_name_of_a_host_is_not_shown(key: str) -> None:
    url = f"https://{key}.eth.rpc.example:8545/"
    assert masked(url) == "https://***.eth.rpc.example:8545"
    assert secrets_in(url) == [key.lower()]
    assert has_secret(url)


@pytest.mark.parametrize(
    "host", ["arbitrum-mainnet.infura.example", "misty-cold-star-12.quiknode.example", "10.0.0.17"]
)
def test_the_name_of_a_host_that_is_made_of_words_is_shown(host: str) -> None:
    assert masked(f"https://{host}/") == f"https://{host}"


@pytest.mark.parametrize(
    ("answer", "delay_s"),
    [
        (always(429, "slow down"), 0.0),
        (always(500, "oops"), 0.0),
        (always(200, "not json"), 0.0),
        (result("0x1"), 60.0),
        (always(200, {"id": 0, "error": {"code": -32000, "message": "already known"}}), 0.0),
    ],
)
def test_a_raw_transaction_is_posted_once_and_is_then_maybe_sent(answer, delay_s: float) -> None:
    with loopback(answer, delay_s=delay_s) as rpc:
        node = Node(HttpTransport(rpc.url, timeout_s=0.5), 1)
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
