"""What a campaign can lose by tomorrow, and in a crash."""

from __future__ import annotations

import math

from lpmanager.model import TickRange
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.day_of import day_of, day_words, past_days, past_words
from lpmanager.rebalancer.staying import stay_chance
from lpmanager.rebalancer.swing_gates import swing_between_moves
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook, expected_seconds_in_range
from lpmanager.risk.cvar import TailLoss
from lpmanager.risk.gap import expected_exit_seconds, log_distances
from lpmanager.risk.ladder import FALLS, ladder
from lpmanager.risk.limits import Limits
from lpmanager.risk.lookback import expected_log_range
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.stake import Stake
from lpmanager.risk.tomorrow import CONFIDENCE, HORIZON_S, tail_of_days, tail_tomorrow

_STILL = Missing("a price that does not move leaves no range")


def tomorrow_measures(
    view: View,
    outlook: Outlook,
    stake: Stake,
    limits: Limits,
    history: PricePath | None = None,
) -> tuple[Measure, ...]:
    """Over a day of a driftless price that stays as volatile as it was; the losses by the model
    that the appetite gives, where it gives one, and by past days, of the view or of `history`."""
    appetite, swing = limits.appetite, swing_between_moves(outlook, limits)
    model, base = day_of(view, outlook, appetite), _base_range(view)
    tail = model if isinstance(model, Missing) else tail_tomorrow(stake, model)
    spread = expected_log_range(outlook.variance_rate, HORIZON_S)
    past = past_days(view, history)
    past_tail = past if isinstance(past, Missing) else tail_of_days(stake, past)
    words = "of past days" if isinstance(past, Missing) else past_words(past)
    no_range = Missing("the campaign has no range")
    return (
        *_tail_measures("", tail, f"of days {day_words(appetite)}"),
        *_tail_measures(", historical", past_tail, f"{words}, with what is held now"),
        _measure(
            "expected high over low",
            math.expm1(spread),
            Unit.SHARE,
            "how far apart the day's prices should be",
        ),
        _measure(
            "width over swing",
            no_range if base is None else _STILL if not swing.log_range else swing.widths(base),
            Unit.RATIO,
            f"of the widest range, over the high over low of the {swing.seconds:.0f} s that a move "
            "has to last",
        ),
        _measure(
            "chance to stay in range",
            no_range
            if base is None
            else stay_chance(view.snapshot.state.tick, base, outlook.variance_rate),
            Unit.SHARE,
            "never to leave the widest range within the day",
        ),
        _measure(
            "expected exit",
            no_range if base is None else _exit(view, outlook, base),
            Unit.SECONDS,
            "until the price first leaves that range",
        ),
        _measure(
            "time in range",
            no_range if base is None else _inside(view, outlook, base),
            Unit.SHARE,
            "of the day, the price may come back",
        ),
    )


def crash_measures(stake: Stake) -> tuple[Measure, ...]:
    """The value after the base token fell within one block, before anybody can act."""
    if stake.value(stake.sqrt_price) <= 0:
        return ()
    return tuple(
        Measure(
            question=Question.CRASH,
            name=f"price {rung.move:+.0%}",
            value=rung.change,
            unit=Unit.SHARE,
            meaning=f"value {rung.value:,.2f}, of which {rung.base_weight:.0%} in the base token",
        )
        for rung in ladder(stake, moves=FALLS)
    )


def _tail_measures(kind: str, tail: TailLoss | Missing, days: str) -> tuple[Measure, ...]:
    worst = f"{days}: one in {1 / (1 - CONFIDENCE):.0f} loses"
    return (
        _measure(
            f"value at risk{kind}",
            tail if isinstance(tail, Missing) else tail.value_at_risk,
            Unit.QUOTE,
            f"{worst} at least that",
        ),
        _measure(
            f"CVaR{kind}",
            tail if isinstance(tail, Missing) else tail.cvar,
            Unit.QUOTE,
            f"{worst} that, on average",
        ),
    )


def _base_range(view: View) -> TickRange | None:
    ranges = [position.range for position in view.snapshot.positions]
    return max(ranges, key=lambda each: each.width, default=None)


def _exit(view: View, outlook: Outlook, base: TickRange) -> float | Missing:
    if outlook.variance_rate == 0:
        return _STILL
    to_lower, to_upper = log_distances(view.snapshot.state.tick, base)
    return expected_exit_seconds(
        to_lower=to_lower, to_upper=to_upper, variance_rate=outlook.variance_rate
    )


def _inside(view: View, outlook: Outlook, base: TickRange) -> float:
    tick = view.snapshot.state.tick
    seconds = expected_seconds_in_range(tick, base, outlook.variance_rate, HORIZON_S)
    return seconds / HORIZON_S


def _measure(name: str, value: float | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.TOMORROW, name=name, value=value, unit=unit, meaning=meaning)
