"""Whether a new range is wide enough for what the price does until the next move."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lpmanager.model import Gate, Mint, TickRange
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.judging import Asked, gate_of
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.limits import Limits
from lpmanager.risk.lookback import expected_log_range

_DAY_S = 86_400
_LOG_TICK = math.log(1.0001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """The highest over the lowest price, in logs, that is expected within so many seconds."""

    log_range: float
    seconds: float

    def widths(self, tick_range: TickRange) -> float:
        """How many times as wide a range is; without end where the price stands still."""
        width = tick_range.width * _LOG_TICK
        return width / self.log_range if self.log_range > 0 else math.inf


def swing_between_moves(outlook: Outlook, limits: Limits) -> Swing:
    """What is expected in the time that one move has to last: a day over the moves that it may
    have, and never less than the pause between two. For a driftless price as volatile as now."""
    seconds = max(_DAY_S / max(limits.max_moves_per_day, 1), limits.min_interval_s)
    return Swing(log_range=expected_log_range(outlook.variance_rate, seconds), seconds=seconds)


def swing_gates(
    view: View, outlook: Outlook, candidate: Candidate, limits: Limits
) -> tuple[Gate, ...]:
    """Of the narrowest new range that holds the price; an order beside it waits for the price."""
    least, tick = limits.appetite.min_width_to_swing, view.snapshot.state.tick
    minted = [action.range for action in candidate.actions if isinstance(action, Mint)]
    around = [tick_range for tick_range in minted if tick in tick_range]
    if least is None or not around:
        return ()
    narrowest = min(around, key=lambda tick_range: tick_range.width)
    swing = swing_between_moves(outlook, limits)
    widths, ticks = swing.widths(narrowest), math.ceil(swing.log_range / _LOG_TICK)
    asked = Asked(
        "swing",
        f"{float(least):.2f} times",
        f"width of the new range, {narrowest.width} ticks, over the {ticks} ticks from low to high "
        f"that are expected in the {swing.seconds:.0f} s that a move has to last",
    )
    measured = f"{widths:.2f} times" if math.isfinite(widths) else "the price stands still"
    return (gate_of(asked, passed=widths >= least, measured=measured),)
