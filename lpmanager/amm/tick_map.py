"""The initialized ticks of a pool, and the search through them: the contract's bitmap."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from types import MappingProxyType

from lpmanager.amm.tick_info import TickInfo
from lpmanager.errors import LpmError
from lpmanager.model import MAX_TICK, MIN_TICK, TickRange
from lpmanager.model.tick import ceil_to_spacing

#: Ticks, in units of the spacing, to one word of the bitmap: 2**8.
_WORD_BITS = 8
_LAST_OF_WORD = (1 << _WORD_BITS) - 1


class TickDataMissing(LpmError):
    """A swap would leave the ticks that were read; read more of them and ask again."""


class TickMap:
    """Initialized ticks in rising order.

    Outside `known` nothing is known of ticks: a search stops at the first such tick.
    """

    __slots__ = ("_above_known", "_below_known", "_infos", "_order", "_spacing", "known")

    def __init__(self, spacing: int, known: TickRange, infos: Mapping[int, TickInfo]) -> None:
        self.known = known
        self._spacing = spacing
        self._infos = dict(infos)
        self._order = sorted(infos)
        self._below_known = ceil_to_spacing(known.lower, spacing) - spacing
        self._above_known = ceil_to_spacing(known.upper, spacing)

    def copy(self) -> TickMap:
        """An independent map of the same ticks."""
        return TickMap(self._spacing, self.known, self._infos)

    @property
    def infos(self) -> Mapping[int, TickInfo]:
        """What is kept of each initialized tick, to read."""
        return MappingProxyType(self._infos)

    @property
    def order(self) -> tuple[int, ...]:
        """The initialized ticks in rising order."""
        return tuple(self._order)

    def get(self, tick: int) -> TickInfo | None:
        """What is kept of a tick, None where it is not initialized."""
        return self._infos.get(tick)

    def set(self, tick: int, info: TickInfo | None) -> None:
        """Keep this of a tick; None takes the tick out."""
        if info is None:
            if self._infos.pop(tick, None) is not None:
                del self._order[bisect_left(self._order, tick)]
            return
        if tick not in self._infos:
            insort(self._order, tick)
        self._infos[tick] = info

    def stop_at_or_below(self, tick: int) -> int:
        """The tick at which a step down ends at the latest.

        As in the contract, a step never leaves the word of the bitmap its search starts in: the
        edge of the word ends it even where no tick is initialized, which changes how amounts
        round.
        """
        spacing = self._spacing
        compressed = tick // spacing
        first = compressed * spacing
        unknown = self._below_known if first in self.known else first
        stop = max((compressed >> _WORD_BITS << _WORD_BITS) * spacing, unknown, MIN_TICK)
        at = bisect_right(self._order, tick)
        if at and self._order[at - 1] > stop:
            return self._order[at - 1]
        return stop

    def stop_above(self, tick: int) -> int:
        """The tick at which a step up ends at the latest; as `stop_at_or_below`."""
        spacing = self._spacing
        compressed = tick // spacing + 1
        first = compressed * spacing
        unknown = self._above_known if first in self.known else first
        stop = min((compressed | _LAST_OF_WORD) * spacing, unknown, MAX_TICK)
        at = bisect_right(self._order, tick)
        if at < len(self._order) and self._order[at] < stop:
            return self._order[at]
        return stop

    def reach(self, tick: int) -> TickInfo | None:
        """What is kept of a tick that the price has reached. Raises TickDataMissing."""
        self.require_known(tick)
        return self._infos.get(tick)

    def require_known(self, tick: int) -> None:
        """Raise TickDataMissing where nothing is known of the tick."""
        # MAX_TICK is the end of every known range that reaches it, and in none.
        if tick not in self.known and tick != MAX_TICK:
            raise TickDataMissing(
                f"tick {tick} is needed, but ticks are known only in {self.known}; read more "
                "ticks around the price"
            )
