"""How much of the pool is ours: what we earn of its fees, and what our leaving would do to it."""

from __future__ import annotations

from collections.abc import Iterable

from lpmanager.model import Liquidity, Position
from lpmanager.risk.missing import Missing


def pool_share(positions: Iterable[Position], tick: int, active: Liquidity) -> float | Missing:
    """Our part of the active liquidity, which has ours in it, in [0, 1].

    Missing where no liquidity is active. Raises ValueError where ours is more than all of it.
    """
    ours = sum(position.liquidity for position in positions if tick in position.range)
    if ours > active:
        raise ValueError(f"our active liquidity {ours} is more than the pool's {active}")
    if active == 0:
        return Missing("our share of the pool needs active liquidity, found 0")
    return ours / active
