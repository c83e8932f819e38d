"""How much of a day's budgets a campaign has used, and the band its hedge is left alone in."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.hedge import hedged_weight
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.budgets import used_today
from lpmanager.rebalancer.hedge_limits import hedge_limits, least_cvar_target
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing

#: From this share of a day's budget on it is called near.
NEAR = Fraction(4, 5)


def budget_measures(view: View, limits: Limits) -> tuple[Measure, ...]:
    """Moves, gas and swap cost of the last 24 hours over their limits; the hedge band."""
    return (
        *(_used(what, share) for what, share in used_today(view, limits).items()),
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


def _used(what: str, share: Fraction | None) -> Measure:
    none = Missing(f"the limit of {what} per day is 0")
    near = "" if share is None or share < NEAR else "; near it"
    return _measure(
        f"{what} used",
        none if share is None else float(share),
        f"of the limit for 24 hours{near}",
    )


def _measure(name: str, value: float | Missing, meaning: str) -> Measure:
    return Measure(
        question=Question.EXPOSURE, name=name, value=value, unit=Unit.SHARE, meaning=meaning
    )
