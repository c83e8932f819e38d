"""Order flow from a recorded day: the same swaps, mints and burns, at the same prices.

What is known of the pool's ticks before the day comes from the file itself. Active liquidity after
a recorded swap, minus what the file's own mints and burns put at that tick, is the *background*:
liquidity older than the file. Where the price went, that is one number per tick spacing; beyond,
the outermost number is carried on for some hundred ticks. Burns of positions older than the file
need those positions, so they are minted first and taken off the background.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from lpmanager.backtest.markets.events import EventKind, MarketEvent
from lpmanager.devnet.orders import AddLiquidity, BlockOrders, Follow, Order, RemoveLiquidity
from lpmanager.errors import MarketDataError
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange
from lpmanager.model.tick import floor_to_spacing

_Q96 = 2**96
_PIPS = 1_000_000

#: Tick spacings of flat background beyond the prices visited, on each side.
_MARGIN_SPACINGS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFlow:
    """A recorded day as something to carry out.

    Initialize the pool at `start_sqrt_price_x96`, carry out `profile`, then each block.
    `swaps` counts the recorded swaps; `unexplained` those whose active liquidity contradicts the
    background seen before, which means that the file leaves rows out.
    """

    start_sqrt_price_x96: SqrtPriceX96
    profile: tuple[AddLiquidity, ...]
    blocks: tuple[BlockOrders, ...]
    swaps: int
    unexplained: int


def recorded_flow(
    events: Sequence[MarketEvent], *, fee_pips: int, tick_spacing: int
) -> RecordedFlow:
    """The flow in a file's events, for a pool of this fee and spacing.

    Raises MarketDataError where there is no swap, or a range is off the spacing.
    """
    swaps = [event for event in events if event.kind is EventKind.SWAP]
    if not swaps:
        raise MarketDataError("the market file holds no SWAP; there is no price to follow")
    _require_spacing(events, tick_spacing)
    background, unexplained = _background(events, tick_spacing)
    older = _older_positions(events)
    return RecordedFlow(
        start_sqrt_price_x96=_price_before(swaps[0], fee_pips),
        profile=(
            *(AddLiquidity(range=span, liquidity=held) for span, held in older.items()),
            *_shape(background, older, tick_spacing),
        ),
        blocks=tuple(_blocks(events)),
        swaps=len(swaps),
        unexplained=unexplained,
    )


def _require_spacing(events: Sequence[MarketEvent], tick_spacing: int) -> None:
    for event in events:
        if event.range is None:
            continue
        try:
            event.range.require_spacing(tick_spacing)
        except ValueError as error:
            raise MarketDataError(f"line {event.line}: {error}") from error


def _signed(event: MarketEvent) -> int:
    if event.kind is EventKind.MINT:
        return event.liquidity
    return -event.liquidity if event.kind is EventKind.BURN else 0


def _background(events: Sequence[MarketEvent], spacing: int) -> tuple[dict[int, int], int]:
    """Liquidity older than the file, by the lower tick of each spacing the price visited."""
    of_file: dict[TickRange, int] = {}
    background: dict[int, int] = {}
    unexplained = 0
    for event in events:
        if event.range is not None:
            of_file[event.range] = of_file.get(event.range, 0) + _signed(event)
        if event.kind is not EventKind.SWAP:
            continue
        inside = sum(held for span, held in of_file.items() if event.tick in span)
        held = event.active_liquidity - inside
        known = background.setdefault(floor_to_spacing(event.tick, spacing), held)
        unexplained += known != held
    return background, unexplained


def _older_positions(events: Sequence[MarketEvent]) -> dict[TickRange, Liquidity]:
    """For each range, the most by which its burns run ahead of its mints."""
    balance: dict[TickRange, int] = {}
    deepest: dict[TickRange, int] = {}
    for event in events:
        if event.range is None:
            continue
        held = balance[event.range] = balance.get(event.range, 0) + _signed(event)
        deepest[event.range] = min(deepest.get(event.range, 0), held)
    return {span: Liquidity(-held) for span, held in deepest.items() if held < 0}


def _shape(
    background: Mapping[int, int], older: Mapping[TickRange, Liquidity], spacing: int
) -> Iterator[AddLiquidity]:
    """Mints that, with the older positions, make the background; equal neighbours are joined."""
    margin = _MARGIN_SPACINGS * spacing
    bottom, top = min(background), max(background)
    needed: list[tuple[int, int]] = []
    held = background[bottom]
    for lower in range(bottom - margin, top + margin + spacing, spacing):
        held = background.get(lower, held)
        present = sum(liquidity for span, liquidity in older.items() if lower in span)
        needed.append((lower, max(held - present, 0)))
    for liquidity, group in groupby(needed, key=lambda step: step[1]):
        lowers = [lower for lower, _ in group]
        if liquidity:
            span = TickRange(lowers[0], lowers[-1] + spacing)
            yield AddLiquidity(range=span, liquidity=Liquidity(liquidity))


def _price_before(swap: MarketEvent, fee_pips: int) -> SqrtPriceX96:
    """About the pool's price before a swap that crossed no tick: its input taken back out."""
    liquidity, after = swap.active_liquidity, swap.sqrt_price_x96
    if liquidity == 0:
        return after
    net_in = max(swap.amount0, swap.amount1) * (_PIPS - fee_pips) // _PIPS
    if swap.amount1 > 0:
        return SqrtPriceX96(after - net_in * _Q96 // liquidity)
    scaled = liquidity * _Q96
    return SqrtPriceX96(scaled * after // (scaled - net_in * after))


def _blocks(events: Sequence[MarketEvent]) -> Iterator[BlockOrders]:
    for _, group in groupby(events, key=lambda event: event.block_number):
        block = list(group)
        orders = tuple(order for event in block for order in _orders(event))
        prices = [event.sqrt_price_x96 for event in block if event.kind is EventKind.SWAP]
        if orders:
            yield BlockOrders(
                timestamp=block[0].timestamp,
                orders=orders,
                expected_sqrt_price_x96=prices[-1] if prices else None,
            )


def _orders(event: MarketEvent) -> Iterator[Order]:
    """The order an event becomes; none for a COLLECT, or for a BURN of nothing (a poke)."""
    if event.kind is EventKind.SWAP:
        yield Follow(
            zero_for_one=event.amount0 > 0,
            raw_in=max(event.amount0, event.amount1),
            target=event.sqrt_price_x96,
        )
    elif event.range is not None and event.liquidity:
        if event.kind is EventKind.MINT:
            yield AddLiquidity(range=event.range, liquidity=event.liquidity)
        elif event.kind is EventKind.BURN:
            yield RemoveLiquidity(range=event.range, liquidity=event.liquidity)
