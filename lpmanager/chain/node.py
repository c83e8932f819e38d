"""One chain behind one transport: typed questions, asked at one block hash."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Generic, TypeVar

from eth_utils.address import to_checksum_address

from lpmanager.abi import ContractCall, Event
from lpmanager.chain.transport import SEND_RAW, RpcError, Transport
from lpmanager.errors import CallReverted, ChainError, MaybeSent, WrongChain
from lpmanager.foreign_words import in_one_line
from lpmanager.model import Block

T = TypeVar("T")

#: Of at most 256 bits, as all numbers of the chain are.
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")

#: Heights, times and counts stay below, as databases keep them.
_TOO_MANY = 2**63

#: Logs are many and of few contracts, and a checksum is a hash.
_checksummed = lru_cache(maxsize=1024)(to_checksum_address)


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """A JSON-RPC request and how to read its result.

    `read_refusal` makes an answer of a refusal that says what was asked for, and raises any other;
    without it every refusal raises.
    """

    method: str
    params: list[Any]
    read: Callable[[Any], T]
    read_refusal: Callable[[ChainError], T] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """An event log. `topics` and addresses are hex.

    `timestamp` is its block's, in Unix seconds; None where the node does not tell it with the log.
    """

    address: str
    topics: tuple[str, ...]
    data: bytes
    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int
    timestamp: int | None = None

    def is_of(self, event: Event) -> bool:
        """Whether it is a log of this event, with all its topics."""
        return self.topics[:1] == (event.topic,) and len(self.topics) == event.topic_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a mined transaction. `gas_paid` is in wei, data fees of a rollup included."""

    tx_hash: str
    succeeded: bool
    block_number: int
    block_hash: str
    gas_used: int
    gas_paid: int
    logs: tuple[Log, ...]


class Node:
    """Typed access to one chain. Every state read names the block it is made at.

    `newest` tells the head that decisions are made at, for a chain where one RPC's word for it is
    not enough. `relay` takes the transactions that are not to be seen by everybody before they are
    mined. `in_use` tells how many RPCs of how many are. `refuses_lens` is what readers have found
    out about the RPCs (see `chain.lens`).
    """

    def __init__(
        self,
        transport: Transport,
        chain_id: int,
        newest: Callable[[], Block] | None = None,
        relay: Transport | None = None,
        in_use: Callable[[], tuple[int, int]] = lambda: (1, 1),
    ) -> None:
        self._transport = transport
        self._newest = newest
        self._relay = relay
        self.in_use = in_use
        self.chain_id = chain_id
        self.refuses_lens = False

    def check_chain(self) -> None:
        """Raise WrongChain unless the RPC serves the configured chain."""
        found = self.ask(chain_id_question())
        if found != self.chain_id:
            raise WrongChain(
                f"the RPC serves chain {found}, the configuration says {self.chain_id}; "
                "correct `chain` or the RPC URL"
            )

    def ask(self, question: Question[T]) -> T:
        """One answer; ChainError where the node refuses."""
        answer: T = self.ask_many([question])[0]
        return answer

    def ask_many(self, questions: Sequence[Question[Any]]) -> list[Any]:
        """All answers in one round trip; ChainError where the node refuses any of them."""
        raw = self._transport.request_many([(q.method, q.params) for q in questions])
        return [_answer(q, answer) for q, answer in zip(questions, raw, strict=True)]

    def head(self) -> Block:
        """The newest block to decide on. ChainError where there is none that can be believed."""
        return self.ask(block_question("latest")) if self._newest is None else self._newest()

    def genesis(self) -> str:
        """The hash of the chain's first block: two chains of one id differ in it."""
        return self.block(0).hash

    def block(self, number: int) -> Block:
        """The block at a height."""
        return self.ask(block_question(number))

    def call(self, call: ContractCall[T], at: Block) -> T:
        """The answer of a contract at a block; CallReverted where it reverts."""
        return self.ask(call_question(call, at))

    def call_many(self, calls: Sequence[ContractCall[Any]], at: Block) -> list[Any]:
        """The answers of several calls at the same block, in one round trip."""
        return self.ask_many([call_question(call, at) for call in calls])

    def send_raw(self, signed: bytes, *, public: bool = False) -> None:
        """Hand over a signed transaction; MaybeSent where nobody says that he took it.

        It goes to the relay alone where there is one, and to the RPCs too where it may be `public`.
        Even a plain refusal ("already known", "nonce too low") can mean that it was sent before.
        What hash the answer tells does not matter: the transaction's own is known.
        """
        takers = [self._transport]
        if self._relay is not None:
            takers = [self._relay, self._transport] if public else [self._relay]
        refusals = [_refusal_to_take(taker, signed) for taker in takers]
        if None not in refusals:
            raise MaybeSent("sending: " + "; ".join(str(refusal) for refusal in refusals))


def require_same_genesis(known: str | None, found: str) -> None:
    """Raise WrongChain unless the chain began with the block noted when it was first used.

    `known` is None at the first use.
    """
    if known is not None and known.lower() != found.lower():
        raise WrongChain(
            f"the chain's first block was {known} when it was first used, the RPC tells {found}: "
            "it is another chain of the same id, or was begun anew; correct the RPC URL, or keep "
            "its books in another store"
        )


