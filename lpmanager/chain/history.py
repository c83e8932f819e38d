"""The pool's recent swaps, from its event logs."""

from __future__ import annotations

from typing import Any

from lpmanager.abi import topic_address
from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from lpmanager.chain.node import Log, Node, Question, block_question, logs_question
from lpmanager.chain.stride import Stride
from lpmanager.errors import ChainError, RpcUnavailable
from lpmanager.model import Block, Flow, SqrtPriceX96, SwapEvent
from lpmanager.venues.uniswap_v3 import INITIALIZE_EVENT, SWAP_EVENT

#: Blocks asked for in one eth_getLogs; every public RPC known to us allows this many.
_CHUNK = 2_000

#: What sets the price of a pool. Nothing else does: a mint or a burn leaves it as it is.
PRICE_TOPICS = [SWAP_EVENT.topic, INITIALIZE_EVENT.topic]

#: Blocks asked for first when one event is looked for: of most pools it is among them.
_FIRST_BLOCKS_BACK = 100

#: Answers after which the last event of a quiet pool is no longer looked for.
_MOST_ANSWERS = 500


def flow_questions(pool: str, head: Block, blocks: int) -> list[Question[Any]]:
    """The questions whose answers `join_flow` makes a Flow of: the last `blocks` up to `head`."""
    first = max(head.number - blocks, 0)
    return [
        block_question(first),
        *(
            logs_question([PRICE_TOPICS], start, end, address=pool)
            for start, end in block_chunks(first + 1, head.number)
        ),
    ]


def block_chunks(first: int, last: int) -> list[tuple[int, int]]:
    """The blocks [first, last] in pieces that an eth_getLogs may ask for."""
    return [(start, min(start + _CHUNK - 1, last)) for start in range(first, last + 1, _CHUNK)]


def join_flow(head: Block, answers: list[Any]) -> Flow | None:
    """The Flow in the answers; None where the window holds no time.

    That of a younger pool begins with the block of its birth, blocks being taken to be evenly
    spread; seconds are rounded up. It was not quiet before: it was not there. Raises ChainError
    where a swap of the head's height is in another block.
    """
    first: Block = answers[0]
    seconds = head.timestamp - first.timestamp
    if seconds <= 0:
        return None
    logs: list[Log] = [log for chunk in answers[1:] for log in chunk]
    for log in logs:
        if log.block_number == head.number and log.block_hash != head.hash:
            raise ChainError(f"block {head.number} was reorganised away while its swaps were read")
    births = [log for log in logs if _is_birth(log)]
    swaps = tuple(read_swap(log) for log in logs if not _is_birth(log))
    from_block = max((log.block_number for log in births), default=first.number + 1)
    blocks, watched = head.number - first.number, head.number - from_block + 1
    return Flow(from_block=from_block, seconds=-(-seconds * watched // blocks), swaps=swaps)


def price_by_logs(node: Node, pool: str, height: int) -> SqrtPriceX96:
    """A pool's price at the end of a block, by the last log that set it.

    It takes no state, which most nodes forget within minutes. Raises ChainError where the node does
    not tell of such a log, or it is too far back.
    """
    stride, end = Stride(_FIRST_BLOCKS_BACK), height
    for _ in range(_MOST_ANSWERS):
        first = max(end - stride.blocks + 1, 0)
        try:
            logs = node.ask(logs_question([PRICE_TOPICS], first, end, pool))
        except ChainError as error:
            if isinstance(error, RpcUnavailable):
                node.head()  # raises where it is the node that is gone: some refuse by silence
            if first == end:
                raise _not_told(pool, height, end + 1) from error
            stride.refused(end - first + 1)
            continue
        if logs:
            return price_set_by(logs[-1])
        stride.answered(0)
        end = first - 1
        if end < 0:
            break
    raise _not_told(pool, height, end + 1)


def price_set_by(log: Log) -> SqrtPriceX96:
    """The price that a log of `PRICE_TOPICS` left. Raises ChainError for what none can tell."""
    if not _is_birth(log):
        return read_swap(log).sqrt_price_x96
    sqrt_price_x96, _tick = INITIALIZE_EVENT.decode(log.data)
    require_price(sqrt_price_x96, f"pool {log.address} at its birth in block {log.block_number}")
    return SqrtPriceX96(sqrt_price_x96)


def _not_told(pool: str, height: int, told_from: int) -> ChainError:
    return ChainError(
        f"pool {pool}: the RPC has forgotten its price at the end of block {height}, and tells of "
        f"no log that set it in the blocks from {told_from} on; add an archive RPC to "
        "LPM_RPC_URL"
    )


def _is_birth(log: Log) -> bool:
    return log.topics[:1] == (INITIALIZE_EVENT.topic,)


def require_price(sqrt_price_x96: int, where: str) -> None:
    """Raise ChainError unless it is a price that a pool can have."""
    if not MIN_SQRT_PRICE <= sqrt_price_x96 < MAX_SQRT_PRICE:
        raise ChainError(
            f"{where}: expected a sqrtPriceX96 in [{MIN_SQRT_PRICE}, {MAX_SQRT_PRICE}), found "
            f"{sqrt_price_x96}; the node tells what cannot be, ask another one"
        )


def read_swap(log: Log) -> SwapEvent:
    """The Swap event in a pool's log. Raises ChainError for what no pool could have told."""
    if not log.is_of(SWAP_EVENT):
        raise ChainError(
            f"log {log.log_index} of block {log.block_number} in pool {log.address}: expected a "
            "swap, found another event; the node tells wrong logs, ask another one"
        )
    amount0, amount1, sqrt_price_x96, liquidity, tick = SWAP_EVENT.decode(log.data)
    where = f"swap {log.log_index} of block {log.block_number} in pool {log.address}"
    require_price(sqrt_price_x96, where)
    return SwapEvent(
        block_number=log.block_number,
        log_index=log.log_index,
        tx_hash=log.tx_hash,
        sender=topic_address(log.topics[1]),
        amount0=amount0,
        amount1=amount1,
        sqrt_price_x96=sqrt_price_x96,
        liquidity=liquidity,
        tick=tick,
    )
