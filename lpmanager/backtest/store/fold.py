"""A pool's own accounting, followed event by event: what no event tells, and what none may be."""

from __future__ import annotations

from dataclasses import replace

from lpmanager.amm import amount0_delta_up, amount1_delta_up
from lpmanager.backtest.store.tick_book import Leg, TickBook, paid_down
from lpmanager.chain.event_log import LogKind, PoolEvent, Standing
from lpmanager.errors import EventsMissing
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

#: Ticks, in spacings, after which the contract ends a step of a swap whatever it finds.
_STEP = 256
#: A swap that was left out shows where it was more than this share of the next one.
_DUST = 1_000_000


class Fold:
    """Where a pool stands after each of its events.

    `standing` is None as long as nothing tells it: before INITIALIZE, or before the first SWAP of
    a pool that is not known from its beginning. `ticks` is None for such a pool.
    """

    def __init__(
        self, spacing: int, standing: Standing | None = None, ticks: TickBook | None = None
    ) -> None:
        self.standing = standing
        self.ticks = ticks
        self._spacing = spacing

    def needs_standing(self, event: PoolEvent) -> bool:
        """Whether what an event leaves behind cannot be told without knowing what was before."""
        return self.standing is None and event.after is None

    def apply(self, event: PoolEvent) -> Standing:
        """Where the pool stands after the next event.

        Raises EventsMissing where the event cannot follow those before it: then some are missing.
        """
        before = self.standing
        if event.kind is LogKind.INITIALIZE:
            after = self._initialized(event)
        elif event.after is not None:
            after = event.after
            if before is not None:
                self._require_swap(event, before, after)
        elif before is None or event.range is None:
            raise _missing(event, "it comes before anything that tells the pool's price")
        else:
            after = self._changed(event, before, event.range)
        self.standing = after
        return after

    def _initialized(self, event: PoolEvent) -> Standing:
        if self.standing is not None or event.after is None:
            raise _missing(event, "a pool is initialized once, and before anything else")
        self.ticks = TickBook()
        return event.after

    def _changed(self, event: PoolEvent, before: Standing, tick_range: TickRange) -> Standing:
        delta = -event.liquidity if event.kind is LogKind.BURN else event.liquidity
        if self.ticks is not None and delta:
            self.ticks.change(tick_range, delta)
        active = before.liquidity + (delta if before.tick in tick_range else 0)
        if active < 0:
            raise _missing(event, f"it takes {event.liquidity} of {before.liquidity} liquidity")
        return replace(before, liquidity=Liquidity(active))

    def _require_swap(self, event: PoolEvent, before: Standing, after: Standing) -> None:
        """The way of a swap says what it pays out, and the liquidity at its end."""
        moved = after.sqrt_price_x96 - before.sqrt_price_x96
        if (event.amount0 > 0 and moved > 0) or (event.amount1 > 0 and moved < 0):
            raise _missing(
                event,
                f"it moves the price from {before.sqrt_price_x96} to {after.sqrt_price_x96}, "
                "against its own direction",
            )
        legs = self._way(before, after)
        if legs is None:
            return
        if legs[-1].liquidity != after.liquidity:
            raise _missing(
                event,
                f"it tells an active liquidity of {after.liquidity}, by the events before it "
                f"there is {legs[-1].liquidity}",
            )
        told, expected = -min(event.amount0, event.amount1), paid_down(legs)
        if abs(told - expected) > self._slack(legs, before, after) + expected // _DUST:
            raise _missing(
                event, f"it pays out {told}, by the events before it the price is worth {expected}"
            )

    def _way(self, before: Standing, after: Standing) -> list[Leg] | None:
        """The legs of a swap; None where ticks that nobody knows may be crossed."""
        if self.ticks is not None:
            return self.ticks.way(before, after)
        if before.tick // self._spacing != after.tick // self._spacing:
            return None
        return [Leg(before.liquidity, before.sqrt_price_x96, after.sqrt_price_x96)]

    def _slack(self, legs: list[Leg], before: Standing, after: Standing) -> int:
        """Raw units that the contract's rounding may take: one of each step, and what the last
        price is rounded by where it was the output that was asked for."""
        steps = len(legs) + abs(after.tick - before.tick) // (self._spacing * _STEP) + 2
        price, liquidity = after.sqrt_price_x96, after.liquidity
        delta = amount1_delta_up if price < before.sqrt_price_x96 else amount0_delta_up
        return steps + delta(SqrtPriceX96(price - 1), price, liquidity)


def _missing(event: PoolEvent, why: str) -> EventsMissing:
    return EventsMissing(
        f"block {event.block}, log {event.log_index}: this {event.kind} cannot follow the events "
        f"before it: {why}; the node has left some out: fetch from another RPC"
    )
