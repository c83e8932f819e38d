"""What the intents of an account say of one of its campaigns. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lpmanager.execution.intent import Status, Summary
from lpmanager.model import Plan


def begun(history: Iterable[Summary], plan: Plan) -> Summary | None:
    """One that was signed for that very plan, or None."""
    wanted = plan.campaign, plan.block.number, plan.block.timestamp
    for intent in history:
        found = intent.campaign, intent.decided_block, intent.decided_at
        if intent.was_signed and found == wanted:
            return intent
    return None


def last_decision(history: Iterable[Summary], campaign: str) -> int:
    """When the campaign last decided to sign something, or 0: all that is open comes from that
    decision, because nothing new is signed before it is booked."""
    return max((i.decided_at for i in history if i.campaign == campaign), default=0)


def came_to_nothing(history: Iterable[Summary], campaign: str) -> list[str]:
    """What of a campaign reverted or was cancelled, and is not booked yet, in words."""
    return [
        f"{intent.what}: {intent.status}"
        for intent in history
        if intent.campaign == campaign and intent.status in (Status.FAILED, Status.CANCELLED)
    ]
