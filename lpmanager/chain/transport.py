"""JSON-RPC over HTTP: one URL, asked once, and what it answers checked before anybody sees it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import requests
import urllib3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

from lpmanager.chain.timed_http import TimedAdapter
from lpmanager.chain.urls import is_loopback, masked, quoted
from lpmanager.errors import RpcUnavailable

Request = tuple[str, list[Any]]

#: Hands over a signed transaction. It is posted once, and never again by itself.
SEND_RAW = "eth_sendRawTransaction"

#: How RPCs say that eth_getLogs was asked for too much: too many blocks, or too long an answer.
#: geth, reth, Erigon, Infura, Alchemy, QuickNode, Ankr, BlockPI, Cloudflare, the OP stack's proxy
#: and BNB Chain in turn have words of their own for it.
_TOO_MUCH = re.compile(
    r"more than [\d,]+ results|max(imum)? (results|block range)|block range|range (is )?too"
    r"|ranges over|limited to .*(block|range)|(response|result)s? (size|set|is|too)"
    r"|too many (blocks|logs|results)|^limit exceeded$",
    re.IGNORECASE,
)

#: JSON-RPC code that execution clients give a reverted eth_call or eth_estimateGas.
_REVERTED = 3
_LARGEST_CODE = 2**31

_CHUNK = 64 * 1024

#: No honest answer to what is asked here comes near it.
_LONGEST_ANSWER = 128 * 1024 * 1024
_DEEPEST_ANSWER = 64

#: Seconds after which a connection that was left open may be dead without a sign, as behind a
#: firewall that forgets it.
_LONGEST_IDLE_S = 30.0

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True, slots=True)
class RpcError:
    """The error object of a JSON-RPC answer, as a value: the node heard us and said no."""

    code: int
    message: str
    data: Any

    @property
    def is_revert(self) -> bool:
        """Whether it is the contract that says no, so that every node would answer the same."""
        return self.code == _REVERTED or "revert" in self.message.lower()

    @property
    def asks_for_less(self) -> bool:
        """Whether eth_getLogs, if that it was, asked for too much: it would be refused again."""
        return _TOO_MUCH.search(self.message) is not None


class Transport(Protocol):
    """Carries JSON-RPC requests. Results are JSON values with 0x-hex quantities."""

    def request_many(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """The answers in the order asked. Raises RpcUnavailable where there is no answer."""
        ...


class HttpTransport:
    """One RPC URL. Each request is posted once: web3 writes the JSON but does not send it, because
    it would send a raw transaction five times over.

    `timeout_s` bounds the wait for a connection, and that for the whole answer. `name` is what
    errors call it; without one the URL's scheme and host.
    """

    def __init__(self, url: str, timeout_s: float = 10.0, name: str | None = None) -> None:
        self.name = name or masked(url)
        self._url = url
        self._timeout_s = timeout_s
        self._json = JSONBaseProvider()
        self._asked = 0
        self._used_at = time.monotonic()
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, TimedAdapter())
        # A proxy of the environment is for the world outside, and looking it up costs every call.
        self._session.trust_env = not is_loopback(url)
        self._session.headers["Content-Type"] = "application/json"

    def request_many(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """All requests in one HTTP round trip."""
        if not requests:
            return []
        calls = [(RPCEndpoint(method), params) for method, params in requests]
        # The ids that web3 is about to give them: it counts too.
        ids = range(self._asked, self._asked + len(calls))
        self._asked += len(calls)
        if len(calls) == 1:
            answers = [self._post(self._json.encode_rpc_request(*calls[0]))]
        else:
            answers = self._batch(self._post(self._json.encode_batch_rpc_request(calls)), ids)
        return [self._result(answer, i) for answer, i in zip(answers, ids, strict=True)]

    def _post(self, body: bytes) -> Any:
        self._hang_up_if_idle()
        try:
            with self._session.post(
                self._url, data=body, timeout=self._timeout_s, allow_redirects=False, stream=True
            ) as response:
                if response.status_code != requests.codes.ok:
                    raise self._unavailable(f"HTTP {response.status_code}")
                told = self._read(response)
        except (
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
            UnicodeError,
        ) as error:
            # Its own words hold the whole URL, and with it an API key: they are not passed on.
            raise self._unavailable(type(error).__name__) from None
        if _nested_too_deep(told):
            raise self._not_json_rpc()
        try:
            return self._json.decode_rpc_response(told)
        except ValueError as error:
            raise self._not_json_rpc() from error

    def _hang_up_if_idle(self) -> None:
        now = time.monotonic()
        if now - self._used_at > _LONGEST_IDLE_S:
            self._session.close()  # the next request opens another connection
        self._used_at = now

    def _read(self, response: requests.Response) -> bytes:
        """The body, given up where it does not end."""
        body = bytearray()
        # read1 returns what there is, as soon as it is there.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > _LONGEST_ANSWER:
                raise self._unavailable(f"it is longer than {_LONGEST_ANSWER} bytes")
        return bytes(body)

    def _batch(self, told: Any, ids: range) -> list[Any]:
        """The answers to a batch, in the order asked: they may come in any."""
        if isinstance(told, dict) and "error" in told:
            why = quoted(str(told["error"]), self._url)
            raise RpcUnavailable(f"{self.name}: the batch was refused: {why}")
        if not isinstance(told, list) or not all(isinstance(answer, dict) for answer in told):
            raise self._not_json_rpc()
        if len(told) != len(ids):
            raise RpcUnavailable(
                f"{self.name}: asked {len(ids)} things, got {len(told)} answers; "
                "use an RPC that supports JSON-RPC batches"
            )
        by_id = {answer["id"]: answer for answer in told if type(answer.get("id")) is int}
        if by_id.keys() != set(ids):
            raise self._of_something_else([answer.get("id") for answer in told], ids)
        return [by_id[i] for i in ids]

    def _result(self, answer: Any, expected_id: int) -> Any | RpcError:
        if not isinstance(answer, dict):
            raise self._not_json_rpc()
        error, found = self._error_in(answer), answer.get("id")
        if error is None and "result" not in answer:
            raise self._not_json_rpc()
        if error is not None and found is None:
            # So a node answers what it did not read as far as the id.
            raise RpcUnavailable(f"{self.name}: the request was refused: {error.message}")
        if found != expected_id or isinstance(found, bool):
            raise self._of_something_else([found], range(expected_id, expected_id + 1))
        return answer["result"] if error is None else error

    def _error_in(self, answer: dict[str, Any]) -> RpcError | None:
        error = answer.get("error")
        if not isinstance(error, dict):
            return None
        code = error.get("code")
        if not isinstance(code, int) or abs(code) > _LARGEST_CODE:
            return None
        message = quoted(str(error.get("message", "")), self._url)
        return RpcError(code, message, error.get("data"))

    def _of_something_else(self, found: list[Any], ids: range) -> RpcUnavailable:
        return RpcUnavailable(
            f"{self.name}: expected the answers to requests {list(ids)}, found ids "
            f"{quoted(str(found), self._url)}: it mixes up its answers; use another RPC"
        )

    def _unavailable(self, why: str) -> RpcUnavailable:
        return RpcUnavailable(f"{self.name}: no answer ({why}); check the RPC URL")

    def _not_json_rpc(self) -> RpcUnavailable:
        return RpcUnavailable(f"{self.name}: the answer is not JSON-RPC")


def _nested_too_deep(body: bytes) -> bool:
    """Whether JSON is nested too deep to be read, or its brackets do not match.

    Some packages that sign lift Python's limit on recursion, and then 100 kB of "[" end the
    process.
    """
    if body.count(b"[") + body.count(b"{") <= _DEEPEST_ANSWER:
        return False
    brackets = _STRING.sub(b"", body).translate(None, _ALL_BUT_BRACKETS)
    for _ in range(_DEEPEST_ANSWER):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)
