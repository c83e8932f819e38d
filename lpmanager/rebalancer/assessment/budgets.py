"""How much of a day's budgets a campaign has used, and the band its hedge is left alone in."""

from __future__ import annotations

from lpmanager.hedge import hedged_weight
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.hedge_limits import hedge_limits, least_cvar_target
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing


def budget_measures(view: View, limits: Limits) -> tuple[Measure, ...]:
    """Moves, gas and swap cost of the last 24 hours over their limits; the hedge band."""
    usage = view.record.usage
    return (
        _used("moves", usage.moves, limits.max_moves_per_day),
        _used("gas", usage.gas_raw, limits.max_gas_per_day_raw),
        _used("swap cost", usage.swap_cost_quote_raw, limits.max_swap_cost_per_day_raw),
        _measure(
            "hedge band",
            float(hedge_limits(view, limits).hedge_band),
            "the imbalance that is left alone, before what a regime makes of it",
        ),
        _measure("hedge weight", _hedge_weight(view, limits), "of base, where a hedge ends"),
    )


def _hedge_weight(view: View, limits: Limits) -> float | Missing:
    least = least_cvar_target(view, limits)
    if isinstance(least, Missing):
        return least
    return float(hedged_weight(view.inventory, hedge_limits(view, limits)))


def _used(what: str, spent: int, limit: int) -> Measure:
    share = spent / limit if limit else Missing(f"the limit of {what} per day is 0")
    return _measure(f"{what} used", share, "of the limit for 24 hours")


def _measure(name: str, value: float | Missing, meaning: str) -> Measure:
    return Measure(
        question=Question.EXPOSURE, name=name, value=value, unit=Unit.SHARE, meaning=meaning
    )
