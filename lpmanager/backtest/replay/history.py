"""What a decision may know of the past: recent swaps and the price's mean, up to its own moment."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.legs import Followed, Legs
from lpmanager.backtest.replay.tape import Tape
from lpmanager.model import Flow, SwapEvent, Twap


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows [first, behind) of a market that were replayed together, and what the pool did.

    `ticks` has the tick that each row left.
    """

    first: int
    behind: int
    legs: Legs
    went: Followed
    ticks: NDArray[np.int64]


class History:
    """The last `keep_s` seconds and a little more; older rows are forgotten."""

    def __init__(self, tape: Tape, began: int, tick: int, keep_s: int) -> None:
        """A market that began at a time, in Unix seconds, with the price at a tick."""
        self._tape = tape
        self._began = began
        self._keep_s = keep_s
        self._stretches: deque[Stretch] = deque()
        # when, and with which tick, the oldest stretch that is kept began
        self._before = (began, tick)

    def add(self, stretch: Stretch) -> None:
        """Take in what was replayed."""
        self._stretches.append(stretch)
        times = self._tape.times
        oldest = int(times[stretch.behind - 1]) - self._keep_s
        while len(self._stretches) > 1 and times[self._stretches[0].behind - 1] <= oldest:
            gone = self._stretches.popleft()
            self._before = int(times[gone.behind - 1]), int(gone.ticks[-1])

    def flow(self, now: int, block: int, window_s: int) -> Flow | None:
        """All swaps of the last `window_s` seconds, or since the market began; None at that very
        moment."""
        since = max(now - window_s, self._began)
        if now <= since:
            return None
        swaps: list[SwapEvent] = []
        for stretch in self._stretches:
            first = max(stretch.first, int(np.searchsorted(self._tape.times, since, "right")))
            if first < stretch.behind:
                swaps += self._tape.swaps(first, stretch.behind, stretch.legs, stretch.went)
        first_block = swaps[0].block_number if swaps else block
        return Flow(from_block=first_block, seconds=now - since, swaps=tuple(swaps))

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
