"""How well a campaign's chain is heard, and what its blocks cost."""

from __future__ import annotations

from lpmanager.model import Snapshot
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.health_gates import base_fee_to_usual, healthy_rpcs
from lpmanager.risk.missing import Missing


def health_measures(snapshot: Snapshot) -> tuple[Measure, ...]:
    """RPCs in use, and the base fee against the recent blocks."""
    rpcs = healthy_rpcs(snapshot)
    return (
        _measure(
            "RPCs",
            rpcs if isinstance(rpcs, Missing) else f"{rpcs[0]} of {rpcs[1]}",
            Unit.WORD,
            "in use: did not fail several times in a row, as far as they were asked",
        ),
        _measure(
            "base fee over usual",
            base_fee_to_usual(snapshot),
            Unit.RATIO,
            "over its median of the recent blocks",
        ),
    )


def _measure(name: str, value: float | str | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.MARKET, name=name, value=value, unit=unit, meaning=meaning)
