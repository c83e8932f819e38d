"""Heston's model, where the appetite gives one: what it expects, and how old it is."""

from __future__ import annotations

from lpmanager.model.units import duration
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.implied_volatility import annual_volatility
from lpmanager.risk.missing import Missing
from lpmanager.risk.tomorrow import HORIZON_S


def heston_measures(view: View, appetite: Appetite) -> tuple[Measure, ...]:
    """Its mean volatility over the day ahead, Missing where it is too old, and its age."""
    given, now = appetite.heston, view.snapshot.block.timestamp
    if given is None:
        return ()
    model = given.at(now)
    return (
        Measure(
            question=Question.MARKET,
            name="Heston volatility",
            value=model
            if isinstance(model, Missing)
            else annual_volatility(model.mean_variance(1) / HORIZON_S),
            unit=Unit.PER_YEAR,
            meaning="of the day ahead, on average, by the parameters in risk.heston",
        ),
        Measure(
            question=Question.MARKET,
            name="Heston age",
            value=float(now - given.fitted_at),
            unit=Unit.SECONDS,
            meaning=f"of those parameters; they are used up to {duration(given.max_age_s)}",
        ),
    )
