"""When a campaign halts itself: by what it lost in a day, or by plans that fail in a row. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from lpmanager.ledger.result import Result
from lpmanager.model import Amount, Snapshot, Stop, StopKind, Token
from lpmanager.model.token import decimal_text
from lpmanager.model.units import DAY_S

#: So many plans that fail one after the other are no coincidence.
FAILURES_IN_A_ROW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NavMark:
    """What a campaign was worth at a block, and what it had gained since it began.

    Raw units of the quote token (by its address), rounded down; deposits and withdrawals are no
    gain. `timestamp` is the block's.
    """

    timestamp: int
    quote: str
    nav: int
    gain: int

    @property
    def put_in(self) -> int:
        """What was put in until then, each deposit at its own time's price."""
        return self.nav - self.gain


def nav_mark(result: Result, snapshot: Snapshot) -> NavMark:
    """The mark of a result up to a snapshot."""
    gain = result.nav_end - result.nav_start - result.net_deposits
    return NavMark(
        timestamp=snapshot.block.timestamp,
        quote=snapshot.quote.address,
        nav=math.floor(result.nav_end),
        gain=math.floor(gain),
    )


def counts_from(times: Iterable[int], now: int) -> int:
    """The time from which marks made at `times` count: that of the last one a day old or older, so
    that looks which are further apart than a day are compared with each other."""
    day_ago = now - DAY_S
    return max((time for time in times if time <= day_ago), default=day_ago)


def loss_alarm(marks: Iterable[NavMark], now: NavMark, quote: Token, limit: Fraction) -> str | None:
    """Why the campaign has lost too much since any of the marks, or None.

    `limit` is a share of what was there at that mark, and was put in since. Marks in another quote
    token say nothing about this one.
    """
    worst: tuple[int, int, NavMark] | None = None
    for mark in marks:
        if mark.quote != now.quote:
            continue
        lost = mark.gain - now.gain
        staked = max(0, mark.nav) + max(0, now.put_in - mark.put_in)
        if lost > limit * staked and (worst is None or lost > worst[0]):
            worst = lost, staked, mark
    if worst is None:
        return None
    lost, staked, mark = worst
    since = datetime.fromtimestamp(mark.timestamp, UTC)
    return (
        f"it lost {Amount(quote, lost)} of {Amount(quote, staked)} since {since:%Y-%m-%d %H:%M} "
        f"UTC; limits.max_loss_per_day allows {decimal_text(limit * 100)} %"
    )


def failure_alarm(newest_first: Sequence[Stop | None]) -> str | None:
    """Why the last plans that were carried out or failed are reason to halt, or None."""
    last = newest_first[:FAILURES_IN_A_ROW]
    failed = [stop for stop in last if stop is not None and stop.kind is StopKind.ERROR]
    if len(failed) < FAILURES_IN_A_ROW:
        return None
    return f"{len(failed)} plans in a row failed, the last: {failed[0].reason}"
