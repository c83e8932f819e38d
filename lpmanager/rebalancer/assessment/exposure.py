"""What a campaign is exposed to."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.view import View
from lpmanager.risk.missing import Missing


def exposure_measures(view: View) -> tuple[Measure, ...]:
    """Value, mix, delta and gamma, and what each side can still trade."""
    inventory, quote = view.inventory, view.snapshot.quote
    capacities = [position.capacity for position in inventory.positions]
    sells = _most_used((each.base_used for each in capacities), "sell")
    buys = _most_used((each.quote_used for each in capacities), "buy")
    nothing = Missing("the campaign holds nothing")
    return (
        _measure("value", float(inventory.value) / 10**quote.decimals, Unit.QUOTE, "all it holds"),
        _measure(
            "weight of base",
            nothing if inventory.weight is None else float(inventory.weight),
            Unit.SHARE,
            "share of the value in the token that is not the quote",
        ),
        _measure(
            "imbalance",
            nothing if inventory.imbalance is None else float(inventory.imbalance),
            Unit.SHARE,
            "how far that share is from the target weight; 100% is as far as it can be",
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
        _measure("sell side used", sells, Unit.SHARE, "of the position that is the furthest"),
        _measure("buy side used", buys, Unit.SHARE, "of the position that is the furthest"),
    )


def _most_used(used: Iterable[Fraction | None], side: str) -> float | Missing:
    known = [float(each) for each in used if each is not None]
    return max(known) if known else Missing(f"no position can {side} anything")


def _measure(name: str, value: float | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.EXPOSURE, name=name, value=value, unit=unit, meaning=meaning)
