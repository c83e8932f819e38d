"""Tokens that came to an account or left it, from the tokens' own events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from lpmanager.abi import topic_address
from lpmanager.chain.history import block_chunks
from lpmanager.chain.node import Log, Node, logs_question
from lpmanager.venues import erc20

#: The other side of what is wrapped or unwrapped.
_NOBODY = "0x" + "00" * 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What one event tells of a token that changed hands."""

    token: str
    sender: str
    recipient: str
    raw: int
    tx_hash: str


def find_transfers(
    node: Node,
    tokens: list[str],
    wrapped_native: str,
    account: str,
    first_block: int,
    last_block: int,
) -> list[Transfer]:
    """All transfers of the tokens with the account on either side, in both blocks' range.

    Of a token that does not index both sides there are none. Of `wrapped_native`, and of no other
    token, what the account wrapped came from nobody, and what it unwrapped went to nobody.
    """
    padded = "0x" + account[2:].lower().rjust(64, "0")
    wanted: list[tuple[list[Any], list[str]]] = [
        ([erc20.TRANSFER.topic, padded], tokens),
        ([erc20.TRANSFER.topic, None, padded], tokens),
    ]
    if wrapped_native in tokens:
        wanted.append(([[erc20.WRAPPED.topic, erc20.UNWRAPPED.topic], padded], [wrapped_native]))
    questions = [
        logs_question(topics, start, end, addresses)
        for start, end in block_chunks(first_block, last_block)
        for topics, addresses in wanted
    ]
    found = {(log.block_number, log.log_index): log for q in questions for log in node.ask(q)}
    logs = [found[key] for key in sorted(found)]
    transfers = [read_transfer(log) for log in logs if log.is_of(erc20.TRANSFER)]
    # Some, as Arbitrum's, tell of it by a transfer too: that is not counted twice.
    wraps = [wrap for log in logs if (wrap := _read_wrap(log)) and wrap not in transfers]
    return transfers + wraps


def received(transfers: list[Transfer], token: str, account: str) -> int:
    """What the transfers brought the account of one token, in raw units; negative if they took."""
    me = to_checksum_address(account)
    return sum(
        (t.raw if t.recipient == me else 0) - (t.raw if t.sender == me else 0)
        for t in transfers
        if t.token == token
    )


def read_transfer(log: Log) -> Transfer:
    """The Transfer in a log of that event, with topics (event, from, to)."""
    return _moved(log, topic_address(log.topics[1]), topic_address(log.topics[2]))


def _read_wrap(log: Log) -> Transfer | None:
    """What was wrapped or unwrapped, with topics (event, holder); None of any other log."""
    if log.is_of(erc20.WRAPPED):
        return _moved(log, _NOBODY, topic_address(log.topics[1]))
    if log.is_of(erc20.UNWRAPPED):
        return _moved(log, topic_address(log.topics[1]), _NOBODY)
    return None


def _moved(log: Log, sender: str, recipient: str) -> Transfer:
    """All three events have the amount alone in their data."""
    (raw,) = erc20.TRANSFER.decode(log.data)
    return Transfer(
        token=log.address, sender=sender, recipient=recipient, raw=raw, tx_hash=log.tx_hash
    )
