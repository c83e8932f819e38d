"""The gates of a campaign's appetite for risk: asked of estimates, and only where it gives a limit.

A gate whose estimate cannot be made is closed, or left out where the appetite says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from lpmanager.model import Gate, Mint
from lpmanager.rebalancer.at_stake import stake_after
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.economics import fee_rate
from lpmanager.rebalancer.tempering import regime_of
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import Appetite, WhereMissing
from lpmanager.risk.cvar import TailLoss
from lpmanager.risk.jumps import seconds_since_jump
from lpmanager.risk.ladder import ladder
from lpmanager.risk.lvr import break_even_fee_rate, fee_to_lvr
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import markouts
from lpmanager.risk.order_flow.toxicity import Toxicity, toxicity
from lpmanager.risk.price_path import path_of
from lpmanager.risk.regimes.hysteresis import RegimeReading
from lpmanager.risk.stake import Stake
from lpmanager.risk.tomorrow import CONFIDENCE, tail_tomorrow

T = TypeVar("T")

#: The fall of the base token within one block that `max_crash_loss` is about.
CRASH = -0.20


def placing_gates(view: View, outlook: Outlook, appetite: Appetite) -> tuple[Gate, ...]:
    """What is asked of the market before anything is placed."""
    return (
        *_pay(view, outlook, appetite),
        *_toxic(view, appetite),
        *_jump(view, appetite),
        *_regime(view, appetite),
    )


def loss_gates(
    view: View, outlook: Outlook, candidate: Candidate, gas: Fraction, appetite: Appetite
) -> tuple[Gate, ...]:
    """What is asked of the ranges that a change would leave; `gas` in raw quote units."""
    if appetite.max_crash_loss is None and appetite.max_cvar is None:
        return ()
    stake = stake_after(view, outlook, candidate, gas)
    return (*_crash(stake, appetite), *_day(stake, outlook, appetite))


def places_anything(candidate: Candidate) -> bool:
    """Whether the candidate puts tokens into a range."""
    return any(isinstance(action, Mint) for action in candidate.actions)


def pay_of(view: View, outlook: Outlook) -> float | Missing:
    """Fees over LVR of a unit of the liquidity that is active now."""
    active = view.snapshot.state.liquidity
    if active == 0:
        return Missing("fees over LVR needs active liquidity, found 0")
    lvr = break_even_fee_rate(math.sqrt(view.snapshot.price.ratio), outlook.variance_rate)
    return fee_to_lvr(fee_rate(view, outlook, active), lvr)


def toxicity_of(view: View) -> Toxicity | Missing:
    """The toxicity of the snapshot's flow."""
    found = markouts(view.snapshot)
    return found if isinstance(found, Missing) else toxicity(found)


def jump_of(view: View) -> int | Missing | None:
    """Seconds since the price last jumped in the snapshot's flow; None where it has not."""
    path = path_of(view.snapshot)
    return path if isinstance(path, Missing) else seconds_since_jump(path)


def crash_loss(stake: Stake) -> float:
    """The share of the stake's value that is lost where the base token falls by a fifth at once."""
    (rung,) = ladder(stake, moves=[CRASH])
    return -rung.change


@dataclass(frozen=True, slots=True)
class _Question:
    """What a gate asks, before it is known."""

    name: str
    limit: str
    reason: str


def _pay(view: View, outlook: Outlook, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.min_fee_to_lvr
    if limit is None:
        return ()
    question = _Question(
        "fees over LVR",
        f"{float(limit):.2f}",
        "what a unit of active liquidity is paid over what arbitrage takes from it",
    )
    ratio = pay_of(view, outlook)
    return _judged(question, ratio, lambda found: (found >= limit, f"{found:.2f}"), appetite)


def _toxic(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_toxic_share
    if limit is None:
        return ()
    question = _Question(
        "toxic flow",
        f"{float(limit):.1%}",
        "volume after which the price went on against its providers by more than the fee",
    )

    def judge(found: Toxicity) -> tuple[bool, str]:
        return found.toxic_share <= limit, f"{found.toxic_share:.1%}"

    return _judged(question, toxicity_of(view), judge, appetite)


def _jump(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    pause = appetite.pause_after_jump_s
    if pause is None:
        return ()
    question = _Question("jump", f"{pause} s", "time since the price last jumped")
    since = jump_of(view)
    if since is None:
        return (_gate(question, passed=True, measured="none found"),)
    return _judged(question, since, lambda found: (found >= pause, f"{found} s ago"), appetite)


def _regime(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    """Open in every regime that is known: what it changes is in the target and the limits."""
    if not appetite.regimes:
        return ()
    question = _Question("regime", "known", "recent volatility over that of the whole history")

    def judge(found: RegimeReading) -> tuple[bool, str]:
        return True, f"{found.regime} ({found.ratio:.2f})"

    return _judged(question, regime_of(view.snapshot), judge, appetite)


def _crash(stake: Stake, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_crash_loss
    if limit is None:
        return ()
    question = _Question(
        "crash", f"{float(limit):.1%}", f"loss where the base token falls {-CRASH:.0%} in one block"
    )
    lost = crash_loss(stake)
    return (_gate(question, passed=lost <= limit, measured=f"{lost:.1%}"),)


def _day(stake: Stake, outlook: Outlook, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_cvar
    if limit is None:
        return ()
    question = _Question(
        "CVaR of a day",
        f"{float(limit):.2%}",
        f"mean loss of the worst {1 - CONFIDENCE:.1%} of days as volatile as now",
    )
    whole = stake.value(stake.sqrt_price)

    def judge(found: TailLoss) -> tuple[bool, str]:
        return found.cvar <= limit * whole, f"{found.cvar / whole:.2%}"

    return _judged(question, tail_tomorrow(stake, outlook.variance_rate), judge, appetite)


def _judged(
    question: _Question,
    estimate: T | Missing,
    judge: Callable[[T], tuple[bool, str]],
    appetite: Appetite,
) -> tuple[Gate, ...]:
    """The gate, by what `judge` says of the estimate: whether it passes, and what was measured."""
    if not isinstance(estimate, Missing):
        passed, measured = judge(estimate)
        return (_gate(question, passed=passed, measured=measured),)
    if appetite.where_missing is WhereMissing.IGNORE:
        return ()
    unknown = _gate(question, passed=False, measured="unknown")
    return (replace(unknown, reason=f"{question.reason}: {estimate.reason}"),)


def _gate(question: _Question, *, passed: bool, measured: str) -> Gate:
    return Gate(
        name=question.name,
        passed=passed,
        measured=measured,
        limit=question.limit,
        reason=question.reason,
    )
