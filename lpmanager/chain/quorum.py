"""On which block do enough RPCs agree? Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from lpmanager.model import Block

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Agreement(Generic[T]):
    """A block, and who told of it by the same hash, in the order they were given."""

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
    """The newest block that `quorum` of those with these heads have by the same hash, or None.

    Whoever is more than `lag` blocks behind the foremost is left out. Where they differ at the
    newest height that a quorum has reached, up to `depth` blocks below it count too: the two sides
    of a small reorganisation agree there. `block_at` asks one of them for its block at a height
    below its head; None where it does not tell.
    """
    if not heads:
        return None
    foremost = max(head.number for head in heads.values())
    abreast = {who: head for who, head in heads.items() if foremost - head.number <= lag}
    if len(abreast) < quorum:
        return None
    newest = sorted((head.number for head in abreast.values()), reverse=True)[quorum - 1]
    for height in range(newest, max(newest - depth, 0) - 1, -1):
        found = _agreement_at(height, abreast, quorum, block_at)
        if found is not None:
            return found
    return None


def _agreement_at(
    height: int, heads: Mapping[T, Block], quorum: int, block_at: Callable[[T, int], Block | None]
) -> Agreement[T] | None:
    votes: dict[str, tuple[Block, list[T]]] = {}
    for who, head in heads.items():
        if head.number < height:
            continue
        block = head if head.number == height else block_at(who, height)
        if block is not None:
            votes.setdefault(block.hash, (block, []))[1].append(who)
    agreed = [Agreement(b, tuple(by)) for b, by in votes.values() if len(by) >= quorum]
    return agreed[0] if agreed else None
