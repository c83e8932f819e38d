"""Tokens that came to an account or left it, from the tokens' own events."""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from lpmanager.abi import topic_address
from lpmanager.chain.history import block_chunks
from lpmanager.chain.node import Log, Node, logs_question
from lpmanager.venues import erc20


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One Transfer event of a token."""

    token: str
    sender: str
    recipient: str
    raw: int
    tx_hash: str


def find_transfers(
    node: Node, tokens: list[str], account: str, first_block: int, last_block: int
) -> list[Transfer]:
    """All Transfer events of the tokens with the account on either side, in both blocks' range.

    Of a token that does not index both sides there are none.
    """
    padded = "0x" + account[2:].lower().rjust(64, "0")
    sides = ([erc20.TRANSFER.topic, padded], [erc20.TRANSFER.topic, None, padded])
    questions = [
        logs_question(topics, start, end, tokens)
        for start, end in block_chunks(first_block, last_block)
        for topics in sides
    ]
    logs = {(log.block_number, log.log_index): log for q in questions for log in node.ask(q)}
    found = [logs[key] for key in sorted(logs)]
    return [read_transfer(log) for log in found if log.is_of(erc20.TRANSFER)]


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
    (raw,) = erc20.TRANSFER.decode(log.data)
    return Transfer(
        token=log.address,
        sender=topic_address(log.topics[1]),
        recipient=topic_address(log.topics[2]),
        raw=raw,
        tx_hash=log.tx_hash,
    )
