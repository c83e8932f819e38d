"""The inventory-risk desk: all measures of a campaign, by the question that they answer."""

from __future__ import annotations

from lpmanager.rebalancer.assessment.budgets import budget_measures
from lpmanager.rebalancer.assessment.calibrated import calibrated_measures
from lpmanager.rebalancer.assessment.capacity import capacity_measures
from lpmanager.rebalancer.assessment.contagion import peg_measures, shared_measures
from lpmanager.rebalancer.assessment.exposure import exposure_measures
from lpmanager.rebalancer.assessment.health import health_measures
from lpmanager.rebalancer.assessment.heston import heston_measures
from lpmanager.rebalancer.assessment.losses import crash_measures, tomorrow_measures
from lpmanager.rebalancer.assessment.market import market_measures
from lpmanager.rebalancer.assessment.measure import HOLDS_NOTHING, Measure, Question, Unit
from lpmanager.rebalancer.assessment.pay import pay_measures
from lpmanager.rebalancer.assessment.pool import pool_measures
from lpmanager.rebalancer.at_stake import stake_held, stake_now
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath

__all__ = ["HOLDS_NOTHING", "Measure", "Question", "Unit", "assessment"]


def assessment(view: View, limits: Limits, history: PricePath | None = None) -> tuple[Measure, ...]:
    """Every measure, in the order of the questions. Where more of the price is known than the view
    tells, `history` has it; it must end where the view is."""
    measures = (
        *exposure_measures(view),
        *capacity_measures(view),
        *budget_measures(view, limits),
        *shared_measures(view, limits.appetite),
        *market_measures(view, limits.appetite.regimes_by, history),
        *calibrated_measures(view),
        *heston_measures(view, limits.appetite),
        *pool_measures(view, limits),
        *peg_measures(view, limits.appetite),
        *health_measures(view.snapshot),
    )
    if isinstance(view.outlook, Missing):
        tomorrow, pay = (_unknown(each, view.outlook) for each in (Question.TOMORROW, Question.PAY))
        return (*measures, tomorrow, *crash_measures(stake_held(view)), pay)
    stake = stake_now(view, view.outlook)
    return (
        *measures,
        *tomorrow_measures(view, view.outlook, stake, limits, history),
        *crash_measures(stake),
        *pay_measures(view, view.outlook, stake),
    )


def _unknown(question: Question, why: Missing) -> Measure:
    return Measure(
        question=question,
        name="all of it",
        value=why,
        unit=Unit.WORD,
        meaning="fees and volatility are measured on recent swaps",
    )
