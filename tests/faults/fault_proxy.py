"""A proxy on the loopback between lpmanager and a devnet that lies, stalls and loses as told.

It also keeps geth's rules on what a mempool takes, which anvil does not: a replacement offers a
tenth more of both fees, and what is known or used up is refused in geth's words.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

SEND = "eth_sendRawTransaction"
BLOCK = "eth_getBlockByNumber"
NONCE = "eth_getTransactionCount"
RECEIPT = "eth_getTransactionReceipt"
CHAIN_ID = "eth_chainId"
LOGS = "eth_getLogs"

#: In the URL of every proxy, as providers of RPCs have one there.
API_KEY = "k3y0fTheRpcPr0vider"

_TAGS = {"latest", "pending", "safe", "finalized"}

#: How long a stalled request is held; whoever asked has given up long before.
_STALL_S = 60.0
_UPSTREAM_TIMEOUT_S = 120.0

_POST = (
    b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)

Json = dict[str, Any]


class Fault(StrEnum):
    """What can go wrong with one HTTP request."""

    STALL_BEFORE = "no answer, and the node never got it"
    STALL_AFTER = "no answer, but the node took it"
    TOO_MANY = "429, and the node never got it"
    SERVER_ERROR = "500, but the node took it"
    RESET = "the connection is reset, but the node took it"
    CUT_JSON = "half of the answer"
    HTML = "a web page"
    WRONG_ID = "the answer to another request"
    NO_RESULT = "an answer without a result"
    SHORT_BATCH = "a batch with an answer missing"
    WRONG_HASH = "another hash for what was sent"
    WRONG_CHAIN = "another chain id"
    OLD_HEAD = "the chain as it was some blocks ago"
    OTHER_BLOCK = "another hash for every block"
    OTHER_RECEIPT = "the receipt of another transaction"
    NO_RECEIPT = "no receipt of what is mined"
    FORGOTTEN = "taken as it seems, but the node never got it"
    TALL_HEAD = "a newest block that is some blocks ahead of the chain"


#: The only methods that a lie of this kind is about; the others concern whole requests.
ABOUT = {
    Fault.WRONG_HASH: {SEND},
    Fault.WRONG_CHAIN: {CHAIN_ID},
    Fault.OLD_HEAD: {BLOCK, NONCE, RECEIPT, LOGS, "eth_call", "eth_getBalance", "eth_getCode"},
    Fault.OTHER_BLOCK: {BLOCK},
    Fault.OTHER_RECEIPT: {RECEIPT},
    Fault.NO_RECEIPT: {RECEIPT},
    Fault.FORGOTTEN: {SEND},
    Fault.TALL_HEAD: {BLOCK},
}


@dataclass
class Trouble:
    """A fault that concerns requests with one of `methods` (any, where empty).

    It leaves the first `after` of them alone and then concerns `times` (None: all that follow),
    each with this `chance`.
    """

    fault: Fault
    methods: frozenset[str]
    after: int
    times: int | None
    chance: float
    blocks: int

    def strikes(self, methods: set[str], dice: random.Random) -> bool:
        """Whether it concerns this request; counts it."""
        if self.methods and not self.methods & methods:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times == 0 or dice.random() >= self.chance:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True)
class Seen:
    """One JSON-RPC request that came by, in which HTTP request: what the node said of it, and what
    was done to that."""

    post: int
    method: str
    params: list[Any]
    answer: Any
    fault: Fault | None


class Waiting(NamedTuple):
    """A transaction in the mempool."""

    tx_hash: str
    max_fee: int
    tip: int


@dataclass
class FaultProxy:
    """Its URL, what came by, and the faults to come. All that is random comes from a seed."""

    url: str
    upstream: Callable[[Sequence[Json]], list[Json]]
    dice: random.Random
    log: list[Seen] = field(default_factory=list)
    _posts: int = 0
    _troubles: list[Trouble] = field(default_factory=list)
    _pool: dict[tuple[str, int], Waiting] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def inject(
        self,
        fault: Fault,
        *methods: str,
        after: int = 0,
        times: int | None = None,
        chance: float = 1.0,
        blocks: int = 10,
    ) -> None:
        """Let a fault strike requests; `blocks` says how far off a wrong head is."""
        about = frozenset(methods or ABOUT.get(fault, ()))
        self._troubles.append(Trouble(fault, about, after, times, chance, blocks))

    def heal(self) -> None:
        """From now on nothing goes wrong."""
        self._troubles.clear()

    def hashes_sent(self) -> list[str]:
        """The hashes of all signed transactions that came by, in order, each once."""
        raws = (seen.params[0] for seen in self.log if seen.method == SEND)
        return list(dict.fromkeys("0x" + keccak(hexstr=raw).hex() for raw in raws))

    def struck(self, fault: Fault) -> int:
        """How many HTTP requests the fault has struck."""
        return len({seen.post for seen in self.log if seen.fault is fault})

    def concerned(self, fault: Fault) -> int:
        """How many HTTP requests so far a fault of that kind could have struck."""
        about = ABOUT.get(fault)
        return len({seen.post for seen in self.log if about is None or seen.method in about})

    def serve(self, calls: Sequence[Json]) -> tuple[Trouble | None, list[Json]]:
        """What strikes this HTTP request, and the answers to its calls; none where the node never
        gets them."""
        with self._lock:
            methods = {call["method"] for call in calls}
            trouble = next((t for t in self._troubles if t.strikes(methods, self.dice)), None)
            fault = trouble.fault if trouble else None
            if fault in (Fault.STALL_BEFORE, Fault.TOO_MANY):
                answers: list[Json] = []
            else:
                answers = self._answers(fault, calls)
            for index, call in enumerate(calls):
                answer = answers[index] if answers else None
                seen = Seen(self._posts, call["method"], call["params"], answer, fault)
                self.log.append(seen)
            self._posts += 1
            if trouble is not None and answers:
                answers = [self._lie(trouble, c, a) for c, a in zip(calls, answers, strict=True)]
            return trouble, answers

    def _ask(self, method: str, *params: Any) -> Any:
        call = {"jsonrpc": "2.0", "id": 0, "method": method, "params": list(params)}
        return self.upstream([call])[0].get("result")

    def _answers(self, fault: Fault | None, calls: Sequence[Json]) -> list[Json]:
        """What the node says of calls that get to it. Reads are handed on as they came, at once."""
        if all(call["method"] != SEND for call in calls):
            return self.upstream(calls)
        return [self._answer(fault, call) for call in calls]

    def _answer(self, fault: Fault | None, call: Json) -> Json:
        """What the node says of a call that gets to it."""
        if fault is Fault.FORGOTTEN and call["method"] == SEND:
            return {**_frame(call), "result": _decoded(call["params"][0])[2].tx_hash}
        return self._checked_by_geth(call)

    def _checked_by_geth(self, call: Json) -> Json:
        if call["method"] != SEND:
            return self.upstream([call])[0]
        sender, nonce, offer = _decoded(call["params"][0])
        refusal = self._refusal(sender, nonce, offer)
        if refusal is not None:
            return {**_frame(call), "error": {"code": -32000, "message": refusal}}
        answer = self.upstream([call])[0]
        if "result" in answer:
            self._pool[sender, nonce] = offer
        return answer

    def _refusal(self, sender: str, nonce: int, offer: Waiting) -> str | None:
        """Why geth's mempool would not take it."""
        next_nonce = int(self._ask(NONCE, sender, "latest"), 16)
        if nonce < next_nonce:
            return f"nonce too low: next nonce {next_nonce}, tx nonce {nonce}"
        old = self._pool.get((sender, nonce))
        if old is None or self._ask("eth_getTransactionByHash", old.tx_hash) is None:
            return None
        if old.tx_hash == offer.tx_hash:
            return "already known"
        if offer.max_fee <= old.max_fee or offer.tip <= old.tip:
            return "replacement transaction underpriced"
        if offer.max_fee < old.max_fee * 110 // 100 or offer.tip < old.tip * 110 // 100:
            return "replacement transaction underpriced"
        return None

    def _lie(self, trouble: Trouble, call: Json, answer: Json) -> Json:
        """The answer to a call as the fault wants it."""
        fault, method = trouble.fault, call["method"]
        if fault is Fault.WRONG_ID:
            return {**answer, "id": answer["id"] + 1_000}
        if fault is Fault.NO_RESULT:
            return _frame(call)
        if method not in ABOUT.get(fault, ()):
            return answer
        match fault:
            case Fault.WRONG_HASH:
                return {**_frame(call), "result": "0x" + "5a" * 32}
            case Fault.WRONG_CHAIN:
                return {**_frame(call), "result": "0x1"}
            case Fault.OTHER_BLOCK:
                return _changed(answer, "hash")
            case Fault.OTHER_RECEIPT:
                return _changed(answer, "transactionHash")
            case Fault.FORGOTTEN:
                return answer
            case Fault.NO_RECEIPT:
                return {**_frame(call), "result": None}
            case Fault.TALL_HEAD:
                return _taller(answer, trouble.blocks) if call["params"][0] == "latest" else answer
            case _:
                return self._as_of_old(call, answer, trouble.blocks)

    def _as_of_old(self, call: Json, answer: Json, blocks: int) -> Json:
        """The answer as a node gives it that is so many blocks behind: what is newer it does not
        know."""
        height = max(int(self._ask("eth_blockNumber"), 16) - blocks, 0)
        method, params = call["method"], call["params"]
        if method == RECEIPT:
            receipt = answer.get("result")
            known = receipt is not None and int(receipt["blockNumber"], 16) <= height
            return answer if known else {**_frame(call), "result": None}
        if method == LOGS:
            logs = answer.get("result", [])
            old = [log for log in logs if int(log["blockNumber"], 16) <= height]
            return {**_frame(call), "result": old}
        place = 0 if method == BLOCK else 1
        wanted = params[place] if len(params) > place else "latest"
        if isinstance(wanted, str) and wanted in _TAGS:
            then = [*params[:place], hex(height), *params[place + 1 :]]
            return {**self.upstream([{**call, "params": then}])[0], "id": call["id"]}
        if self._height_of(wanted) <= height:
            return answer
        if method == BLOCK:
            return {**_frame(call), "result": None}
        return {**_frame(call), "error": {"code": -32000, "message": "header not found"}}

    def _height_of(self, wanted: Any) -> int:
        """The height of a block named by its number or hash; above all others where unknown."""
        if isinstance(wanted, str):
            return int(wanted, 16)
        found = self._ask("eth_getBlockByHash", wanted["blockHash"], False)
        return int(found["number"], 16) if found else 10**18