def call_question(call: ContractCall[T], at: Block) -> Question[T]:
    """A contract call at a block hash."""
    message = {"to": call.to, "data": "0x" + call.data.hex()}
    return Question(
        "eth_call",
        [message, {"blockHash": at.hash}],
        lambda result: call.decode(bytes.fromhex(result[2:])),
    )


def or_none(question: Question[T]) -> Question[T | None]:
    """The same question, answered by None where the contract reverts."""

    def none_where_reverted(refusal: ChainError) -> None:
        if not isinstance(refusal, CallReverted):
            raise refusal

    return Question(question.method, question.params, question.read, none_where_reverted)


def balance_question(address: str, at: Block) -> Question[int]:
    """An account's native balance in wei."""
    return Question("eth_getBalance", [address, {"blockHash": at.hash}], _int)


def nonce_question(address: str, at: Block) -> Question[int]:
    """How many transactions an account has had mined."""
    return Question("eth_getTransactionCount", [address, {"blockHash": at.hash}], _count)


def nonce_question_at(address: str, height: int) -> Question[int]:
    """As `nonce_question`, at the block of a height on the chain as it stands."""
    return Question("eth_getTransactionCount", [address, hex(height)], _count)


def pending_nonce_question(address: str) -> Question[int]:
    """The nonce after all the node knows of, mined or waiting."""
    return Question("eth_getTransactionCount", [address, "pending"], _count)


def chain_id_question() -> Question[int]:
    """The chain the RPC serves."""
    return Question("eth_chainId", [], _int)


def receipt_question(tx_hash: str) -> Question[Receipt | None]:
    """The receipt of a transaction, or None while it is not mined."""

    def read(told: Any) -> Receipt | None:
        receipt = _receipt(told) if told else None
        if receipt is not None and receipt.tx_hash != tx_hash:
            raise ValueError(f"asked for {tx_hash}, told of {receipt.tx_hash}")
        return receipt

    return Question("eth_getTransactionReceipt", [tx_hash], read)


def code_question(address: str, at: Block) -> Question[bytes]:
    """The code at an address; empty where there is no contract."""
    return Question(
        "eth_getCode", [address, {"blockHash": at.hash}], lambda r: bytes.fromhex(r[2:])
    )


def tip_question() -> Question[int]:
    """The priority fee the node suggests, in wei per gas."""
    return Question("eth_maxPriorityFeePerGas", [], _int)


def gas_question(message: Mapping[str, Any]) -> Question[int]:
    """The gas that a call would take, by the node's estimate."""
    return Question("eth_estimateGas", [message], _count)


def base_fees_question(head: Block, blocks: int) -> Question[tuple[int, ...] | None]:
    """The base fees of the last `blocks` up to a head, in wei per gas, the newest last; None where
    the node refuses."""

    def read(told: Any) -> tuple[int, ...]:
        fees = tuple(_int(fee) for fee in told["baseFeePerGas"])[:-1]  # the last is yet to come
        newest = _count(told["oldestBlock"]) + len(fees) - 1
        if newest != head.number:
            raise ValueError(f"asked for base fees up to block {head.number}, told up to {newest}")
        return fees

    params = [hex(blocks), hex(head.number), []]
    return Question("eth_feeHistory", params, read, lambda _refusal: None)


def block_question(block: int | str) -> Question[Block]:
    """The block at a height, or by a tag, for a round trip shared with other questions."""
    if isinstance(block, str):
        return Question("eth_getBlockByNumber", [block, False], _block)

    return Question("eth_getBlockByNumber", [hex(block), False], lambda b: _block_at(b, block))


def header_question(height: int) -> Question[tuple[Block, str]]:
    """The block at a height, and the hash of its parent."""
    return Question(
        "eth_getBlockByNumber",
        [hex(height), False],
        lambda told: (_block_at(told, height), _hash(told["parentHash"])),
    )


def block_hash_question(height: int) -> Question[str | None]:
    """The hash of the block at a height; None where the chain does not reach it."""
    return Question(
        "eth_getBlockByNumber",
        [hex(height), False],
        lambda told: None if told is None else _block_at(told, height).hash,
    )


def sent_question(account: str, height: int) -> Question[dict[int, str]]:
    """What an account has in the block of a height: hashes of its transactions by their nonces."""

    def read(told: Any) -> dict[int, str]:
        _block_at(told, height)
        mine = [sent for sent in told["transactions"] if sent["from"].lower() == account.lower()]
        return {_count(sent["nonce"]): _hash(sent["hash"]) for sent in mine}

    return Question("eth_getBlockByNumber", [hex(height), True], read)


