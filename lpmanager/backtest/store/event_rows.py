"""Events of a pool as the rows of a market."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lpmanager.amm.fast.packing import Rows, to_limbs
from lpmanager.backtest.markets.market import KINDS, Change, Events
from lpmanager.backtest.markets.senders import Senders
from lpmanager.chain.event_log import LogKind, PoolEvent, Standing
from lpmanager.errors import MarketDataError

_KIND_NUMBERS = {LogKind(str(kind)): number for number, kind in enumerate(KINDS)}


def rows_from(told: Sequence[tuple[PoolEvent, Standing]]) -> Events:
    """A row for each event but INITIALIZE, with where the pool stood behind it.

    Raises MarketDataError for an amount that does not fit 128 bits.
    """
    told = [(event, after) for event, after in told if event.kind is not LogKind.INITIALIZE]
    events = [event for event, _ in told]
    standings = [after for _, after in told]
    return Events(
        block=np.array([event.block for event in events], np.int64),
        time=np.array([event.time for event in events], np.int64),
        kind=np.array([_KIND_NUMBERS[event.kind] for event in events], np.uint8),
        amount0=_amounts(events, [event.amount0 for event in events]),
        amount1=_amounts(events, [event.amount1 for event in events]),
        sqrt_price=to_limbs([after.sqrt_price_x96 for after in standings], 3),
        liquidity=to_limbs([after.liquidity for after in standings], 2),
        tick=np.array([after.tick for after in standings], np.int32),
        changes={
            row: Change(range=event.range, liquidity=event.liquidity, owner=event.owner)
            for row, event in enumerate(events)
            if event.kind in (LogKind.MINT, LogKind.BURN) and event.range is not None
        },
        senders=Senders.of(event.sender or "" for event in events),
    )


def _amounts(events: Sequence[PoolEvent], raw: list[int]) -> Rows:
    for event, amount in zip(events, raw, strict=True):
        if not -(2**127) <= amount < 2**127:
            raise MarketDataError(
                f"block {event.block}, log {event.log_index}: expected an amount of at most 127 "
                f"bits, found {amount}; such a token cannot be backtested"
            )
    return to_limbs(raw, 2, signed=True)
