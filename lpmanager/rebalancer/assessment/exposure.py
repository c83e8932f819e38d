"""What a campaign is exposed to."""

from __future__ import annotations

from lpmanager.rebalancer.assessment.measure import HOLDS_NOTHING, Measure, Question, Unit
from lpmanager.rebalancer.view import View
from lpmanager.risk.missing import Missing


def exposure_measures(view: View) -> tuple[Measure, ...]:
    """Value, mix, delta and gamma."""
    inventory, quote = view.inventory, view.snapshot.quote
    return (
        _measure("value", float(inventory.value) / 10**quote.decimals, Unit.QUOTE, "all it holds"),
        _measure(
            "weight of base",
            HOLDS_NOTHING if inventory.weight is None else float(inventory.weight),
            Unit.SHARE,
            "share of the value in the token that is not the quote",
        ),
        _measure(
            "imbalance",
            HOLDS_NOTHING if inventory.imbalance is None else float(inventory.imbalance),
            Unit.SHARE,
            f"how far that share is from {float(inventory.target_weight):.1%}, the target weight; "
            "100% is as far as it can be",
        ),
        _measure(
            "delta", inventory.exposure.delta, Unit.BASE, "gain in quote for a price rise of 1"
        ),
        _measure(
            "gamma",
            inventory.exposure.gamma,
            Unit.BASE_PER_PRICE,
            "change of delta for a price rise of 1",
        ),
    )


def _measure(name: str, value: float | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.EXPOSURE, name=name, value=value, unit=unit, meaning=meaning)
