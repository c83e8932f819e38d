"""The ticks of a pool that is known from its beginning, and what a swap across them must pay."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

from lpmanager.amm import amount0_delta_down, amount1_delta_down, sqrt_price_at_tick
from lpmanager.chain.event_log import Standing
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of a swap's way on which no tick is crossed."""

    liquidity: Liquidity
    start: SqrtPriceX96
    end: SqrtPriceX96


class TickBook:
    """How much liquidity comes and goes at each tick."""

    def __init__(self) -> None:
        self._net: dict[int, int] = {}
        self._rising: list[int] = []

    def change(self, tick_range: TickRange, delta: int) -> None:
        """Liquidity was added to a range, or taken from it."""
        for tick, net in ((tick_range.lower, delta), (tick_range.upper, -delta)):
            if tick not in self._net:
                insort(self._rising, tick)
            self._net[tick] = self._net.get(tick, 0) + net

    def way(self, before: Standing, after: Standing) -> list[Leg]:
        """The legs from one standing to another's price; the last has the liquidity found there."""
        low, high = sorted((before.tick, after.tick))
        crossed = self._rising[bisect_right(self._rising, low) : bisect_right(self._rising, high)]
        falls = after.tick < before.tick
        legs, price, liquidity = [], before.sqrt_price_x96, int(before.liquidity)
        for tick in reversed(crossed) if falls else crossed:
            legs.append(Leg(Liquidity(liquidity), price, sqrt_price_at_tick(tick)))
            price = legs[-1].end
            liquidity += -self._net[tick] if falls else self._net[tick]
        return [*legs, Leg(Liquidity(liquidity), price, after.sqrt_price_x96)]


def paid_down(legs: Sequence[Leg]) -> int:
    """What a swap along the legs pays out, in raw token1 where the price falls and token0 where it
    rises, rounded down at each leg."""
    falls = legs[-1].end < legs[0].start
    delta = amount1_delta_down if falls else amount0_delta_down
    return sum(delta(leg.start, leg.end, leg.liquidity) for leg in legs)
