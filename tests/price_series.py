"""Short builders of returns, paths and flows of which the truth is known."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from builders import a_market, price_at

from lpmanager.model import Flow, Liquidity, Snapshot, SwapEvent
from lpmanager.risk.price_path import PricePath

START = 1_700_000_000


def normal_returns(count: int, deviation: float = 0.001, *, seed: int = 1) -> tuple[float, ...]:
    """Independent returns of one deviation."""
    rng = random.Random(seed)
    return tuple(rng.gauss(0, deviation) for _ in range(count))


def with_return(returns: Sequence[float], place: int, change: float) -> tuple[float, ...]:
    """The same returns but for one."""
    return (*returns[:place], change, *returns[place + 1 :])


def path_along(returns: Iterable[float], step_s: int) -> PricePath:
    """The path whose returns over this step are these."""
    prices = [0.0]
    for change in returns:
        prices.append(prices[-1] + change)
    times = range(START, START + step_s * len(prices), step_s)
    return PricePath(tuple(times), tuple(prices))


def a_swap(block: int, tick: int, *, sqrt_price_x96: int | None = None) -> SwapEvent:
    """A swap that left the price at a tick."""
    return SwapEvent(
        block_number=block,
        log_index=0,
        tx_hash="0x",
        sender="0x",
        amount0=10**6,
        amount1=-(10**6),
        sqrt_price_x96=price_at(tick) if sqrt_price_x96 is None else sqrt_price_x96,
        liquidity=Liquidity(10),
        tick=tick,
    )


def a_flow(
    *swaps: SwapEvent, from_block: int = 91, seconds: int = 120, now_tick: int = 0
) -> Snapshot:
    """A snapshot at block 100 with these swaps before it; by default ten blocks of 12 s."""
    flow = Flow(from_block=from_block, seconds=seconds, swaps=swaps)
    return replace(a_market(tick=now_tick), flow=flow)


def log_of(tick: float) -> float:
    return tick * math.log(1.0001)
