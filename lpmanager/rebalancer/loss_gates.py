"""The gates on what may be lost with the ranges that a change would leave."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from lpmanager.model import Gate
from lpmanager.rebalancer.at_stake import stake_after
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.day_of import day_of, day_words, past_days, past_words
from lpmanager.rebalancer.judging import Asked, gate_of, judged
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.cvar import TailLoss
from lpmanager.risk.ladder import ladder
from lpmanager.risk.missing import Missing
from lpmanager.risk.stake import Stake
from lpmanager.risk.tomorrow import CONFIDENCE, tail_of_days, tail_tomorrow

#: The fall of the base token within one block that `max_crash_loss` is about.
CRASH = -0.20


def loss_gates(
    view: View, outlook: Outlook, candidate: Candidate, gas: Fraction, appetite: Appetite
) -> tuple[Gate, ...]:
    """What a crash and a bad day take of what the candidate leaves; `gas` in raw quote units."""
    if appetite.max_crash_loss is None and appetite.max_cvar is None:
        return ()
    stake = stake_after(view, outlook, candidate, gas)
    return (
        *_crash(stake, appetite),
        *_day(view, outlook, stake, appetite),
        *_past(view, stake, appetite),
    )


def _crash(stake: Stake, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_crash_loss
    if limit is None:
        return ()
    asked = Asked(
        "crash", f"{float(limit):.1%}", f"loss where the base token falls {-CRASH:.0%} in one block"
    )
    (rung,) = ladder(stake, moves=[CRASH])
    return (gate_of(asked, passed=-rung.change <= limit, measured=f"{-rung.change:.1%}"),)


def _day(view: View, outlook: Outlook, stake: Stake, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_cvar
    if limit is None:
        return ()
    model = day_of(view, outlook, appetite)
    tail = model if isinstance(model, Missing) else tail_tomorrow(stake, model)
    asked = _asked_of_days("CVaR of a day", limit, f"of days {day_words(appetite)}")
    return judged(asked, tail, _within(limit, stake), appetite)


def _past(view: View, stake: Stake, appetite: Appetite) -> tuple[Gate, ...]:
    """Asked only where enough of the past is known: it makes the limit stricter, and what few know
    closes nothing."""
    limit = appetite.max_cvar
    days = None if limit is None else past_days(view)
    if limit is None or days is None or isinstance(days, Missing):
        return ()
    asked = _asked_of_days("CVaR of past days", limit, past_words(days))
    return judged(asked, tail_of_days(stake, days), _within(limit, stake), appetite)


def _asked_of_days(name: str, limit: Fraction, days: str) -> Asked:
    return Asked(name, f"{float(limit):.2%}", f"mean loss of the worst {1 - CONFIDENCE:.1%} {days}")


def _within(limit: Fraction, stake: Stake) -> Callable[[TailLoss], tuple[bool, str]]:
    whole = stake.value(stake.sqrt_price)
    return lambda found: (found.cvar <= limit * whole, f"{found.cvar / whole:.2%}")
