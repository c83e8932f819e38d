"""The price over time, from the swaps of a snapshot."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from lpmanager.model import Flow, PoolKey, Snapshot, SwapColumns, Token
from lpmanager.risk.missing import Missing

_LOG_Q96 = 96 * math.log(2)


@dataclass(frozen=True, slots=True)
class PricePath:
    """Log prices and when they came about.

    `times`: Unix seconds, strictly increasing. `log_prices`: natural log of raw token1 for one raw
    token0; each stands until the next.
    """

    times: tuple[int, ...]
    log_prices: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.times or len(self.times) != len(self.log_prices):
            raise ValueError(
                "a price path needs a log price for each of at least one time, found "
                f"{len(self.log_prices)} for {len(self.times)}"
            )
        for earlier, later in pairwise(self.times):
            if later <= earlier:
                raise ValueError(f"times must increase: {later} comes after {earlier}")
        if not all(map(math.isfinite, self.log_prices)):
            raise ValueError("a log price is not a finite number")

    def quoted_in(self, quote: Token, pool: PoolKey) -> PricePath:
        """The same of the price that a campaign counts by: raw `quote` for one raw base token."""
        if quote == pool.token1:
            return self
        return PricePath(self.times, tuple(-price for price in self.log_prices))

    @property
    def seconds(self) -> int:
        """From the first price to the last."""
        return self.times[-1] - self.times[0]

    def returns(self, step_s: int) -> tuple[float, ...]:
        """Changes of the log price over steps of `step_s` seconds, the last ending at the last
        time, the first beginning no earlier than the first one.

        At each end of a step the newest price by then counts. Steps shorter than the waits between
        trades give zeros, and long ones leave out what is older than a whole number of steps.
        """
        if step_s < 1:
            raise ValueError(f"a step must be at least 1 s, found {step_s}")
        end = self.times[-1]
        start = end - self.seconds // step_s * step_s
        prices = (
            self.log_prices[bisect_right(self.times, time) - 1]
            for time in range(start, end + 1, step_s)
        )
        return tuple(after - before for before, after in pairwise(prices))


def path_of(snapshot: Snapshot) -> PricePath | Missing:
    """The price after each block with swaps, and the snapshot's own price at its time.

    A swap does not tell its time, so blocks are taken to be evenly spread over the flow's time, in
    whole seconds rounded up; of several in a second the last counts. Prices inside a block are
    noise to everyone who trades from the next block on.
    """
    closes = _closes_of(snapshot)
    if isinstance(closes, Missing):
        return closes
    prices: dict[int, int] = {}
    for block, price in zip(closes.blocks, closes.prices, strict=True):
        prices[block_time_up(closes.flow, snapshot, block)] = price
    prices[snapshot.block.timestamp] = snapshot.state.sqrt_price_x96
    return PricePath(
        times=tuple(prices), log_prices=tuple(log_price(price) for price in prices.values())
    )


def returns_of(snapshot: Snapshot, step_s: int) -> tuple[float, ...] | Missing:
    """The returns of the snapshot's path: only the prices that they need are worked out."""
    if step_s < 1:
        raise ValueError(f"a step must be at least 1 s, found {step_s}")
    closes = _closes_of(snapshot)
    if isinstance(closes, Missing):
        return closes
    end, flow = snapshot.block.timestamp, closes.flow

    def time_of(block: int) -> int:
        return block_time_up(flow, snapshot, block)

    seconds = end - time_of(closes.blocks[0])
    marks = range(end - seconds // step_s * step_s, end, step_s)
    before = (bisect_right(closes.blocks, mark, key=time_of) - 1 for mark in marks)
    prices = [log_price(closes.prices[place]) for place in before]
    prices.append(log_price(snapshot.state.sqrt_price_x96))
    return tuple(after - earlier for earlier, after in pairwise(prices))


def share_since_first_swap(returns: int, seconds: int, step_s: int) -> float:
    """The share that the steps from the first swap on have in all whole steps of a flow's
    `seconds`; `returns` of them have a price at both ends.

    Before the first swap the price stood still, whatever it was. The step with the first swap in it
    is taken to be like those after it, for want of a price before.
    """
    return min((returns + 1) / max(seconds // step_s, 1), 1.0)


class _Closes(NamedTuple):
    """Blocks with swaps, rising, and the price (sqrtPriceX96) after each of them."""

    flow: Flow
    blocks: Sequence[int]
    prices: Sequence[int]


def _closes_of(snapshot: Snapshot) -> _Closes | Missing:
    flow = snapshot.flow
    if flow is None:
        return Missing("a price path needs recent swaps, and none were read")
    if not flow.swaps:
        return Missing(f"a price path needs a swap, found 0 in the last {flow.seconds} s")
    swaps = SwapColumns.of(flow.swaps)
    if min(min(swaps.sqrt_prices_x96), snapshot.state.sqrt_price_x96) <= 0:
        return Missing("a price path needs prices above 0, and the pool shows a price of 0")
    closes = dict(zip(swaps.block_numbers, swaps.sqrt_prices_x96, strict=True))
    blocks = list(closes)
    if blocks != sorted(blocks):
        raise ValueError("swaps must be in the order of their blocks")
    return _Closes(flow, blocks, list(closes.values()))


def log_price(sqrt_price_x96: int) -> float:
    """Natural log of raw token1 for one raw token0. ValueError where the price is 0."""
    return 2 * (math.log(sqrt_price_x96) - _LOG_Q96)


def block_time_up(flow: Flow, snapshot: Snapshot, block: int) -> int:
    """When a block was, in whole seconds rounded up. The flow's time begins with the block before
    its first."""
    last = snapshot.block.number
    if not flow.from_block <= block <= last:
        raise ValueError(f"a swap of block {block} is not in blocks {flow.from_block} to {last}")
    blocks = last - flow.from_block + 1
    return snapshot.block.timestamp - (last - block) * flow.seconds // blocks
