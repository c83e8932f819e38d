"""What the risk desk said of one campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lpmanager.model import Decision
    from lpmanager.rebalancer import Limits, View
    from lpmanager.rebalancer.assessment import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What was seen, every measure of it, and what would be done within the limits."""

    name: str
    view: View
    limits: Limits
    measures: tuple[Measure, ...]
    decision: Decision
