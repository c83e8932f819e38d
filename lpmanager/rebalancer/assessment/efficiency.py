"""How well a campaign's market making paid so far."""

from __future__ import annotations

from collections.abc import Callable

from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.risk.efficiency import Efficiency
from lpmanager.risk.missing import Missing


def efficiency_measures(found: Efficiency | Missing) -> tuple[Measure, ...]:
    """Since the first deposit, as its books and its cycles saw it."""
    return (
        _measure(
            "net fee APR",
            found,
            lambda told: told.net_fee_apr_share,
            Unit.A_YEAR,
            "of the mean value so far: fees less LVR and gas",
        ),
        _measure(
            "past time in range",
            found,
            lambda told: told.in_range_share,
            Unit.SHARE,
            "of the time in which a range was held, by the prices of its cycles",
        ),
        _measure(
            "fees per volume",
            found,
            lambda told: told.fees_per_volume,
            Unit.SHARE,
            "of all that was swapped in the pool",
        ),
        _measure(
            "rebalances",
            found,
            lambda told: told.rebalances_per_day,
            Unit.PER_DAY,
            "the first placing left out",
        ),
    )


def _measure(
    name: str,
    found: Efficiency | Missing,
    value: Callable[[Efficiency], float | Missing],
    unit: Unit,
    meaning: str,
) -> Measure:
    told = found if isinstance(found, Missing) else value(found)
    return Measure(question=Question.PAY, name=name, value=told, unit=unit, meaning=meaning)
