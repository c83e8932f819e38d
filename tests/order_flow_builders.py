"""Swaps of a pool in a row, of which a test names what matters to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from builders import BLOCK_TIME_S, a_market, price_at

from lpmanager.model import Flow, Liquidity, Snapshot, SwapEvent

#: The pool's fee in `a_market`, as a fraction.
FEE = 0.0005
BIG = 10**12


def a_swap(
    block: int,
    *,
    tick: int = 0,
    bought: int = BIG,
    sender: str = "0xA",
    liquidity: int = 10**15,
) -> SwapEvent:
    """A swap of `bought` raw token0 out of the pool (into it where that is negative), at the price
    of its tick and the fee on what comes in; it leaves the price at that tick."""
    price = (price_at(tick) / 2**96) ** 2
    sold = -bought
    paid0 = round(sold / (1 - FEE)) if sold > 0 else sold
    paid1 = round(bought * price / (1 - FEE)) if bought > 0 else round(bought * price)
    return SwapEvent(
        block_number=block,
        log_index=0,
        tx_hash="0x",
        sender=sender,
        amount0=paid0,
        amount1=paid1,
        sqrt_price_x96=price_at(tick),
        liquidity=Liquidity(liquidity),
        tick=tick,
    )


def a_flow(swaps: Sequence[SwapEvent], *, last_block: int) -> Flow:
    """These swaps in blocks 1 to the last, each of `BLOCK_TIME_S`."""
    return Flow(from_block=1, seconds=BLOCK_TIME_S * last_block, swaps=tuple(swaps))


def after(swaps: Sequence[SwapEvent], *, last_block: int, tick: int = 0) -> Snapshot:
    """The world at the last block, with the price at a tick."""
    market = a_market(tick=tick)
    block = replace(market.block, number=last_block, timestamp=BLOCK_TIME_S * last_block)
    return replace(market, block=block, flow=a_flow(swaps, last_block=last_block))
