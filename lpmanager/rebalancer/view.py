"""What a policy may look at."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.inventory import Inventory
from lpmanager.model import CampaignRecord, Snapshot
from lpmanager.risk import Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The world at one block, what is held in it, what the books say, and what may happen.

    `outlook` is None where there is too little history; nothing is planned then.
    """

    snapshot: Snapshot
    record: CampaignRecord
    inventory: Inventory
    outlook: Outlook | None
