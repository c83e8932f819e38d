"""What it costs to move a pool's own oracle, and how far back it sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lpmanager.model import MAX_TICK
from lpmanager.model.units import LOG_TICK
from lpmanager.risk.missing import Missing
from lpmanager.risk.systems.liquidity_bands import LiquidityBand

#: Halvings of one band's width: far closer than the loss tells apart around its least.
_HALVINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TwapCost:
    """The cheapest way to shift the mean.

    `displaced_ticks`: how far the price itself goes, and `held_s` for how long. `loss`: what is
    gone when others trade it back after every block, with the pool's fee, in raw token1 at the
    price before; a provider who has most of the pool gets most of the fee back. Infinite where no
    price is so far away.
    """

    displaced_ticks: float
    held_s: float
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A price that is displaced to shift the mean tick of `window_s` seconds.

    `shift` is that of the mean price, as a share; `block_s` the time between blocks, which is the
    least that a price can be held.
    """

    shift: float
    window_s: int
    block_s: float

    def __post_init__(self) -> None:
        if not (-1 < self.shift < math.inf and self.shift != 0):
            raise ValueError(f"a shift is above -1 and not 0, found {self.shift}")
        if not 0 < self.block_s <= self.window_s:
            raise ValueError(f"needed is 0 < a block <= the window, found {self}")


def cheapest_twap_attack(
    bands: Sequence[LiquidityBand], log_price: float, fee: float, attack: Attack
) -> TwapCost | Missing:
    """The least that an attack can cost on a pool of this liquidity, from this price (natural log).

    The mean is of ticks, so the displacement is the shift times window over time held; held longer,
    the price goes less far, and the loss of a block comes more often. Which of them is cheaper
    depends on where the liquidity is, so all are looked at. `fee` is the pool's as a share of what
    is paid in. Missing where the liquidity is not known as far as the mean must move; what is
    further away and not known counts as none, so that the cost is never told too high.
    """
    if not 0 <= fee < 1:
        raise ValueError(f"a fee is in [0, 1), found {fee}")
    way = math.copysign(1.0, attack.shift)
    nearest = abs(math.log1p(attack.shift))
    last = MAX_TICK * LOG_TICK - way * log_price
    if nearest > last:
        return TwapCost(
            displaced_ticks=way * nearest / LOG_TICK, held_s=attack.window_s, loss=math.inf
        )
    farthest = min(nearest * attack.window_s / attack.block_s, last)
    layers = _layers(bands, log_price, way)
    known = layers[-1].far if layers else 0.0
    if known < nearest:
        return Missing(
            f"the cost of an attack needs the liquidity {nearest / LOG_TICK:.0f} ticks away "
            f"{'above' if way > 0 else 'below'} the price; it is known up to "
            f"{known / LOG_TICK:.0f} ticks"
        )
    if known < farthest:
        layers.append(_Layer(near=known, far=farthest, liquidity=0.0))
    found = _least(layers, nearest, farthest, fee)
    held_s = attack.window_s * (nearest / found.distance)
    return TwapCost(
        displaced_ticks=way * found.distance / LOG_TICK,
        held_s=held_s,
        loss=found.lost * math.exp(log_price / 2) * held_s / attack.block_s,
    )


class _Layer(NamedTuple):
    """Liquidity between two distances from the price, in its natural log."""

    near: float
    far: float
    liquidity: float


class _Displaced(NamedTuple):
    """What a block of the price at that distance loses: over the root of the price, see `_loss`."""

    distance: float
    lost: float

    @property
    def per_distance(self) -> float:
        """What an attack costs is in proportion to it: half as far takes twice as many blocks."""
        return self.lost / self.distance


def _layers(bands: Sequence[LiquidityBand], log_price: float, way: float) -> list[_Layer]:
    """The liquidity that way, the nearest first; both ways a swap looks the same from inside."""
    ordered = bands if way > 0 else reversed(bands)
    found = []
    for band in ordered:
        ends = way * (band.lower - log_price), way * (band.upper - log_price)
        near, far = max(min(ends), 0.0), max(ends)
        if near < far:
            found.append(_Layer(near=near, far=far, liquidity=band.liquidity))
    return found if found and found[0].near == 0 else []


def _least(layers: Sequence[_Layer], nearest: float, farthest: float, fee: float) -> _Displaced:
    """The distance between the two at which the least is lost per distance."""
    best, lost = _Displaced(distance=farthest, lost=math.inf), 0.0
    for layer in layers:
        start, end = max(layer.near, nearest), min(layer.far, farthest)
        if start <= end:
            found = _least_within(layer, lost, start, end, fee, best)
            best = min(best, found, key=lambda each: each.per_distance)
        lost += layer.liquidity * (_loss(layer.far, fee) - _loss(layer.near, fee))
    return best


def _least_within(
    layer: _Layer, before: float, start: float, end: float, fee: float, best: _Displaced
) -> _Displaced:
    """The same in one layer, to which `before` is lost on the way; one of its ends where `best` is
    not beaten between them.

    The loss is convex there, so that it per distance falls until it meets its own slope, and rises
    from there on.
    """

    def at(distance: float) -> _Displaced:
        inside = _loss(distance, fee) - _loss(layer.near, fee)
        return _Displaced(distance=distance, lost=before + layer.liquidity * inside)

    def slope(distance: float) -> float:
        return layer.liquidity * _slope(distance, fee)

    low, high = at(start), at(end)
    if slope(start) >= low.per_distance:
        return low
    if slope(end) <= high.per_distance:
        return high
    # where they meet, the loss per distance is the slope, which is more than that of the start
    if slope(start) >= best.per_distance:
        return low
    for _ in range(_HALVINGS):
        middle = at((low.distance + high.distance) / 2)
        if slope(middle.distance) < middle.per_distance:
            low = middle
        else:
            high = middle
    return low


def _loss(distance: float, fee: float) -> float:
    """What one unit of liquidity takes to move the price so far in its log, less what it pays for
    bringing it back: in token1 over the root of the price, and the same up and down."""
    return math.expm1(distance / 2) / (1 - fee) + math.expm1(-distance / 2)


def _slope(distance: float, fee: float) -> float:
    """How fast that grows."""
    return (math.exp(distance / 2) / (1 - fee) - math.exp(-distance / 2)) / 2


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
