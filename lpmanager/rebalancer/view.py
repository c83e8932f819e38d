"""What a policy may look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from lpmanager.inventory import Inventory
from lpmanager.model import CampaignRecord, Snapshot
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import ONE
from lpmanager.risk.calibration.calibration import NOT_MADE, Calibration
from lpmanager.risk.contagion.neighbours import Surroundings
from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The world at one block, what is held in it, what the books say, and what may happen.

    `outlook` is Missing where there is too little history; nothing is planned then. So is
    `calibration` where none was made, or the last one is stale. `surroundings` are the other
    campaigns. `widening` is the most by which the campaign's limits may have widened a range beyond
    what its policy asked for, as a factor; None where nothing bounds it.
    """

    snapshot: Snapshot
    record: CampaignRecord
    inventory: Inventory
    outlook: Outlook | Missing
    surroundings: Surroundings = field(default_factory=Surroundings)
    calibration: Calibration | Missing = NOT_MADE
    widening: Fraction | None = ONE
