"""What the risk desk said of one campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lpmanager.model import Decision, Gate
    from lpmanager.rebalancer import Limits, View
    from lpmanager.rebalancer.assessment import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What was seen, every measure of it, what would be done within the limits, and how each of
    them stands."""

    name: str
    view: View
    limits: Limits
    measures: tuple[Measure, ...]
    decision: Decision
    standing: tuple[Gate, ...]

    @property
    def not_asked(self) -> tuple[Gate, ...]:
        """Of the limits as they stand those that the decision did not come to ask."""
        asked = {gate.name for gate in self.decision.gates}
        return tuple(gate for gate in self.standing if gate.name not in asked)
