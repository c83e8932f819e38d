"""Where a swap's next step ends: the contract's search through its bitmap of ticks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import attrgetter

from lpmanager.errors import LpmError
from lpmanager.model import MAX_TICK, MIN_TICK, PoolState, TickState
from lpmanager.model.tick import ceil_to_spacing, floor_to_spacing

#: Ticks (in units of the spacing) to one word of the bitmap.
WORD = 256

_tick_of = attrgetter("tick")


class TickDataMissing(LpmError):
    """A swap would leave the ticks that were read; read more of them and ask again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The tick at which a step ends at the latest.

    `initialized` is None where no liquidity changes. Where not `known`, nothing is known of the
    tick, and a price that reaches it has left the data.
    """

    tick: int
    initialized: TickState | None
    known: bool


def next_stop_down(state: PoolState, tick_spacing: int) -> Stop:
    """The first stop at or below the current tick.

    As in the contract, a step never leaves the word of the bitmap its search starts in: the edge
    of the word ends it even where no tick is initialized, which changes how amounts round.
    """
    first = floor_to_spacing(state.tick, tick_spacing)
    word_edge = floor_to_spacing(first, WORD * tick_spacing)
    unknown = first
    if first in state.known:
        unknown = ceil_to_spacing(state.known.lower, tick_spacing) - tick_spacing
    found = state.ticks[: bisect_right(state.ticks, first, key=_tick_of)][-1:]
    tick = max(word_edge, unknown, MIN_TICK, *(t.tick for t in found))
    return _stop(state, tick, found)


def next_stop_up(state: PoolState, tick_spacing: int) -> Stop:
    """The first stop above the current tick; it ends at a word's edge as `next_stop_down`."""
    first = floor_to_spacing(state.tick, tick_spacing) + tick_spacing
    word_edge = floor_to_spacing(first, WORD * tick_spacing) + (WORD - 1) * tick_spacing
    unknown = first
    if first in state.known:
        unknown = ceil_to_spacing(state.known.upper, tick_spacing)
    at = bisect_left(state.ticks, first, key=_tick_of)
    found = state.ticks[at : at + 1]
    tick = min(word_edge, unknown, MAX_TICK, *(t.tick for t in found))
    return _stop(state, tick, found)


def _stop(state: PoolState, tick: int, found: tuple[TickState, ...]) -> Stop:
    initialized = next((t for t in found if t.tick == tick), None)
    # No price reaches MAX_TICK, so nothing need be known of it.
    known = tick in state.known or tick == MAX_TICK
    return Stop(tick=tick, initialized=initialized, known=known)
