"""The gates on what may be lost with the ranges that a change would leave."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from lpmanager.model import Gate
from lpmanager.rebalancer.at_stake import stake_after
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.day_of import Days, day_words, past_words
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
    view: View,
    outlook: Outlook,
    candidate: Candidate,
    gas: Fraction,
    appetite: Appetite,
    days: Days | None,
) -> tuple[Gate, ...]:
    """What a crash and a bad day take of what the candidate leaves; `gas` in raw quote units,
    `days` as in `days_asked`."""
    if appetite.max_crash_loss is None and days is None:
        return ()
    stake = stake_after(view, outlook, candidate, gas)
    return (
        *_crash(stake, appetite),
        *_day(stake, days, appetite),
        *_past(stake, days, appetite),
    )


def _crash(stake: Stake, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_crash_loss
    if limit is None:
        return ()
    asked = Asked(
        "crash", f"{float(limit):.1%}", f"loss where the base token falls {-CRASH:.0%} in one block"
    )
    (rung,) = ladder(stake, moves=[CRASH])
    return (gate_of(asked, passed=-rung.change <= limit, measured=f"{-rung.change:z.1%}"),)


def _day(stake: Stake, days: Days | None, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_cvar
    if limit is None or days is None:
        return ()
    model = days.model
    tail = model if isinstance(model, Missing) else tail_tomorrow(stake, model)
    words = f"of days {day_words(appetite)}"
    if isinstance(days.past, Missing):
        words += f"; past days are left out: {days.past.reason}"
    asked = _asked_of_days("CVaR of a day", limit, words)
    return judged(asked, tail, _within(limit, stake), appetite)


def _past(stake: Stake, days: Days | None, appetite: Appetite) -> tuple[Gate, ...]:
    """It makes the limit stricter where enough of the past is known, or was asked for."""
    limit = appetite.max_cvar
    if limit is None or days is None:
        return ()
    past = days.past
    if isinstance(past, Missing):
        asked = _asked_of_days("CVaR of past days", limit, "of past days")
        return judged(asked, past, _within(limit, stake), appetite) if days.past_asked else ()
    asked = _asked_of_days("CVaR of past days", limit, past_words(past))
    return judged(asked, tail_of_days(stake, past), _within(limit, stake), appetite)


def _asked_of_days(name: str, limit: Fraction, days: str) -> Asked:
    return Asked(name, f"{float(limit):.2%}", f"mean loss of the worst {1 - CONFIDENCE:.1%} {days}")


def _within(limit: Fraction, stake: Stake) -> Callable[[TailLoss], tuple[bool, str]]:
    whole = stake.value(stake.sqrt_price)
    return lambda found: (found.cvar <= limit * whole, f"{found.cvar / whole:z.2%}")
