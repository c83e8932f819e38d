"""The days that a campaign's losses are told by: of a model, and those that were."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lpmanager.model.units import DAY_S, HOUR_S
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath, path_of
from lpmanager.risk.tomorrow import DAYS_NEEDED, HORIZON_S, DayModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days that `max_cvar` is asked of.

    `past_asked`: whether the history was set so long that past days are meant to count. A shorter
    one mostly has too few, and where it does, only the model is asked.
    """

    model: DayModel | Missing
    past: tuple[float, ...] | Missing
    past_asked: bool


def days_asked(view: View, outlook: Outlook, limits: Limits) -> Days | None:
    """Those days; None where the appetite has no such limit."""
    if limits.appetite.max_cvar is None:
        return None
    return Days(
        model=day_of(view, outlook, limits.appetite),
        past=past_days(view),
        past_asked=limits.history_s >= DAYS_NEEDED * HORIZON_S,
    )


def day_of(view: View, outlook: Outlook, appetite: Appetite) -> DayModel | Missing:
    """The volatility of now, or the model of the appetite; Missing where that is too old."""
    if appetite.heston is None:
        return outlook.variance_rate
    return appetite.heston.at(view.snapshot.block.timestamp)


def variance_ahead(
    view: View, outlook: Outlook, appetite: Appetite, seconds: float
) -> float | Missing:
    """Variance of the log price per second over so many seconds from now on; Missing as in
    `day_of`. What a Brownian price is asked for, `Heston` answers by the mean of its variance:
    that stands in for the law, whose tails are fatter."""
    model = day_of(view, outlook, appetite)
    if isinstance(model, Heston):
        return model.mean_variance(seconds / DAY_S) / DAY_S
    return model


def past_days(view: View, history: PricePath | None = None) -> tuple[float, ...] | Missing:
    """Moves of the log price, quote per base, over each past day that ended a whole number of hours
    before the view's block, the newest last; where more of the price is known than the view tells,
    `history` has it.

    Days that begin an hour apart share most of their hours: they are more than a day's end would
    tell of the same time, not more time. Missing where there are fewer than `DAYS_NEEDED` days.
    """
    snapshot = view.snapshot
    path = _flow_of_days(view) if history is None else history
    if isinstance(path, Missing):
        return path
    if path.seconds < DAYS_NEEDED * HORIZON_S:
        return _too_few(path.seconds)
    hours = path.quoted_in(snapshot.quote, snapshot.pool).returns(HOUR_S)
    ends = range(HORIZON_S // HOUR_S, len(hours) + 1)
    return tuple(math.fsum(hours[end - HORIZON_S // HOUR_S : end]) for end in ends)


def past_words(days: Sequence[float]) -> str:
    """Which days `past_days` found, in a few words."""
    return f"of all that began on the hour in {(len(days) - 1) * HOUR_S // HORIZON_S + 1} past days"


def _flow_of_days(view: View) -> PricePath | Missing:
    """Nothing is worked out of a flow that is too short: that is nearly every one."""
    flow = view.snapshot.flow
    seconds = 0 if flow is None else flow.seconds
    return _too_few(seconds) if seconds < DAYS_NEEDED * HORIZON_S else path_of(view.snapshot)


def _too_few(seconds: int) -> Missing:
    return Missing(
        f"the worst of past days need prices of {DAYS_NEEDED} days (limits.history_s) at least, "
        f"found {seconds * 10 // HORIZON_S / 10:.1f} days"
    )


def day_words(appetite: Appetite) -> str:
    """Which days these are, in a few words."""
    return "as volatile as now" if appetite.heston is None else "of Heston's model"
