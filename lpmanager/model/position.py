"""A liquidity position held as an NFT of a position manager."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model.tick import Liquidity, TickRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position at one block.

    `fee_growth_inside*_x128` is the pool's growth inside the range at the snapshot's block;
    `*_last_x128` is what the position manager remembers from the position's last change.
    Warning: `tokens_owed*` alone is stale; uncollected fees are
    `lpmanager.amm.position.uncollected_fees`.
    """

    token_id: int
    range: TickRange
    liquidity: Liquidity
    fee_growth_inside0_x128: int
    fee_growth_inside1_x128: int
    fee_growth_inside0_last_x128: int
    fee_growth_inside1_last_x128: int
    tokens_owed0: int
    tokens_owed1: int
