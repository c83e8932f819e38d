"""Windows of a market for walking forward: fitted on one, judged on the next."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lpmanager.backtest.fast.columns import FastRows
from lpmanager.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The rows [first, last) of a market, and the times they span, in Unix seconds."""

    first: int
    last: int
    start: int
    end: int


def windows_of(rows: FastRows, count: int) -> tuple[Window, ...]:
    """So many windows of equal time. Raises UsageError where one of them would have no row."""
    begin, end = rows.start_time, int(rows.time[-1])
    edges = [begin + (end - begin) * number // count for number in range(count + 1)]
    cuts = [0, *np.searchsorted(rows.time, edges[1:-1], side="right").tolist(), len(rows.time)]
    windows = tuple(
        Window(first=first, last=last, start=edges[number], end=edges[number + 1])
        for number, (first, last) in enumerate(pairwise(cuts))
    )
    for window in windows:
        if window.first >= window.last:
            raise UsageError(
                f"--windows: {count} windows are too many for {len(rows.time):,} rows: one of "
                "them has none"
            )
    return windows
