"""What may happen: estimates from history up to the snapshot's block, and the pure guards."""

from lpmanager.risk.outlook import Outlook, assess
from lpmanager.risk.residence import expected_seconds_in_range

__all__ = ["Outlook", "assess", "expected_seconds_in_range"]
