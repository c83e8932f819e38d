"""What to do next for an intent, from its journal and what the chain shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.execution.fees import FeePolicy, Fees, bumped_up
from lpmanager.execution.intent import SETTLED, Inclusion, Intent, Status
from lpmanager.model import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the chain shows of an intent at one look.

    `final_block` is the newest block that counts as final, `nonce` the account's at the head.
    `inclusion` may be above the head. It is None while no receipt is told; that alone says nothing,
    as nodes index receipts some time after the block. `used_by` is the hash of the final
    transaction that has the intent's nonce, None while there is none or it is not told. `tip` is
    the node's suggestion, in wei per gas.
    """

    head: Block
    final_block: int
    nonce: int
    inclusion: Inclusion | None
    used_by: str | None
    tip: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """In seconds of block time: how long an offer stands before a higher one, and how long a call
    is handed to the private relay alone, where there is one; None means for ever."""

    bump_after_s: int
    public_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Write down that the intent has got there."""

    status: Status
    inclusion: Inclusion | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign and send a replacement at these fees: the call again, or a cancellation."""

    fees: Fees
    cancels: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again later. `resend` says that the newest bytes should be handed out once more."""

    resend: bool


Move = Note | Sign | Wait


def next_move(intent: Intent, seen: Seen, fees: FeePolicy, pace: Pace) -> Move:
    """The next step of an intent that is not closed.

    It is never signed under another nonce, and never again once one of its attempts is mined. A
    settled one is looked at until it is booked: what counted as final may be taken out yet.
    """
    if not intent.attempts:
        return Note(Status.ABANDONED)
    if seen.inclusion is None:
        return _without_receipt(intent, seen, fees, pace)
    if seen.inclusion != intent.inclusion:
        return Note(Status.MINED, seen.inclusion)
    final = seen.inclusion.block_number <= seen.final_block
    if final and intent.status not in SETTLED:
        return Note(intent.outcome_of(seen.inclusion))
    return Wait(resend=False)


def is_public(intent: Intent, head: Block, pace: Pace) -> bool:
    """Whether the newest attempt goes to the public RPCs too, where a relay takes what is sent.

    A call does once `public_after_s` have passed since it was first signed: a higher offer, which
    comes sooner as a rule, does not begin the wait anew. A cancellation does at once, even where
    calls never do: nothing in it can be traded against, and a relay that stays silent past the
    deadline would block the account for good.
    """
    if intent.attempts[-1].cancels:
        return True
    if pace.public_after_s is None:
        return False
    return head.timestamp - intent.attempts[0].signed_at >= pace.public_after_s


def is_beyond_reach(intent: Intent, seen: Seen) -> bool:
    """Whether a call is past its deadline and not mined, and no cancellation was signed when it was
    seen so: in a halt, or where the cap leaves no room. It is not handed out any more either."""
    overdue = seen.head.timestamp > intent.purpose.deadline
    unmined = seen.inclusion is None and seen.nonce <= intent.nonce
    return overdue and unmined and not intent.attempts[-1].cancels


def _without_receipt(intent: Intent, seen: Seen, fees: FeePolicy, pace: Pace) -> Move:
    used = seen.nonce > intent.nonce
    ours = {attempt.tx_hash for attempt in intent.attempts}
    if used and (seen.used_by is None or seen.used_by in ours):
        # One of ours whose receipt is told later, or a stranger's that is not final. Nothing signed
        # now could count.
        return Wait(resend=False)
    if intent.inclusion is not None:
        return Note(Status.REOPENED)
    if used:
        return Note(Status.REPLACED)
    return _unmined(intent, seen, fees, pace)


def _unmined(intent: Intent, seen: Seen, fees: FeePolicy, pace: Pace) -> Move:
    last = intent.attempts[-1]
    overdue = seen.head.timestamp > intent.purpose.deadline
    cancels = last.cancels or overdue
    stale = seen.head.timestamp - last.signed_at >= pace.bump_after_s
    if stale or cancels != last.cancels:
        most = fees.cap if cancels else fees.call_cap
        standing = Fees(last.max_fee, last.tip)
        offer = bumped_up(standing, seen.head.base_fee, seen.tip, fees, most)
        if offer is not None:
            return Sign(offer, cancels)
    # A call is not handed out past its deadline, as where the cap was lowered too far to cancel it.
    return Wait(resend=cancels == last.cancels)
