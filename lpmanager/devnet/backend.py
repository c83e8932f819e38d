"""An embedded chain, whichever program runs it, and the controls a real chain does not have."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from lpmanager.chain.node import Node, Question, Receipt, receipt_question
from lpmanager.chain.transport import RpcError, Transport
from lpmanager.errors import ChainError, TransactionFailed

#: Public knowledge, the same on every development chain. Warning: never fund these elsewhere.
MNEMONIC = "test test test test test test test test test test test junk"
ACCOUNT_COUNT = 10
CHAIN_ID = 31337

#: What each account owns at the start, in whole native coins: enough to wrap any market's share.
ACCOUNT_BALANCE = 1_000_000_000

#: Room for the busiest recorded block many times over.
BLOCK_GAS_LIMIT = 300_000_000

#: Gas of one deployment or one order. Below the 2**24 that newer forks allow a transaction.
TRANSACTION_GAS = 16_000_000

#: anvil mines a moment after it has answered.
_MINED_TIMEOUT_S = 60.0
_MINED_POLL_S = 0.002


class Backend(Protocol):
    """A running embedded chain. Used in a `with`; gone for certain afterwards.

    `accounts` are unlocked: the chain signs what they send. Each block is one second after its
    parent unless told otherwise.
    """

    name: str
    chain_id: int
    rpc_url: str | None
    accounts: tuple[str, ...]
    transport: Transport

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Controls:
    """What a devnet's operator can do: send unsigned, and say when a block is mined."""

    def __init__(self, backend: Backend) -> None:
        self._transport = backend.transport
        self.node = Node(backend.transport, backend.chain_id)

    def set_automine(self, on: bool) -> None:
        """Whether each transaction is mined at once in a block of its own."""
        self._ask("evm_setAutomine", [on])

    def set_next_timestamp(self, timestamp: int) -> None:
        """The time, in Unix seconds, of the next block, whatever mines it."""
        self._ask("evm_setNextBlockTimestamp", [timestamp])

    def mine(self, timestamp: int) -> None:
        """Mine one block at this time with everything that waits."""
        self._ask("evm_mine", [mine_at(timestamp)])

    def queue(self, transactions: Sequence[dict[str, str]]) -> None:
        """Hand over transactions of dev accounts in one round trip; ChainError on a refusal."""
        for answer in self._transport.request_many(
            [("eth_sendTransaction", [transaction]) for transaction in transactions]
        ):
            if isinstance(answer, RpcError):
                raise ChainError(f"the devnet refused a transaction: {answer.message}")

    def execute(
        self, sender: str, to: str | None, data: bytes, *, value: int = 0, what: str
    ) -> Receipt:
        """Send one transaction while automine is on. TransactionFailed where it reverts."""
        tx_hash = self._ask("eth_sendTransaction", [transaction(sender, to, data, value=value)])
        receipt = self._mined(tx_hash)
        if not receipt.succeeded:
            raise TransactionFailed(f"devnet: {what} failed (transaction {tx_hash})")
        return receipt

    def nonce(self, account: str) -> int:
        """The nonce of an account's next transaction."""
        return int(self._ask("eth_getTransactionCount", [account, "latest"]), 16)

    def _mined(self, tx_hash: str) -> Receipt:
        give_up = time.monotonic() + _MINED_TIMEOUT_S
        while (receipt := self.node.ask(receipt_question(tx_hash))) is None:
            if time.monotonic() >= give_up:
                raise ChainError(
                    f"devnet: transaction {tx_hash} was not mined within {_MINED_TIMEOUT_S:g} s"
                )
            time.sleep(_MINED_POLL_S)
        return receipt

    def _ask(self, method: str, params: list[Any]) -> Any:
        return self.node.ask(Question(method, params, lambda result: result))


def transaction(
    sender: str, to: str | None, data: bytes, *, value: int = 0, nonce: int | None = None
) -> dict[str, str]:
    """A transaction of a dev account as JSON-RPC wants it; `to` None creates a contract."""
    fields = {
        "from": sender,
        "data": "0x" + data.hex(),
        "gas": hex(TRANSACTION_GAS),
        "value": hex(value),
    }
    if to is not None:
        fields["to"] = to
    if nonce is not None:
        fields["nonce"] = hex(nonce)
    return fields


def mine_at(timestamp: int) -> dict[str, int]:
    """The argument of `evm_mine` for one block at this time."""
    return {"timestamp": timestamp, "blocks": 1}
