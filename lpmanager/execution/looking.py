"""What the chain shows of intents, all at one look."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lpmanager.chain.node import (
    Node,
    Receipt,
    block_question,
    chain_id_question,
    nonce_question,
    nonce_question_at,
    receipt_question,
    sent_question,
    tip_question,
)
from lpmanager.errors import ChainError, RpcUnavailable, WrongChain
from lpmanager.execution.intent import Inclusion, Intent
from lpmanager.execution.moves import Seen
from lpmanager.model import Block

#: Blocks after a plan that are read whole in search of a transaction, and how many at once.
_MOST_BLOCKS = 1_000
_BLOCKS_AT_ONCE = 10


class Sight(NamedTuple):
    """What was seen of an intent, and the receipt of the attempt that is mined, once the head holds
    it: what one RPC tells of may be above the head that enough of them agree on."""

    seen: Seen
    receipt: Receipt | None


def look(
    node: Node, account: str, intents: Sequence[Intent], confirmations: int | None
) -> list[Sight]:
    """A sight of each intent of the account.

    A block counts as final once `confirmations` blocks stand, itself among them; None means the
    chain's own `finalized`. Raises ChainError where it cannot be told.
    """
    head = node.head()
    final_height = final_block(node, head, confirmations)
    hashes = [attempt.tx_hash for intent in intents for attempt in intent.attempts]
    # The receipts come last: what the nonces count is among them.
    chain_id, tip, nonce, *receipts = node.ask_many(
        [
            chain_id_question(),
            tip_question(),
            nonce_question(account, head),
            *(receipt_question(tx_hash) for tx_hash in hashes),
        ]
    )
    require_chain(node, chain_id)
    told = [receipt for receipt in receipts if receipt is not None]
    orphaned = _orphaned(node, told, final_height)
    mined = {receipt.tx_hash: receipt for receipt in told if receipt not in orphaned}
    sights = []
    for intent in intents:
        receipt = _receipt_of(intent, mined)
        used_by = None
        if receipt is None and nonce > intent.nonce:
            used_by = _user_of(node, intent, max(final_height, 0))
        seen = Seen(
            head=head,
            final_block=final_height,
            nonce=nonce,
            inclusion=None if receipt is None else _inclusion(receipt),
            used_by=used_by,
            tip=tip,
        )
        sights.append(Sight(seen, receipt if nonce > intent.nonce else None))
    return sights


def final_block(node: Node, head: Block, confirmations: int | None) -> int:
    """The height of the newest block that counts as final, as `look` counts; below 0 on a chain
    too young to have one."""
    if confirmations is None:
        return node.ask(block_question("finalized")).number
    return head.number - confirmations + 1


def require_chain(node: Node, found: int) -> None:
    """Raise WrongChain unless an answer says that the RPC serves the configured chain."""
    if found != node.chain_id:
        raise WrongChain(
            f"the RPC serves chain {found} now, the configuration says {node.chain_id}; nothing is "
            "signed on it; correct the RPC URL"
        )


def _user_of(node: Node, intent: Intent, newest: int) -> str | None:
    """The hash of the transaction that used an intent's nonce, in the block of height `newest` or
    before it.

    It stands in the block itself, which a node has before the receipts. None where it was not used
    by then, or the block found does not hold it, as when the chain changes meanwhile.
    """
    account, nonce = intent.account, intent.nonce

    def nonce_at(height: int) -> int:
        return node.ask(nonce_question_at(account, height))

    # Back in growing steps, and no further than needed: many nodes forget what old blocks left.
    oldest, step = newest, 1
    try:
        while oldest > 0 and nonce_at(oldest) > nonce:
            oldest, step = max(oldest - step, 0), 2 * step
    except RpcUnavailable:
        raise
    except ChainError as forgotten:
        return _user_since_decided(node, intent, newest, forgotten)
    if oldest == newest:
        return None
    height = bisect_right(range(newest), nonce, lo=oldest, key=nonce_at)
    return node.ask(sent_question(account, height)).get(nonce)


def _user_since_decided(
    node: Node, intent: Intent, newest: int, forgotten: ChainError
) -> str | None:
    """As `_user_of`, by reading the blocks since the plan, which a node keeps for longer than what
    they left. Raises ChainError where the first of them do not hold it, and there are more."""
    first = intent.purpose.decided_block + 1
    heights = range(first, min(newest, first + _MOST_BLOCKS - 1) + 1)
    for at in range(0, len(heights), _BLOCKS_AT_ONCE):
        batch = heights[at : at + _BLOCKS_AT_ONCE]
        for sent in node.ask_many([sent_question(intent.account, height) for height in batch]):
            if intent.nonce in sent:
                user: str = sent[intent.nonce]
                return user
    if newest < first + _MOST_BLOCKS:
        return None
    raise ChainError(
        f"nonce {intent.nonce} of {intent.account} was used before what the RPC remembers; "
        f"add an archive RPC to LPM_RPC_URL ({forgotten})"
    ) from forgotten


def _orphaned(node: Node, told: Sequence[Receipt], final_height: int) -> list[Receipt]:
    """Those receipts that would count as final, but are of a block the chain does not have: an RPC
    that lags behind a reorganisation still tells of the other branch."""
    final = [receipt for receipt in told if receipt.block_number <= final_height]
    blocks = node.ask_many([block_question(receipt.block_number) for receipt in final])
    return [r for r, block in zip(final, blocks, strict=True) if r.block_hash != block.hash]


def _receipt_of(intent: Intent, mined: Mapping[str, Receipt]) -> Receipt | None:
    return next((mined[a.tx_hash] for a in intent.attempts if a.tx_hash in mined), None)


def _inclusion(receipt: Receipt) -> Inclusion:
    return Inclusion(
        tx_hash=receipt.tx_hash,
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        succeeded=receipt.succeeded,
    )
