"""A recorded day becomes a starting liquidity profile and orders."""

from __future__ import annotations

from itertools import count

import pytest

from lpmanager.backtest.markets.events import EventKind, MarketEvent
from lpmanager.devnet.flow_recorded import RecordedFlow, recorded_flow
from lpmanager.devnet.orders import AddLiquidity, Follow, RemoveLiquidity
from lpmanager.errors import MarketDataError
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

PRICE = SqrtPriceX96(2**96)
_LINES = count(2)


def event(
    kind: EventKind,
    *,
    block: int = 1,
    tick: int = 0,
    active: int = 1_000,
    span: TickRange | None = None,
    liquidity: int = 0,
    amounts: tuple[int, int] = (1, -1),
    price: SqrtPriceX96 = PRICE,
) -> MarketEvent:
    line = next(_LINES)
    return MarketEvent(
        line=line,
        block_number=block,
        timestamp=12 * block,
        log_index=line,
        kind=kind,
        amount0=amounts[0],
        amount1=amounts[1],
        active_liquidity=Liquidity(active),
        sqrt_price_x96=price,
        tick=tick,
        range=span,
        liquidity=Liquidity(liquidity),
        sender="",
    )


def swap(tick: int, active: int, block: int = 1) -> MarketEvent:
    return event(EventKind.SWAP, tick=tick, active=active, block=block)


def flow_of(*events: MarketEvent) -> RecordedFlow:
    return recorded_flow(events, fee_pips=500, tick_spacing=10)


def liquidity_at(flow: RecordedFlow, tick: int) -> int:
    return sum(order.liquidity for order in flow.profile if tick in order.range)


def test_the_background_is_what_each_visited_spacing_held() -> None:
    flow = flow_of(swap(3, 1_000), swap(14, 700))
    assert liquidity_at(flow, 5) == 1_000
    assert liquidity_at(flow, 15) == 700


def test_the_background_goes_on_flat_beyond_the_prices_visited() -> None:
    flow = flow_of(swap(3, 1_000), swap(14, 700))
    assert liquidity_at(flow, -600) == 1_000
    assert liquidity_at(flow, 619) == 700
    assert liquidity_at(flow, -601) == liquidity_at(flow, 620) == 0


def test_liquidity_the_file_mints_is_not_background() -> None:
    span = TickRange(0, 10)
    flow = flow_of(event(EventKind.MINT, span=span, liquidity=300), swap(3, 1_300), swap(14, 1_000))
    assert liquidity_at(flow, 3) == 1_000


def test_a_burn_of_an_older_position_is_minted_first_and_taken_off_the_background() -> None:
    span = TickRange(0, 20)
    flow = flow_of(
        swap(3, 1_000), event(EventKind.BURN, span=span, liquidity=400, block=2), swap(3, 600, 3)
    )
    assert AddLiquidity(range=span, liquidity=Liquidity(400)) in flow.profile
    assert liquidity_at(flow, 3) == 1_000


def test_liquidity_that_contradicts_the_background_is_counted() -> None:
    assert flow_of(swap(3, 1_000), swap(4, 1_000), swap(5, 999)).unexplained == 1


def test_events_become_orders_in_their_blocks() -> None:
    span = TickRange(0, 10)
    flow = flow_of(
        event(EventKind.MINT, span=span, liquidity=9),
        event(EventKind.SWAP, active=1_009, amounts=(5, -4)),
        event(EventKind.BURN, span=span, liquidity=9),
        event(EventKind.SWAP, block=2, amounts=(-4, 5)),
    )
    assert [block.timestamp for block in flow.blocks] == [12, 24]
    assert flow.blocks[0].orders == (
        AddLiquidity(range=span, liquidity=Liquidity(9)),
        Follow(zero_for_one=True, raw_in=5, target=PRICE),
        RemoveLiquidity(range=span, liquidity=Liquidity(9)),
    )
    assert flow.blocks[1].orders == (Follow(zero_for_one=False, raw_in=5, target=PRICE),)
    assert flow.blocks[1].expected_sqrt_price_x96 == PRICE


def test_collects_and_pokes_move_nothing_and_are_left_out() -> None:
    span = TickRange(0, 10)
    flow = flow_of(
        swap(3, 1_000),
        event(EventKind.COLLECT, span=span, block=2),
        event(EventKind.BURN, span=span, liquidity=0, block=3),
    )
    assert len(flow.blocks) == 1


def test_the_start_price_is_on_the_side_the_first_swap_came_from() -> None:
    up = flow_of(event(EventKind.SWAP, amounts=(-9, 10), active=1_000))
    down = flow_of(event(EventKind.SWAP, amounts=(10, -9), active=1_000))
    assert up.start_sqrt_price_x96 < PRICE < down.start_sqrt_price_x96


def test_a_market_without_swaps_is_refused() -> None:
    with pytest.raises(MarketDataError, match="holds no SWAP"):
        flow_of(event(EventKind.MINT, span=TickRange(0, 10), liquidity=9))


def test_a_range_off_the_spacing_is_refused_by_line() -> None:
    wrong = event(EventKind.MINT, span=TickRange(0, 15), liquidity=9)
    with pytest.raises(MarketDataError, match=f"line {wrong.line}: upper tick 15"):
        flow_of(swap(3, 1_000), wrong)
