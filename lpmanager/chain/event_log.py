"""A pool's whole event log, from eth_getLogs: piece by piece, each piece of one chain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from lpmanager.abi import topic_address
from lpmanager.chain.node import (
    Log,
    Node,
    Question,
    block_question,
    code_question,
    header_question,
    logs_question,
)
from lpmanager.chain.stride import Stride
from lpmanager.errors import ChainError, Reorganised, RpcUnavailable
from lpmanager.model import Block, Liquidity, SqrtPriceX96, TickRange
from lpmanager.venues import uniswap_v3

#: Blocks asked for in one round trip; RPCs that bound their batches allow this many.
_BATCH = 100


class LogKind(StrEnum):
    """What a pool tells of."""

    INITIALIZE = "INITIALIZE"
    SWAP = "SWAP"
    MINT = "MINT"
    BURN = "BURN"
    COLLECT = "COLLECT"


_KINDS = {
    uniswap_v3.INITIALIZE_EVENT.topic: LogKind.INITIALIZE,
    uniswap_v3.SWAP_EVENT.topic: LogKind.SWAP,
    uniswap_v3.POOL_MINT_EVENT.topic: LogKind.MINT,
    uniswap_v3.POOL_BURN_EVENT.topic: LogKind.BURN,
    uniswap_v3.POOL_COLLECT_EVENT.topic: LogKind.COLLECT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a pool stands: its price, tick and active liquidity."""

    sqrt_price_x96: SqrtPriceX96
    tick: int
    liquidity: Liquidity


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolEvent:
    """One event of a pool; `time` is its block's, in Unix seconds.

    `amount0` and `amount1` are raw units as the event tells them: of a SWAP signed (positive = into
    the pool), of a MINT, BURN or COLLECT never negative. `after` is what a SWAP or INITIALIZE tells
    of the pool behind it, None otherwise; `range` and `owner` are None for those two. `liquidity`
    is what a MINT added or a BURN took, zero otherwise. `sender` called the pool for a SWAP, and is
    None of all others.
    """

    kind: LogKind
    block: int
    time: int
    log_index: int
    amount0: int
    amount1: int
    after: Standing | None
    range: TickRange | None
    liquidity: int
    owner: str | None
    sender: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """All events of a pool in the blocks from `first` to `last`, in chain order."""

    first: Block
    last: Block
    events: tuple[PoolEvent, ...]


@dataclass(frozen=True, slots=True)
class _Refused:
    """What was asked of logs is too much, as it seems."""

    error: ChainError


class EventLog:
    """Reads the events of one pool, as many blocks at a time as the node answers for."""

    def __init__(self, node: Node, pool: str, stride: Stride | None = None) -> None:
        self._node = node
        self._pool = pool
        self._stride = stride or Stride()

    def piece(self, first: int, last: int, parent: str | None) -> Piece:
        """The events from block `first` on, to `last` or as far as the node answers.

        `parent` is the hash of the block before, where that was read. Raises Reorganised where it
        is no longer in the chain, or what was read meanwhile is not; ChainError where the node does
        not answer even for a single block, or contradicts itself.
        """
        while True:
            end = min(first + self._stride.blocks - 1, last)
            answer = self._ask(first, end)
            if not isinstance(answer, _Refused):
                self._stride.answered(len(answer[2]))
                return self._checked(*answer, parent)
            if end == first:
                raise answer.error
            self._stride.refused(end - first + 1)

    def _ask(self, first: int, end: int) -> tuple[tuple[Block, str], Block, list[Log]] | _Refused:
        """The first block with its parent's hash, the last block, and the logs of them all.

        Refusals are in as many words as there are RPCs, so each counts as one of too many blocks;
        some show in nothing but silence.
        """
        logs = logs_question([list(_KINDS)], first, end, self._pool)
        refusable: Question[Any] = Question(logs.method, logs.params, logs.read, _Refused)
        try:
            opening, closing, found = self._node.ask_many(
                [header_question(first), block_question(end), refusable]
            )
        except RpcUnavailable as error:
            self._node.head()  # raises where it is the node that is gone
            return _Refused(error)
        return found if isinstance(found, _Refused) else (opening, closing, found)

    def _checked(
        self, opening: tuple[Block, str], last: Block, logs: list[Log], parent: str | None
    ) -> Piece:
        first, before = opening
        if parent is not None and before != parent:
            raise _gone(first.number - 1)
        times = self._times(first, last, logs)
        events = tuple(_event(log, times[log.block_number]) for log in logs)
        for event, later in pairwise(events):
            if later.time < event.time:
                raise ChainError(
                    f"eth_getLogs: expected block {later.block} not to be older than block "
                    f"{event.block}, found times {later.time} and {event.time}; use another RPC"
                )
        return Piece(first=first, last=last, events=events)

    def _times(self, first: Block, last: Block, logs: list[Log]) -> dict[int, int]:
        """The time of each block with logs, all of them ancestors of `last`.

        The first and the last block are looked at again when all was told: their hashes stand for
        the blocks between them, and the first one's for the piece before.
        """
        known = {first.number: first, last.number: last}
        told = {log.block_number: log.timestamp for log in logs if log.timestamp is not None}
        asked = sorted({log.block_number for log in logs} - told.keys() - known.keys())
        for start in range(0, len(asked), _BATCH):
            questions = [block_question(height) for height in asked[start : start + _BATCH]]
            known |= {block.number: block for block in self._node.ask_many(questions)}
        ends = (first, last)
        again = self._node.ask_many([block_question(block.number) for block in ends])
        if any(block.hash != end.hash for block, end in zip(again, ends, strict=True)):
            raise _gone(last.number)
        for log in logs:
            block = known.get(log.block_number)
            if block is not None and block.hash != log.block_hash:
                raise _gone(log.block_number)
        times = told | {number: block.timestamp for number, block in known.items()}
        for number, time in times.items():
            if not first.timestamp <= time <= last.timestamp:
                raise ChainError(
                    f"block {number}: expected a time from {first.timestamp} to {last.timestamp}, "
                    f"those of blocks {first.number} and {last.number}, found {time}; use another "
                    "RPC"
                )
        return times


