"""A transport between the program and a real chain that a test can have its say in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Requests = Sequence[tuple[str, list[Any]]]

LOOK, SEND = "eth_getTransactionReceipt", "eth_sendRawTransaction"


class Meddling:
    """`meddle` may answer, or fail, in the chain's place; `before_look` may do something to the
    chain each time before it is asked for receipts. Keeps what was asked."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.meddle: Callable[[str], Any | None] = lambda _method: None
        self.before_look: Callable[[], None] = lambda: None
        self.posted: list[str] = []
        self.sent: list[str] = []

    def request_many(self, requests: Requests) -> list[Any]:
        if LOOK in {method for method, _ in requests}:
            self.before_look()
        for method, params in requests:
            self.posted.append(method)
            if method == SEND:
                self.sent.append(params[0])
            trouble = self.meddle(method)
            if isinstance(trouble, BaseException):
                raise trouble
            if trouble is not None:
                return [trouble for _ in requests]
        return self._inner.request_many(requests)

    def count(self, method: str) -> int:
        return self.posted.count(method)


class Blind(Meddling):
    """A transport whose simulations always succeed."""

    def request_many(self, requests: Requests) -> list[Any]:
        if len(requests) == 1 and requests[0][0] == "eth_call" and "from" in requests[0][1][0]:
            return ["0x"]
        answers = []
        for request in requests:
            if request[0] == "eth_estimateGas":
                answers.append(hex(500_000))
            else:
                answers += self._inner.request_many([request])
        return answers


def failing_on(method: str, trouble: Any) -> Callable[[str], Any | None]:
    """To meddle with: every request of that method fails."""
    return lambda asked: trouble if asked == method else None
