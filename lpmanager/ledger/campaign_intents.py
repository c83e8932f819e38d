"""What the intents of an account say of one of its campaigns. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lpmanager.execution.intent import Intent, Status
from lpmanager.model import Plan


def begun(intents: Iterable[Intent], plan: Plan) -> Intent | None:
    """One that was signed for that very plan, or None."""
    wanted = plan.campaign, plan.block.number, plan.block.timestamp
    for intent in intents:
        purpose = intent.purpose
        found = purpose.campaign, purpose.decided_block, purpose.decided_at
        if intent.attempts and found == wanted:
            return intent
    return None


def last_decision(intents: Iterable[Intent], campaign: str) -> int:
    """When the campaign last decided to sign something, or 0: all that is open comes from that
    decision, because nothing new is signed before it is booked."""
    return max((i.purpose.decided_at for i in intents if i.purpose.campaign == campaign), default=0)


def came_to_nothing(intents: Iterable[Intent], campaign: str) -> list[str]:
    """What of a campaign reverted or was cancelled, and is not booked yet, in words."""
    return [
        f"{intent.purpose.call.what}: {intent.status}"
        for intent in intents
        if intent.purpose.campaign == campaign
        and intent.status in (Status.FAILED, Status.CANCELLED)
    ]
