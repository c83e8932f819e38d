"""The model of a day's prices that a campaign's losses are told by."""

from __future__ import annotations

from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.missing import Missing
from lpmanager.risk.tomorrow import DayModel


def day_of(view: View, outlook: Outlook, appetite: Appetite) -> DayModel | Missing:
    """The volatility of now, or the model of the appetite; Missing where that is too old."""
    if appetite.heston is None:
        return outlook.variance_rate
    return appetite.heston.at(view.snapshot.block.timestamp)


def day_words(appetite: Appetite) -> str:
    """Which days these are, in a few words."""
    return "as volatile as now" if appetite.heston is None else "of Heston's model"
