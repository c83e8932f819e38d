"""What a campaign can lose by tomorrow, and in a crash."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import chain

from lpmanager.model import TickRange
from lpmanager.rebalancer.assessment.measure import HOLDS_NOTHING, Measure, Question, Unit
from lpmanager.rebalancer.day_of import day_of, day_words, past_days, past_words, variance_ahead
from lpmanager.rebalancer.staying import stay_chance
from lpmanager.rebalancer.swing_gates import Swing, move_lasts_s, swing_between_moves
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook, expected_seconds_in_range
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.cvar import TailLoss
from lpmanager.risk.gap import expected_exit_seconds, log_distances
from lpmanager.risk.ladder import FALLS, Rung, ladder
from lpmanager.risk.limits import Limits
from lpmanager.risk.lookback import expected_log_range
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.stake import Stake
from lpmanager.risk.tomorrow import CONFIDENCE, HORIZON_S, DayModel, tail_of_days, tail_tomorrow

_STILL = Missing("a price that does not move leaves no range")
_NO_RANGE = Missing("the campaign has no range")


def tomorrow_measures(
    view: View,
    outlook: Outlook,
    stake: Stake,
    limits: Limits,
    history: PricePath | None = None,
) -> tuple[Measure, ...]:
    """Over a day of a driftless price as volatile as now, or of the model that the appetite gives;
    what past days, of the view or of `history`, would have cost stands beside it."""
    return (
        *_loss_measures(view, outlook, stake, limits.appetite, history),
        *_width_measures(view, outlook, limits),
    )


def crash_measures(stake: Stake) -> tuple[Measure, ...]:
    """What is left, and of what, where the base token falls within one block, before anybody can
    act. It needs no outlook."""
    if stake.value(stake.sqrt_price) <= 0:
        return (_in_a_crash("all of it", HOLDS_NOTHING, Unit.WORD, "what a fall would take"),)
    return tuple(chain.from_iterable(map(_rung_measures, ladder(stake, moves=FALLS))))


def _rung_measures(rung: Rung) -> tuple[Measure, ...]:
    fall = f"{rung.move:+.0%}"
    return (
        _in_a_crash(f"price {fall}", rung.change, Unit.SHARE, "change of the value, in one block"),
        _in_a_crash(f"value at {fall}", rung.value, Unit.QUOTE, "what is left"),
        _in_a_crash(
            f"weight of base at {fall}", rung.base_weight, Unit.SHARE, "of it, in the base token"
        ),
    )


def _in_a_crash(name: str, value: float | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.CRASH, name=name, value=value, unit=unit, meaning=meaning)


def _loss_measures(
    view: View, outlook: Outlook, stake: Stake, appetite: Appetite, history: PricePath | None
) -> tuple[Measure, ...]:
    model: DayModel | Missing = HOLDS_NOTHING
    past: tuple[float, ...] | Missing = HOLDS_NOTHING
    if stake.value(stake.sqrt_price) > 0:
        model, past = day_of(view, outlook, appetite), past_days(view, history)
    tail = model if isinstance(model, Missing) else tail_tomorrow(stake, model)
    past_tail = past if isinstance(past, Missing) else tail_of_days(stake, past)
    words = "of past days" if isinstance(past, Missing) else past_words(past)
    return (
        *_tail_measures("", tail, f"of days {day_words(appetite)}"),
        *_tail_measures(", historical", past_tail, f"{words}, with what is held now"),
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


def _width_measures(view: View, outlook: Outlook, limits: Limits) -> tuple[Measure, ...]:
    """Of the widest range, and of the swing that it stands in."""
    base, tick = _base_range(view), view.snapshot.state.tick
    rate = variance_ahead(view, outlook, limits.appetite, HORIZON_S)

    def of_range(estimate: Callable[[TickRange, float], float | Missing]) -> float | Missing:
        if base is None:
            return _NO_RANGE
        return rate if isinstance(rate, Missing) else estimate(base, rate)

    days = day_words(limits.appetite)
    return (
        _measure(
            "expected high over low",
            rate if isinstance(rate, Missing) else math.expm1(expected_log_range(rate, HORIZON_S)),
            Unit.SHARE,
            f"how far apart the prices of a day {days} should be: of the mean of its log, so a "
            "little below the mean",
        ),
        _measure(
            "width over swing",
            _widths(base, swing_between_moves(view, outlook, limits)),
            Unit.RATIO,
            f"of the widest range, over the high over low of the {move_lasts_s(limits):.0f} s that "
            "a move has to last",
        ),
        _measure(
            "chance to stay in range",
            of_range(partial(stay_chance, tick)),
            Unit.SHARE,
            f"never to leave the widest range within the day, {days}",
        ),
        _measure(
            "expected exit",
            of_range(partial(_exit, tick)),
            Unit.SECONDS,
            "until the price first leaves that range",
        ),
        _measure(
            "time in range",
            of_range(partial(_inside, tick)),
            Unit.SHARE,
            "of the day, the price may come back",
        ),
    )


def _widths(base: TickRange | None, swing: Swing | Missing) -> float | Missing:
    if base is None:
        return _NO_RANGE
    if isinstance(swing, Missing):
        return swing
    return swing.widths(base) if swing.log_range else _STILL


def _base_range(view: View) -> TickRange | None:
    ranges = [position.range for position in view.snapshot.positions]
    return max(ranges, key=lambda each: each.width, default=None)


def _exit(tick: int, base: TickRange, variance_rate: float) -> float | Missing:
    if variance_rate == 0:
        return _STILL
    to_lower, to_upper = log_distances(tick, base)
    return expected_exit_seconds(to_lower=to_lower, to_upper=to_upper, variance_rate=variance_rate)


def _inside(tick: int, base: TickRange, variance_rate: float) -> float:
    return expected_seconds_in_range(tick, base, variance_rate, HORIZON_S) / HORIZON_S


def _measure(name: str, value: float | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.TOMORROW, name=name, value=value, unit=unit, meaning=meaning)
