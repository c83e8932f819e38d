"""How well a chain is heard, what its blocks cost, and whether a pool's tokens are sound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHealth:
    """The RPCs of a chain as they were just asked, and the base fees of its recent blocks.

    `healthy_rpcs`, of `rpcs`, are in use: none of them failed several times in a row. One that was
    not needed was not asked, and counts as healthy. `base_fees` are in wei per gas, the newest
    last; None where they were not asked for, or the RPC does not tell them.
    """

    rpcs: int
    healthy_rpcs: int
    base_fees: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCheck:
    """The last check of a pool's tokens, at a block of that time (Unix seconds).

    `refused` says what is wrong; None where what was lent of each came and went in full.
    """

    checked_at: int
    refused: str | None
