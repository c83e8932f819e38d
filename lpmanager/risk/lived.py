"""What ranges went through between the prices that were seen: time in range, and LVR.

Prices are roots of whole quote tokens per base; times are in Unix seconds and rise.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lpmanager.risk.held_range import HeldRange

#: Losses to arbitrageurs are taken from prices so many seconds apart: from swap to swap, most of
#: what looks like one is a price that comes back (the usual markout horizon).
LVR_STEP_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPrice:
    """A price, and when it was seen."""

    time: int
    sqrt_price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A range from when it was placed, and at which price, until it was left; `closed_at` is None
    while it is held."""

    held: HeldRange
    opened: SeenPrice
    closed_at: int | None

    def end(self, now: int) -> int:
        """When it was left, or now."""
        return now if self.closed_at is None else self.closed_at

    def active(self, sqrt_price: float) -> bool:
        """Whether it earns at a price."""
        return self.held.sqrt_lower <= sqrt_price < self.held.sqrt_upper


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Seconds in which any range was held, and in which one of these held the price."""

    seconds: int
    in_range_s: int


def deployed(lives: Sequence[Life], seen: Iterable[SeenPrice], now: int) -> Deployed:
    """Up to `now`; a price is taken to stand until the next one is seen."""
    prices = sorted((*seen, *(life.opened for life in lives)), key=lambda price: price.time)
    times = [price.time for price in prices]
    edges = sorted({*times, *(life.end(now) for life in lives), now})
    waiting = sorted(lives, key=lambda life: life.opened.time, reverse=True)
    held: list[Life] = []
    seconds = inside = 0
    for begin, end in pairwise(edges):
        while waiting and waiting[-1].opened.time <= begin:
            held.append(waiting.pop())
        held = [life for life in held if life.end(now) > begin]
        if not held:
            continue
        price = prices[bisect_right(times, begin) - 1].sqrt_price
        seconds += end - begin
        inside += (end - begin) * any(life.active(price) for life in held)
    return Deployed(seconds=seconds, in_range_s=inside)


def lost_to_arbitrage(lives: Iterable[Life], seen: Sequence[SeenPrice]) -> float:
    """LVR in quote tokens: what a portfolio would have made more that held, from each price to the
    next, the base tokens that the range held at the first of them.

    By prices `LVR_STEP_S` apart at least. What happens after the last price that was seen before a
    range was left is not counted.
    """
    spaced = _spaced(seen)
    times = [price.time for price in spaced]
    total = 0.0
    for life in lives:
        first = bisect_right(times, life.opened.time)
        last = len(times) if life.closed_at is None else bisect_left(times, life.closed_at)
        way = [life.opened.sqrt_price, *(price.sqrt_price for price in spaced[first:last])]
        total += sum(_lost(life.held, before, after) for before, after in pairwise(way))
    return total


def _lost(held: HeldRange, before: float, after: float) -> float:
    rebalanced = held.base(before) * (after**2 - before**2)
    return max(rebalanced - (held.value(after) - held.value(before)), 0.0)


def _spaced(seen: Iterable[SeenPrice]) -> list[SeenPrice]:
    kept: list[SeenPrice] = []
    for price in seen:
        if not kept or price.time >= kept[-1].time + LVR_STEP_S:
            kept.append(price)
    return kept
