"""Whether a new range is wide enough for what the price does until the next move."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lpmanager.model import Gate, Mint, TickRange
from lpmanager.model.units import DAY_S, LOG_TICK
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.day_of import variance_ahead
from lpmanager.rebalancer.judging import Asked, judged
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.limits import Limits
from lpmanager.risk.lookback import expected_log_range
from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """The highest over the lowest price, in logs, that is expected within so many seconds."""

    log_range: float
    seconds: float

    def widths(self, tick_range: TickRange) -> float:
        """How many times as wide a range is; without end where the price stands still."""
        width = tick_range.width * LOG_TICK
        return width / self.log_range if self.log_range > 0 else math.inf


def move_lasts_s(limits: Limits) -> float:
    """The time that one move has to last: a day over the moves that it may have, and never less
    than the pause between two."""
    return max(DAY_S / max(limits.max_moves_per_day, 1), limits.min_interval_s)


def swing_between_moves(view: View, outlook: Outlook, limits: Limits) -> Swing | Missing:
    """What is expected in the time that one move has to last: of a driftless price as volatile as
    now, or as the appetite's model is on average. Missing where that is too old."""
    seconds = move_lasts_s(limits)
    rate = variance_ahead(view, outlook, limits.appetite, seconds)
    if isinstance(rate, Missing):
        return rate
    return Swing(log_range=expected_log_range(rate, seconds), seconds=seconds)


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
    swing = swing_between_moves(view, outlook, limits)
    asked = Asked(
        "swing",
        f"{float(least):.2f} times",
        f"width of the new range, {narrowest.width} ticks, over the {_ticks_word(swing)} from low "
        f"to high that are expected in the {move_lasts_s(limits):.0f} s that a move has to last",
    )

    def judge(found: Swing) -> tuple[bool, str]:
        widths = found.widths(narrowest)
        words = f"{widths:.2f} times" if math.isfinite(widths) else "the price stands still"
        return widths >= least, words

    return judged(asked, swing, judge, limits.appetite)


def _ticks_word(swing: Swing | Missing) -> str:
    if isinstance(swing, Missing):
        return "ticks"
    return f"{math.ceil(swing.log_range / LOG_TICK)} ticks"