def first_block_from(node: Node, time: int, head: Block) -> int:
    """The height of the first block at or after a time, in Unix seconds; one above the head's where
    there is none yet."""
    low, high = 0, head.number + 1
    while low < high:
        middle = (low + high) // 2
        if node.block(middle).timestamp < time:
            low = middle + 1
        else:
            high = middle
    return low


def creation_block(node: Node, contract: str, head: Block) -> int:
    """The height of the block in which a contract was made.

    Raises ChainError, saying what to do, where the node does not tell the code of old blocks.
    """
    low, high = 0, head.number
    try:
        while low < high:
            middle = (low + high) // 2
            if node.ask(code_question(contract, node.block(middle))):
                high = middle
            else:
                low = middle + 1
    except RpcUnavailable:
        raise
    except ChainError as error:
        raise ChainError(
            f"when {contract} was made cannot be told, for the node has not the state of old "
            f"blocks ({error}); say where to begin (--from BLOCK or DATE), or use an archive RPC"
        ) from error
    return low


def _event(log: Log, time: int) -> PoolEvent:
    kind = _KINDS.get(log.topics[0].lower()) if log.topics else None
    if kind is None:
        raise ChainError(
            f"eth_getLogs: expected a pool's events, found log {log.log_index} of block "
            f"{log.block_number} with topics {list(log.topics)}; use another RPC"
        )
    try:
        fields = _FIELDS[kind](log)
    except ValueError as error:
        raise ChainError(
            f"block {log.block_number}, log {log.log_index}: the {kind} event is malformed "
            f"({error}); is it a Uniswap v3 pool?"
        ) from error
    return PoolEvent(
        kind=kind, block=log.block_number, time=time, log_index=log.log_index, **fields
    )


def _initialize(log: Log) -> dict[str, Any]:
    price, tick = uniswap_v3.INITIALIZE_EVENT.decode(log.data)
    return _of_price(0, 0, Standing(sqrt_price_x96=price, tick=tick, liquidity=Liquidity(0)), None)


def _swap(log: Log) -> dict[str, Any]:
    amount0, amount1, price, liquidity, tick = uniswap_v3.SWAP_EVENT.decode(log.data)
    after = Standing(sqrt_price_x96=price, tick=tick, liquidity=Liquidity(liquidity))
    _event_topic, sender, _recipient = log.topics
    return _of_price(amount0, amount1, after, topic_address(sender))


def _mint(log: Log) -> dict[str, Any]:
    _sender, liquidity, amount0, amount1 = uniswap_v3.POOL_MINT_EVENT.decode(log.data)
    return _of_range(log, amount0, amount1, liquidity)


def _burn(log: Log) -> dict[str, Any]:
    liquidity, amount0, amount1 = uniswap_v3.POOL_BURN_EVENT.decode(log.data)
    return _of_range(log, amount0, amount1, liquidity)


def _collect(log: Log) -> dict[str, Any]:
    _recipient, amount0, amount1 = uniswap_v3.POOL_COLLECT_EVENT.decode(log.data)
    return _of_range(log, amount0, amount1, 0)


_FIELDS = {
    LogKind.INITIALIZE: _initialize,
    LogKind.SWAP: _swap,
    LogKind.MINT: _mint,
    LogKind.BURN: _burn,
    LogKind.COLLECT: _collect,
}


def _of_price(amount0: int, amount1: int, after: Standing, sender: str | None) -> dict[str, Any]:
    return {
        "amount0": amount0,
        "amount1": amount1,
        "after": after,
        "range": None,
        "liquidity": 0,
        "owner": None,
        "sender": sender,
    }


def _of_range(log: Log, amount0: int, amount1: int, liquidity: int) -> dict[str, Any]:
    _event_topic, owner, lower, upper = log.topics
    return {
        "amount0": amount0,
        "amount1": amount1,
        "after": None,
        "range": TickRange(_tick(lower), _tick(upper)),
        "liquidity": liquidity,
        "owner": topic_address(owner),
        "sender": None,
    }


def _tick(topic: str) -> int:
    return int.from_bytes(bytes.fromhex(topic[2:]), signed=True)


def _gone(height: int) -> Reorganised:
    return Reorganised(
        f"block {height} was reorganised away while the pool's events were read; try again"
    )
