"""What a decision may know of the past: recent swaps and the price's mean, up to its own moment."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.legs import Followed, Legs
from lpmanager.backtest.replay.tape import Tape
from lpmanager.model import Flow, SwapColumns, Twap


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows [first, behind) of a market that were replayed together, and what the pool did; at
    least one row.

    `ticks` has the tick that each row left.
    """

    first: int
    behind: int
    legs: Legs
    went: Followed
    ticks: NDArray[np.int64]


class History:
    """The last `keep_s` seconds and a little more; older rows are forgotten."""

    def __init__(
        self, tape: Tape, began: int, tick: int, *, keep_s: int, block_s: Fraction
    ) -> None:
        """A market that began at a time, in Unix seconds, with the price at a tick."""
        self._tape = tape
        self._block_s = block_s
        self._began = began
        self._keep_s = keep_s
        self._stretches: deque[Stretch] = deque()
        # the swaps of each stretch that was asked for as a whole, by its first row
        self._told: dict[int, SwapColumns] = {}
        # when, and with which tick, the oldest stretch that is kept began
        self._before = (began, tick)

    def add(self, stretch: Stretch) -> None:
        """Take in what was replayed."""
        self._stretches.append(stretch)
        times = self._tape.times
        oldest = int(times[stretch.behind - 1]) - self._keep_s
        while len(self._stretches) > 1 and times[self._stretches[0].behind - 1] <= oldest:
            gone = self._stretches.popleft()
            self._told.pop(gone.first, None)
            self._before = int(times[gone.behind - 1]), int(gone.ticks[-1])

    def flow(self, now: int, block: int, window_s: int) -> Flow | None:
        """All swaps of the last `window_s` seconds, or since the market began; None at that very
        moment."""
        since = max(now - window_s, self._began)
        if now <= since:
            return None
        parts: list[SwapColumns] = []
        first = int(np.searchsorted(self._tape.times, since, "right"))
        for stretch in self._stretches:
            if first <= stretch.first:
                parts.append(self._swaps_of(stretch))
            elif first < stretch.behind:
                behind, legs, went = stretch.behind, stretch.legs, stretch.went
                parts.append(self._tape.swaps(first, behind, legs, went))
        swaps = SwapColumns.joined(parts)
        earliest = swaps.block_numbers[0] if swaps else block
        from_block = min(self._block_after(since, first), earliest)
        return Flow(from_block=from_block, seconds=now - since, swaps=swaps)

    def _block_after(self, time: int, behind: int) -> int:
        """The first block after a time, by the chain's pace from the row before `behind`, the last
        that was by then."""
        row = max(behind - 1, 0)
        passed = max(time - int(self._tape.times[row]), 0)
        return int(self._tape.blocks[row]) + passed // self._block_s + 1

    def _swaps_of(self, stretch: Stretch) -> SwapColumns:
        """Told once: decisions often look back on the same rows."""
        first = stretch.first
        if first not in self._told:
            behind, legs, went = stretch.behind, stretch.legs, stretch.went
            self._told[first] = self._tape.swaps(first, behind, legs, went)
        return self._told[first]

    def twap(self, now: int, window_s: int) -> Twap | None:
        """The oracle's readings over a window; None where the market began within it."""
        since = now - window_s
        if since < self._began:
            return None
        began, tick = self._before
        rows = [self._tape.times[s.first : s.behind] for s in self._stretches]
        times = np.concatenate([[began], *rows, [now]])
        ticks = np.concatenate([[tick], *(s.ticks for s in self._stretches)])
        lasted = np.diff(np.clip(times, since, now))
        return Twap(
            window_s=window_s,
            tick_cumulative_then=0,
            tick_cumulative_now=int((lasted * ticks).sum()),
        )
