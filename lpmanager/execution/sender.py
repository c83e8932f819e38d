"""One transaction at a time: simulate, sign, write down, send, wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import stamina

from lpmanager.abi import revert_reason
from lpmanager.chain.node import Node, Question, Receipt, nonce_question, tip_question
from lpmanager.errors import CallReverted, ChainError, MaybeSent
from lpmanager.execution.calldata import Call
from lpmanager.execution.signer import Signer
from lpmanager.model import Block

T = TypeVar("T")


class Journal(Protocol):
    """Where a transaction is written down before it is sent."""

    def journal_open(
        self, *, tx_hash: str, account: str, nonce: int, what: str, signed_raw: bytes, sent_at: int
    ) -> None:
        """Durable before it returns."""
        ...

    def journal_close(self, tx_hash: str, status: str) -> None:
        """`status` is "mined" or "failed"."""
        ...

    def open_transactions(self, account: str) -> list[tuple[str, str]]:
        """Hash and purpose of what was sent and is not settled, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """How transactions are priced and waited for.

    `gas_margin_percent` is added to the node's gas estimate; the fee cap is
    `base_fee_multiple` times the base fee, plus the tip.
    """

    timeout_s: float
    poll_s: float
    gas_margin_percent: int = 25
    base_fee_multiple: int = 2


class Sender:
    """Sends calls of one account, one after the other."""

    def __init__(self, node: Node, signer: Signer, journal: Journal, policy: SendPolicy) -> None:
        self._node = node
        self._signer = signer
        self._journal = journal
        self._policy = policy

    @property
    def account(self) -> str:
        """The address of the account that signs."""
        return self._signer.address

    def send(self, call: Call) -> Receipt:
        """The receipt of a call, mined; look at `succeeded`.

        The very calldata is simulated first, so that a call that would revert costs nothing:
        then CallReverted is raised and nothing was signed. MaybeSent leaves the journal open, and
        while it is, MaybeSent is raised before anything else is signed.
        """
        self._require_settled()
        head = self._node.head()
        simulate(self._node, self.account, call, head)
        nonce, tip, gas = self._node.ask_many(
            [
                nonce_question(self.account, head),
                tip_question(),
                Question("eth_estimateGas", [_message(self.account, call)], lambda g: int(g, 16)),
            ]
        )
        signed = self._signer.sign(
            {
                "type": 2,
                "chainId": self._node.chain_id,
                "nonce": nonce,
                "to": call.to,
                "value": 0,
                "data": call.data,
                "gas": gas + gas * self._policy.gas_margin_percent // 100,
                "maxFeePerGas": head.base_fee * self._policy.base_fee_multiple + tip,
                "maxPriorityFeePerGas": tip,
            }
        )
        self._journal.journal_open(
            tx_hash=signed.tx_hash,
            account=self.account,
            nonce=nonce,
            what=call.what,
            signed_raw=signed.raw,
            sent_at=head.timestamp,
        )
        self._node.send_raw(signed.raw)
        return self._node.wait(
            signed.tx_hash, timeout_s=self._policy.timeout_s, poll_s=self._policy.poll_s
        )

    def learn(self, read: Callable[[], T]) -> T:
        """What `read` tells of a mined transaction, asked for until the node answers.

        What was mined must be booked, so a silent or busy node is no reason to go on without it.
        Raises its last ChainError after as long as a transaction is waited for.
        """
        patience = stamina.retry_context(
            on=ChainError,
            attempts=None,
            timeout=self._policy.timeout_s,
            wait_initial=self._policy.poll_s,
            wait_max=self._policy.timeout_s / 4,
        )
        for attempt in patience:
            with attempt:
                told = read()
        return told

    def settle(self, receipt: Receipt) -> None:
        """What the transaction did is known: nothing of it is open any more."""
        self._journal.journal_close(receipt.tx_hash, "mined" if receipt.succeeded else "failed")

    def _require_settled(self) -> None:
        for tx_hash, what in self._journal.open_transactions(self.account):
            raise MaybeSent(
                f"transaction {tx_hash} ({what}) was sent and is not settled; look it up before "
                "anything new is sent"
            )


def simulate(node: Node, account: str, call: Call, at: Block) -> None:
    """Raise CallReverted, with the contract's reason, where a call of the account would revert."""
    try:
        node.ask(Question("eth_call", [_message(account, call), {"blockHash": at.hash}], str))
    except CallReverted as error:
        raise CallReverted(
            f"{call.what}: would revert: {revert_reason(error.data)}", error.data
        ) from error


def _message(account: str, call: Call) -> dict[str, Any]:
    return {"from": account, "to": call.to, "data": "0x" + call.data.hex()}
