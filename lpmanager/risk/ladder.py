"""What holdings are worth, and consist of, after the price gaps within one block.

Floats in whole tokens; prices are quote tokens for one base token.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lpmanager.risk.stake import Stake

#: Falls of the base token's price that the ladder looks at.
FALLS = (-0.05, -0.10, -0.20, -0.40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Holdings at a gapped price.

    `move` is the gap as a share of the price before it, `value` in quote tokens, `change` its share
    of the value before; `base_weight` in [0, 1] is the part of the value that is base tokens.
    """

    move: float
    price: float
    value: float
    change: float
    base_weight: float


def ladder(stake: Stake, moves: Iterable[float] = FALLS) -> tuple[Rung, ...]:
    """What the stake is worth after each gap, before anybody can act; fees and gas left out.

    Raises ValueError where it is worth nothing before or after, and for a gap that leaves no price.
    """
    before = stake.value(stake.sqrt_price)
    if not before > 0:
        raise ValueError(f"no ladder of holdings that are worth {before}")
    return tuple(_rung(stake, before, move) for move in moves)


def _rung(stake: Stake, before: float, move: float) -> Rung:
    if not -1 < move < math.inf:
        raise ValueError(f"a gap of {move:+.0%} leaves no price")
    root = stake.sqrt_price * math.sqrt(1 + move)
    value = stake.value(root)
    if not value > 0:
        raise ValueError(f"after a gap of {move:+.0%} the holdings are worth {value}")
    return Rung(
        move=move,
        price=root**2,
        value=value,
        change=value / before - 1,
        base_weight=stake.base_at(root) * root**2 / value,
    )
