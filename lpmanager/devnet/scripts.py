"""Markets to put on a new chain: where the price starts, who provides, what happens when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lpmanager.backtest.markets.events import read_events
from lpmanager.devnet.flow_generated import Habits, generated_flow, habitual_flow
from lpmanager.devnet.flow_recorded import recorded_flow
from lpmanager.devnet.orders import AddLiquidity, BlockOrders
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

#: The pool every script is for: USDC and WETH at 0.05 %, USDC being token0.
FEE_PIPS = 500
TICK_SPACING = 10

#: About 2,270 USDC per WETH, the price on mainnet on 2024-01-05.
_START_SQRT_PRICE_X96 = SqrtPriceX96(1662995104975155420368771254341874)

#: A quarter of what was active on mainnet then, a third of it over all prices.
_PROFILE = (
    AddLiquidity(range=TickRange(-887_270, 887_270), liquidity=Liquidity(10**18)),
    AddLiquidity(range=TickRange(189_000, 209_000), liquidity=Liquidity(2 * 10**18)),
)
_RECORDED_BLOCK_TIME_S = 12

#: Blocks that generated flow goes on for after a script's own, for whoever keeps the chain: years.
_GOING_ON = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A market for a new pool. `opening` is the time of its first block, in Unix seconds.

    `block_count` blocks are the script; `blocks` may go on after them.
    """

    opening: int
    start_sqrt_price_x96: SqrtPriceX96
    profile: tuple[AddLiquidity, ...]
    blocks: Iterator[BlockOrders]
    block_count: int
    block_time_s: int


def generated_script(habits: Habits, opening: int) -> Script:
    """A market made up from a seed, that goes on after its last block."""
    flow = habitual_flow(
        habits,
        start_timestamp=opening,
        start_sqrt_price_x96=_START_SQRT_PRICE_X96,
        liquidity=Liquidity(sum(order.liquidity for order in _PROFILE)),
        fee_pips=FEE_PIPS,
    )
    return Script(
        opening=opening,
        start_sqrt_price_x96=_START_SQRT_PRICE_X96,
        profile=_PROFILE,
        blocks=generated_flow(replace(flow, blocks=flow.blocks + _GOING_ON)),
        block_count=habits.blocks,
        block_time_s=habits.block_time_s,
    )


def recorded_script(path: Path) -> Script:
    """The market of a recorded day. Raises MarketDataError naming the line that is wrong."""
    flow = recorded_flow(read_events(path), fee_pips=FEE_PIPS, tick_spacing=TICK_SPACING)
    return Script(
        opening=flow.blocks[0].timestamp,
        start_sqrt_price_x96=flow.start_sqrt_price_x96,
        profile=flow.profile,
        blocks=iter(flow.blocks),
        block_count=len(flow.blocks),
        block_time_s=_RECORDED_BLOCK_TIME_S,
    )
