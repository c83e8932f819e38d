"""JSON-RPC over HTTP: the only module that holds a web3 provider for a real chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from eth_typing import URI
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from lpmanager.errors import RpcUnavailable

Request = tuple[str, list[Any]]

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class RpcError:
    """The error object of a JSON-RPC answer, as a value: the node heard us and said no."""

    code: int
    message: str
    data: Any


class Transport(Protocol):
    """Carries JSON-RPC requests. Results are JSON values with 0x-hex quantities."""

    def request_many(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """The answers in the order asked. Raises RpcUnavailable where there is no answer."""
        ...


class HttpTransport:
    """One RPC URL, asked without hidden retries: web3 would resend a raw transaction by itself."""

    def __init__(self, url: str, timeout_s: float = 15.0) -> None:
        session = requests.Session()
        # A proxy of the environment is for the world outside, and looking it up costs every call.
        session.trust_env = urlsplit(url).hostname not in _LOOPBACK
        self._provider = HTTPProvider(
            URI(url),
            request_kwargs={"timeout": timeout_s},
            session=session,
            exception_retry_configuration=None,
        )
        self.name = masked(url)

    def request_many(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """All requests in one HTTP round trip."""
        if not requests:
            return []
        calls = [(RPCEndpoint(method), params) for method, params in requests]
        answers = self._post(calls)
        if len(answers) != len(calls):
            raise RpcUnavailable(
                f"{self.name}: asked {len(calls)} things, got {len(answers)} answers; "
                "use an RPC that supports JSON-RPC batches"
            )
        return [self._result(answer) for answer in answers]

    def _post(self, calls: list[tuple[RPCEndpoint, Any]]) -> list[Any]:
        try:
            if len(calls) == 1:
                return [self._provider.make_request(*calls[0])]
            answers = self._provider.make_batch_request(calls)
        except requests.exceptions.RequestException as error:
            # Its own words hold the whole URL, and with it an API key: they are not passed on.
            raise RpcUnavailable(
                f"{self.name}: no answer ({type(error).__name__}); check the RPC URL"
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._not_json_rpc() from error
        if isinstance(answers, list):
            return answers
        if isinstance(answers, dict) and "error" in answers:
            raise RpcUnavailable(f"{self.name}: the batch was refused: {answers['error']}")
        raise self._not_json_rpc()

    def _result(self, answer: Any) -> Any | RpcError:
        if isinstance(answer, dict):
            error = answer.get("error")
            if isinstance(error, dict) and isinstance(error.get("code"), int):
                return RpcError(error["code"], str(error.get("message", "")), error.get("data"))
            if "result" in answer:
                return answer["result"]
        raise self._not_json_rpc()

    def _not_json_rpc(self) -> RpcUnavailable:
        return RpcUnavailable(f"{self.name}: the answer is not JSON-RPC")


def masked(url: str) -> str:
    """The URL without what may be an API key: scheme and host only."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
