"""A transport between the program and a real chain that a test can have its say in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lpmanager.chain.transport import RpcError

Requests = Sequence[tuple[str, list[Any]]]

LOOK, SEND = "eth_getTransactionReceipt", "eth_sendRawTransaction"

#: Blocks behind the head whose state a node without an archive has.
REMEMBERED = 128


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


class Behind(Meddling):
    """A transport that is behind what it tells receipts of: after each transaction the next `looks`
    at the head see the block before."""

    looks = 3
    _left = 0

    def request_many(self, requests: Requests) -> list[Any]:
        answers = super().request_many(requests)
        if SEND in {method for method, _ in requests}:
            self._left = self.looks
        for place, (method, params) in enumerate(requests):
            if (method, params[:1]) == ("eth_getBlockByNumber", ["latest"]) and self._left:
                self._left -= 1
                parent = hex(int(answers[place]["number"], 16) - 1)
                (answers[place],) = self._inner.request_many([(method, [parent, False])])
        return answers


def failing_on(method: str, trouble: Any) -> Callable[[str], Any | None]:
    """To meddle with: every request of that method fails."""
    return lambda asked: trouble if asked == method else None


class Forgetful(Meddling):
    """A node that keeps no archive: of blocks more than 128 behind the head it has the logs, but
    not what they left. `most_blocks` is how many it searches for logs at once."""

    def __init__(self, inner: Any, most_blocks: int = 2_000) -> None:
        super().__init__(inner)
        self._most_blocks = most_blocks

    def request_many(self, requests: Requests) -> list[Any]:
        refusals = [self._refusal(*asked) for asked in requests]
        answers = super().request_many(requests)
        return [refused or told for refused, told in zip(refusals, answers, strict=True)]

    def _refusal(self, method: str, params: list[Any]) -> RpcError | None:
        if method == "eth_getLogs":
            first, last = (int(params[0][end], 16) for end in ("fromBlock", "toBlock"))
            if last - first >= self._most_blocks:
                return RpcError(-32000, "block range is too large", None)
        of_state = method in ("eth_call", "eth_getBalance", "eth_getTransactionCount")
        if of_state and self._height(params[-1]) < self._height("latest") - REMEMBERED:
            return RpcError(-32000, "missing trie node", None)
        return None

    def _height(self, block: str | dict[str, str]) -> int:
        if isinstance(block, str) and block.startswith("0x"):
            return int(block, 16)
        by_hash = isinstance(block, dict)
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        name = block["blockHash"] if isinstance(block, dict) else block
        (told,) = self._inner.request_many([(method, [name, False])])
        return int(told["number"], 16)
