"""On which block do enough RPCs agree? Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from lpmanager.model import Block

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Agreement(Generic[T]):
    """A block, and who told of it alike, in the order they were given."""

    block: Block
    by: tuple[T, ...]


def default_quorum(count: int) -> int:
    """More than half: 1 of 1, 2 of 2, 2 of 3."""
    return count // 2 + 1


def agree(
    heads: Mapping[T, Block],
    *,
    quorum: int,
    lag: int,
    depth: int,
    block_at: Callable[[T, int], Block | None],
) -> Agreement[T] | None:
    """The newest block that `quorum` of those with these heads tell alike, or None.

    One of them alone says nothing: how high the chain is, is what a quorum has reached. Whoever is
    more than `lag` blocks behind that is left out; who is ahead of it is asked for the lower block.
    Where they differ, up to `depth` blocks below a head count too: the two sides of a small
    reorganisation agree there. `block_at` asks one of them for its block at a height below its
    head; None where it does not tell.
    """
    if len(heads) < quorum:
        return None
    reached = sorted((head.number for head in heads.values()), reverse=True)[quorum - 1]
    abreast = {who: head for who, head in heads.items() if reached - head.number <= lag}
    tops = {min(head.number, reached) for head in abreast.values()}
    heights = {max(top - below, 0) for top in tops for below in range(depth + 1)}
    for height in sorted(heights, reverse=True):
        found = _agreement_at(height, abreast, quorum, block_at)
        if found is not None:
            return found
    return None


def _agreement_at(
    height: int, heads: Mapping[T, Block], quorum: int, block_at: Callable[[T, int], Block | None]
) -> Agreement[T] | None:
    votes: dict[Block, list[T]] = {}
    for who, head in heads.items():
        if head.number < height:
            continue
        block = head if head.number == height else block_at(who, height)
        if block is not None:
            votes.setdefault(block, []).append(who)
    agreed = [Agreement(block, tuple(by)) for block, by in votes.items() if len(by) >= quorum]
    return agreed[0] if agreed else None
