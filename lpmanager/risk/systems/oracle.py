"""What it costs to move a pool's own oracle, and how far back it sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lpmanager.model import MAX_TICK
from lpmanager.model.units import LOG_TICK
from lpmanager.risk.missing import Missing
from lpmanager.risk.systems.liquidity_bands import LiquidityBand, swap_between


@dataclass(frozen=True, slots=True, kw_only=True)
class TwapCost:
    """What an attacker needs to shift the mean, in raw token1 at the price before.

    `displaced_ticks`: how far the price itself must go. `capital`: what is swapped in. `loss`: what
    is gone when others trade the price back after every block, with the pool's fee; a provider who
    has most of the pool gets most of the fee back. Both are infinite where no price is so far away.
    """

    displaced_ticks: float
    capital: float
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A price that is displaced for `held_s` seconds to shift the mean tick of `window_s` seconds.

    `shift` is that of the mean price, as a share; `block_s` the time between blocks.
    """

    shift: float
    window_s: int
    held_s: int
    block_s: float

    def __post_init__(self) -> None:
        if not (-1 < self.shift < math.inf and self.shift != 0):
            raise ValueError(f"a shift is above -1 and not 0, found {self.shift}")
        if not (0 < self.block_s <= self.held_s <= self.window_s):
            raise ValueError(f"needed is 0 < a block <= time held <= the window, found {self}")


def cost_to_move_twap(
    bands: Sequence[LiquidityBand], log_price: float, fee: float, attack: Attack
) -> TwapCost | Missing:
    """The cost of one attack on a pool of this liquidity, from this price (natural log).

    The mean is of ticks, so the displacement is the shift times window over time held. `fee` is the
    pool's as a share of what is paid in. Missing where the liquidity is not known so far.
    """
    if not 0 <= fee < 1:
        raise ValueError(f"a fee is in [0, 1), found {fee}")
    move = math.log1p(attack.shift) * attack.window_s / attack.held_s
    ticks = move / LOG_TICK
    if abs(log_price + move) > MAX_TICK * LOG_TICK:
        return TwapCost(displaced_ticks=ticks, capital=math.inf, loss=math.inf)
    swapped = swap_between(bands, log_price, log_price + move)
    if isinstance(swapped, Missing):
        return swapped
    price = math.exp(log_price)
    paid_in = swapped.paid / (1 - fee)
    if move > 0:
        capital, back = paid_in, swapped.taken * price
    else:
        capital, back = paid_in * price, swapped.taken
    blocks = attack.held_s / attack.block_s
    return TwapCost(displaced_ticks=ticks, capital=capital, loss=(capital - back) * blocks)


def oracle_reach_s(cardinality: int, seconds_between_writes: float) -> float:
    """How far back an oracle of so many observations sees, once it is full.

    A pool writes one in each block with a swap in it, or a change of active liquidity. The newest
    observation is no more than the end of the stretch, hence one fewer.
    """
    if cardinality < 1 or not seconds_between_writes > 0:
        raise ValueError(
            "an oracle has at least one observation, and time passes between them; found "
            f"{cardinality} and {seconds_between_writes} s"
        )
    return (cardinality - 1) * seconds_between_writes