@lru_cache(maxsize=256)
def _decoded(raw: str) -> tuple[str, int, Waiting]:
    """Sender, nonce and offer of a signed EIP-1559 transaction."""
    signed = HexBytes(raw)
    fields = TypedTransaction.from_bytes(signed).as_dict()
    offer = Waiting(
        "0x" + keccak(signed).hex(), fields["maxFeePerGas"], fields["maxPriorityFeePerGas"]
    )
    return Account.recover_transaction(signed), fields["nonce"], offer


def _frame(call: Json) -> Json:
    return {"jsonrpc": "2.0", "id": call["id"]}


def _changed(answer: Json, key: str) -> Json:
    """The answer with another hash in it, always the same one for the same hash."""
    if not answer.get("result"):
        return answer
    lie = "0x" + keccak(hexstr=answer["result"][key]).hex()
    return {**answer, "result": {**answer["result"], key: lie}}


def _taller(answer: Json, blocks: int) -> Json:
    """A newest block so many blocks higher, which nobody has, of the time of the one there is."""
    other = _changed(answer, "hash")
    number = int(other["result"]["number"], 16) + blocks
    return {**other, "result": {**other["result"], "number": hex(number)}}


@contextmanager
def fault_proxy(upstream_url: str, seed: int = 0) -> Iterator[FaultProxy]:
    """A proxy before the node of this URL, for as long as the `with` block lasts."""
    closing = Event()
    connections: set[socket.socket] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            connections.add(self.connection)

        def finish(self) -> None:
            connections.discard(self.connection)
            super().finish()

        def do_POST(self) -> None:
            posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls = posted if isinstance(posted, list) else [posted]
            trouble, answers = proxy.serve(calls)
            fault = trouble.fault if trouble else None
            if fault in (Fault.STALL_BEFORE, Fault.STALL_AFTER):
                closing.wait(_STALL_S)
                self.close_connection = True
            elif fault is Fault.RESET:
                # Closing with unsent data thrown away is what makes it a reset.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True
            elif fault is Fault.TOO_MANY:
                self._reply(429, b"slow down")
            elif fault is Fault.SERVER_ERROR:
                self._reply(500, b"oops")
            elif fault is Fault.HTML:
                self._reply(200, b"<html>busy</html>")
            else:
                self._tell(answers, fault, batch=isinstance(posted, list))

        def _tell(self, answers: list[Json], fault: Fault | None, *, batch: bool) -> None:
            if fault is Fault.SHORT_BATCH:
                answers = answers[:-1]
            told: Any = answers if batch else (answers[0] if answers else {})
            body = json.dumps(told).encode()
            self._reply(200, body[: len(body) // 2] if fault is Fault.CUT_JSON else body)

        def _reply(self, status: int, body: bytes) -> None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody waits for it
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    with upstream(upstream_url) as ask:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        proxy = FaultProxy(
            url=f"http://127.0.0.1:{server.server_address[1]}/v2/{API_KEY}",
            upstream=ask,
            dice=random.Random(seed),
        )
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            closing.set()
            server.shutdown()
            for connection in list(connections):
                with contextlib.suppress(OSError):  # it was closed meanwhile
                    connection.shutdown(socket.SHUT_RDWR)
            server.server_close()
            thread.join()


@contextmanager
def upstream(url: str) -> Iterator[Callable[[Sequence[Json]], list[Json]]]:
    """Asks the real node over one connection, in a fraction of the time that the program takes: of
    HTTP it knows what a devnet's answers have."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    place = parts.hostname, parts.port
    with (
        socket.create_connection(place, timeout=_UPSTREAM_TIMEOUT_S) as connection,
        connection.makefile("rb") as told,
    ):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask(calls: Sequence[Json]) -> list[Json]:
            body = json.dumps(list(calls)).encode()
            connection.sendall(_POST % (parts.netloc.encode(), len(body)) + body)
            answers: list[Json] = json.loads(told.read(_length_of_body(told)))
            by_id = {answer["id"]: answer for answer in answers}
            return [by_id[call["id"]] for call in calls]

        yield ask


def _length_of_body(told: BinaryIO) -> int:
    """By the head of an answer, which is read to its end."""
    status, length = told.readline(), None
    while (line := told.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if status.split()[1:2] != [b"200"] or length is None:
        raise ConnectionError(f"expected an answer of the node, found {status!r}")
    return length


def newest_time(ask: Callable[[Sequence[Json]], list[Json]]) -> int:
    """The time of the newest block, in Unix seconds."""
    call = {"jsonrpc": "2.0", "id": 0, "method": BLOCK, "params": ["latest", False]}
    return int(ask([call])[0]["result"]["timestamp"], 16)
