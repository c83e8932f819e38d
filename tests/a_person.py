"""A person who has looked into why a campaign is halted."""

from __future__ import annotations

from lpmanager.ledger.diary import Diary


def resume(diary: Diary, timestamp: int) -> None:
    """Lift all that stands."""
    diary.resume(diary.standing(), timestamp)
