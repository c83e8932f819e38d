"""One chain behind one transport: typed questions, asked at one block hash."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from eth_utils.address import to_checksum_address

from lpmanager.abi import ContractCall
from lpmanager.chain.transport import RpcError, Transport
from lpmanager.errors import CallReverted, ChainError, MaybeSent, WrongChain
from lpmanager.model import Block

T = TypeVar("T")

#: JSON-RPC code that execution clients give a reverted eth_call or eth_estimateGas.
_REVERTED = 3


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """A JSON-RPC request and how to read its result.

    With `may_revert` a contract that reverts answers None; every other refusal still raises.
    """

    method: str
    params: list[Any]
    read: Callable[[Any], T]
    may_revert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """An event log. `topics` and addresses are hex."""

    address: str
    topics: tuple[str, ...]
    data: bytes
    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int


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
    """Typed access to one chain. Every state read names the block it is made at."""

    def __init__(self, transport: Transport, chain_id: int) -> None:
        self._transport = transport
        self.chain_id = chain_id

    def check_chain(self) -> None:
        """Raise WrongChain unless the RPC serves the configured chain."""
        found = self.ask(Question("eth_chainId", [], _int))
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
        """The newest block."""
        return self.ask(Question("eth_getBlockByNumber", ["latest", False], _block))

    def block(self, number: int) -> Block:
        """The block at a height."""
        return self.ask(Question("eth_getBlockByNumber", [hex(number), False], _block))

    def call(self, call: ContractCall[T], at: Block) -> T:
        """The answer of a contract at a block; CallReverted where it reverts."""
        return self.ask(call_question(call, at))

    def call_many(self, calls: Sequence[ContractCall[Any]], at: Block) -> list[Any]:
        """The answers of several calls at the same block, in one round trip."""
        return self.ask_many([call_question(call, at) for call in calls])

    def send_raw(self, signed: bytes) -> None:
        """Hand a signed transaction to the node; MaybeSent where it does not say that it took it.

        Even a plain refusal ("already known", "nonce too low") can mean that it was sent before.
        """
        try:
            self.ask(Question("eth_sendRawTransaction", ["0x" + signed.hex()], str))
        except ChainError as error:
            raise MaybeSent(f"sending: {error}") from error

    def receipt(self, tx_hash: str) -> Receipt | None:
        """The receipt, or None while the transaction is not mined."""
        return self.ask(
            Question("eth_getTransactionReceipt", [tx_hash], lambda r: r and _receipt(r))
        )

    def wait(self, tx_hash: str, *, timeout_s: float, poll_s: float) -> Receipt:
        """The receipt once mined; MaybeSent where that takes longer than `timeout_s`."""
        give_up = time.monotonic() + timeout_s
        while (receipt := self._receipt_if_told(tx_hash)) is None:
            if time.monotonic() >= give_up:
                raise MaybeSent(
                    f"transaction {tx_hash} was not mined within {timeout_s:g} s; it may still be"
                )
            time.sleep(poll_s)
        return receipt

    def _receipt_if_told(self, tx_hash: str) -> Receipt | None:
        """As `receipt`; silence, a refusal or nonsense is no answer yet, and is asked again."""
        try:
            return self.receipt(tx_hash)
        except ChainError:
            return None


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
    return Question(question.method, question.params, question.read, may_revert=True)


def balance_question(address: str, at: Block) -> Question[int]:
    """An account's native balance in wei."""
    return Question("eth_getBalance", [address, {"blockHash": at.hash}], _int)


def nonce_question(address: str, at: Block) -> Question[int]:
    """How many transactions an account has had mined."""
    return Question("eth_getTransactionCount", [address, {"blockHash": at.hash}], _int)


def code_question(address: str, at: Block) -> Question[bytes]:
    """The code at an address; empty where there is no contract."""
    return Question(
        "eth_getCode", [address, {"blockHash": at.hash}], lambda r: bytes.fromhex(r[2:])
    )


def tip_question() -> Question[int]:
    """The priority fee the node suggests, in wei per gas."""
    return Question("eth_maxPriorityFeePerGas", [], _int)


def block_question(number: int) -> Question[Block]:
    """The block at a height, for a round trip shared with other questions."""
    return Question("eth_getBlockByNumber", [hex(number), False], _block)


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
    return Question("eth_getLogs", [query], lambda logs: [_log(entry) for entry in logs])


def _answer(question: Question[Any], answer: Any) -> Any:
    if isinstance(answer, RpcError):
        refusal = _refusal(question.method, answer)
        if question.may_revert and isinstance(refusal, CallReverted):
            return None
        raise refusal
    try:
        return question.read(answer)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise ChainError(f"{question.method}: the answer is malformed ({error!r})") from error


def _refusal(method: str, error: RpcError) -> ChainError:
    if error.code == _REVERTED or "revert" in error.message.lower():
        return CallReverted(f"{method}: {error.message}", _revert_data(error.data))
    return ChainError(f"{method}: the node refused: {error.message} (code {error.code})")


def _revert_data(told: Any) -> bytes:
    """Some nodes put a word before the hex, or leave it out."""
    found = re.search(r"0x((?:[0-9a-fA-F]{2})*)$", told) if isinstance(told, str) else None
    return bytes.fromhex(found[1]) if found else b""


def _int(value: Any) -> int:
    return int(value, 16)


def _block(value: Any) -> Block:
    if value is None:
        raise ChainError("the node does not know the block asked for; is it still syncing?")
    return Block(
        number=_int(value["number"]),
        hash=value["hash"],
        timestamp=_int(value["timestamp"]),
        base_fee=_int(value.get("baseFeePerGas", "0x0")),
    )


def _log(value: Any) -> Log:
    return Log(
        address=to_checksum_address(value["address"]),
        topics=tuple(value["topics"]),
        data=bytes.fromhex(value["data"][2:]),
        block_number=_int(value["blockNumber"]),
        block_hash=value["blockHash"],
        tx_hash=value["transactionHash"],
        log_index=_int(value["logIndex"]),
    )


def _receipt(value: Any) -> Receipt:
    gas_used = _int(value["gasUsed"])
    return Receipt(
        tx_hash=value["transactionHash"],
        succeeded=_int(value["status"]) == 1,
        block_number=_int(value["blockNumber"]),
        block_hash=value["blockHash"],
        gas_used=gas_used,
        gas_paid=gas_used * _int(value["effectiveGasPrice"]) + _int(value.get("l1Fee", "0x0")),
        logs=tuple(_log(entry) for entry in value["logs"]),
    )