def logs_question(
    topics: list[Any], from_block: int, to_block: int, address: str | list[str] | None = None
) -> Question[list[Log]]:
    """Logs of a range of blocks, both ends included, in chain order."""
    query: dict[str, Any] = {
        "fromBlock": hex(from_block),
        "toBlock": hex(to_block),
        "topics": topics,
    }
    if address is not None:
        query["address"] = address
    asked = {address} if isinstance(address, str) else set(address or ())

    def read(told: Any) -> list[Log]:
        logs = [_log(entry) for entry in told]
        for log in logs:
            if not from_block <= log.block_number <= to_block:
                raise ValueError(f"asked for logs up to {to_block}, told of {log.block_number}")
            if asked and log.address not in asked:
                raise ValueError(f"asked for logs of {sorted(asked)}, told of {log.address}")
            if not _has_topics(log, topics):
                raise ValueError(f"asked for logs with topics {topics}, told of {log.topics}")
        for log, later in pairwise(logs):
            if (later.block_number, later.log_index) <= (log.block_number, log.log_index):
                raise ValueError(
                    f"asked for logs in chain order, told of log {later.log_index} of block "
                    f"{later.block_number} behind log {log.log_index} of block {log.block_number}"
                )
        return logs

    return Question("eth_getLogs", [query], read)


def _has_topics(log: Log, asked: Sequence[str | list[str] | None]) -> bool:
    """Whether a log is what a filter asks for: at each place a topic, one of several, or any."""
    return len(log.topics) >= len(asked) and all(
        want is None or (topic == want if isinstance(want, str) else topic in want)
        for want, topic in zip(asked, log.topics, strict=False)
    )


def _answer(question: Question[Any], answer: Any) -> Any:
    if isinstance(answer, RpcError):
        refusal = _refusal(question.method, answer)
        if question.read_refusal is None:
            raise refusal
        return question.read_refusal(refusal)
    try:
        return question.read(answer)
    except (AttributeError, TypeError, ValueError, KeyError, IndexError) as error:
        why = in_one_line(repr(error))
        raise ChainError(f"{question.method}: the answer is malformed ({why})") from error


def _refusal_to_take(taker: Transport, signed: bytes) -> ChainError | None:
    """Why a signed transaction was not taken, as far as is told; None where it was."""
    try:
        (answer,) = taker.request_many([(SEND_RAW, ["0x" + signed.hex()])])
    except ChainError as error:
        return error
    return _refusal(SEND_RAW, answer) if isinstance(answer, RpcError) else None


def _refusal(method: str, error: RpcError) -> ChainError:
    if error.is_revert:
        return CallReverted(f"{method}: {error.message}", _revert_data(error.data))
    return ChainError(f"{method}: the node refused: {error.message} (code {error.code})")


def _revert_data(told: Any) -> bytes:
    """Some nodes put a word before the hex, or leave it out."""
    found = re.search(r"0x((?:[0-9a-fA-F]{2})*)$", told) if isinstance(told, str) else None
    return bytes.fromhex(found[1]) if found else b""


def _int(value: str) -> int:
    """A quantity. `int` alone would take signs, spaces and underscores."""
    if not _QUANTITY.fullmatch(value):
        raise ValueError(f"{value!r} is not a quantity")
    return int(value, 16)


def _count(value: str) -> int:
    """A quantity that is a height, a time, or how many of something there are."""
    count = _int(value)
    if count >= _TOO_MANY:
        raise ValueError(f"{value} is more than there can be")
    return count


def _hash(value: str) -> str:
    """A hash of 32 bytes, in lower case so that equal ones are equal text."""
    if not _HASH.fullmatch(value):
        raise ValueError(f"{value!r} is not a hash")
    return value.lower()


def _block(value: Any) -> Block:
    if value is None:
        raise ChainError("the node does not know the block asked for; is it still syncing?")
    return Block(
        number=_count(value["number"]),
        hash=_hash(value["hash"]),
        timestamp=_count(value["timestamp"]),
        base_fee=_int(value.get("baseFeePerGas", "0x0")),
    )


def _block_at(value: Any, height: int) -> Block:
    found = _block(value)
    if found.number != height:
        raise ValueError(f"asked for block {height}, told of {found.number}")
    return found


def _log(value: Any) -> Log:
    if value.get("removed"):
        raise ValueError("a log of a block that was reorganised away")
    return Log(
        address=_checksummed(value["address"]),
        topics=tuple(_hash(topic) for topic in value["topics"]),
        data=bytes.fromhex(value["data"][2:]),
        block_number=_count(value["blockNumber"]),
        block_hash=_hash(value["blockHash"]),
        tx_hash=_hash(value["transactionHash"]),
        log_index=_count(value["logIndex"]),
        timestamp=_count(value["blockTimestamp"]) if value.get("blockTimestamp") else None,
    )


def _receipt(value: Any) -> Receipt:
    gas_used = _count(value["gasUsed"])
    return Receipt(
        tx_hash=_hash(value["transactionHash"]),
        succeeded=_int(value["status"]) == 1,
        block_number=_count(value["blockNumber"]),
        block_hash=_hash(value["blockHash"]),
        gas_used=gas_used,
        gas_paid=gas_used * _int(value["effectiveGasPrice"]) + _int(value.get("l1Fee", "0x0")),
        logs=tuple(_log(entry) for entry in value["logs"]),
    )
