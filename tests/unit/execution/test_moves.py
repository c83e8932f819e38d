"""The next step of an intent, for every situation it can be in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import a_block, a_hash, a_purpose, an_attempt, an_inclusion, an_intent

from lpmanager.execution.fees import FeePolicy, Fees
from lpmanager.execution.intent import Intent, Status
from lpmanager.execution.moves import Move, Note, Pace, Seen, Sign, Wait, is_public, next_move

FEES = FeePolicy(cap=9 * 10**10)
PACE = Pace(bump_after_s=36)
NOW = a_block(110)
SOON, PAST = NOW.timestamp + 60, NOW.timestamp - 1

CALL = an_attempt(1, max_fee=2 * 10**9, tip=10**8, signed_at=NOW.timestamp - 12)
OLD = replace(CALL, signed_at=NOW.timestamp - 36)
BUMPED = an_attempt(2, max_fee=3 * 10**9, tip=2 * 10**8, signed_at=NOW.timestamp - 12)
CANCEL = replace(BUMPED, cancels=True)
OLD_CANCEL = replace(CANCEL, signed_at=NOW.timestamp - 36)
AT_THE_CAP = replace(OLD, max_fee=FEES.call_cap)
CANCEL_AT_THE_CAP = replace(OLD_CANCEL, max_fee=FEES.cap)

STRANGERS = a_hash(99)
HIGH, FINAL = an_inclusion(1, block=110), an_inclusion(1, block=105)
NONCE = 7


def an_intent_due(*attempts, deadline: int = SOON, **changes) -> Intent:
    return an_intent(*attempts, nonce=NONCE, purpose=a_purpose(deadline=deadline), **changes)


def seen(**changes) -> Seen:
    """By default a chain of whose newest six blocks the oldest is final, and nothing mined."""
    plain = Seen(head=NOW, final_block=105, nonce=NONCE, inclusion=None, used_by=None, tip=10**8)
    return replace(plain, **changes)


def mined(inclusion, status: Status = Status.MINED, *attempts) -> Intent:
    return an_intent_due(*(attempts or (CALL, CANCEL)), inclusion=inclusion, status=status)


SITUATIONS: dict[str, tuple[Intent, Seen, Move]] = {
    "nothing was ever signed": (
        an_intent_due(status=Status.PLANNED),
        seen(),
        Note(Status.ABANDONED),
    ),
    "nothing was ever signed, and the nonce is gone": (
        an_intent_due(status=Status.PLANNED),
        seen(nonce=8),
        Note(Status.ABANDONED),
    ),
    "it waits": (an_intent_due(CALL), seen(), Wait(resend=True)),
    "it was signed and perhaps not sent": (
        an_intent_due(CALL, status=Status.SIGNED),
        seen(),
        Wait(resend=True),
    ),
    "it has waited long": (
        an_intent_due(OLD),
        seen(),
        Sign(Fees(225 * 10**7, 1125 * 10**5), cancels=False),
    ),
    "it has waited long, and gas costs more now": (
        an_intent_due(OLD),
        seen(head=replace(NOW, base_fee=5 * 10**9), tip=10**9),
        Sign(Fees(11 * 10**9, 10**9), cancels=False),
    ),
    "it has waited long, and is at the most a call may offer": (
        an_intent_due(AT_THE_CAP),
        seen(),
        Wait(resend=True),
    ),
    "its newest offer has not waited long": (an_intent_due(OLD, BUMPED), seen(), Wait(resend=True)),
    "its deadline is this second": (
        an_intent_due(CALL, deadline=NOW.timestamp),
        seen(),
        Wait(resend=True),
    ),
    "its deadline has passed": (
        an_intent_due(CALL, deadline=PAST),
        seen(),
        Sign(Fees(225 * 10**7, 1125 * 10**5), cancels=True),
    ),
    "its deadline has passed, and it is at the most a call may offer": (
        an_intent_due(AT_THE_CAP, deadline=PAST),
        seen(),
        Sign(Fees(FEES.cap, 1125 * 10**5), cancels=True),
    ),
    "its deadline has passed, and the cap was lowered to what it offers": (
        an_intent_due(replace(CALL, max_fee=FEES.cap), deadline=PAST),
        seen(),
        Wait(resend=False),
    ),
    "it is being cancelled": (
        an_intent_due(CALL, CANCEL, deadline=PAST),
        seen(),
        Wait(resend=True),
    ),
    "its cancellation has waited long": (
        an_intent_due(CALL, OLD_CANCEL, deadline=PAST),
        seen(),
        Sign(Fees(3375 * 10**6, 225 * 10**6), cancels=True),
    ),
    "it is being cancelled, and the chain's clock went back": (
        an_intent_due(CALL, OLD_CANCEL, deadline=SOON),
        seen(),
        Sign(Fees(3375 * 10**6, 225 * 10**6), cancels=True),
    ),
    "its cancellation is at the cap": (
        an_intent_due(CALL, CANCEL_AT_THE_CAP, deadline=PAST),
        seen(),
        Wait(resend=True),
    ),
    "it is mined": (an_intent_due(CALL), seen(inclusion=HIGH, nonce=8), Note(Status.MINED, HIGH)),
    "it is mined late": (
        an_intent_due(OLD, deadline=PAST),
        seen(inclusion=HIGH, nonce=8),
        Note(Status.MINED, HIGH),
    ),
    "it is mined and not deep enough": (
        mined(HIGH),
        seen(inclusion=HIGH, nonce=8),
        Wait(resend=False),
    ),
    "it is mined, overdue and not deep enough": (
        an_intent_due(OLD, deadline=PAST, inclusion=HIGH, status=Status.MINED),
        seen(inclusion=HIGH, nonce=8),
        Wait(resend=False),
    ),
    "it is deep enough": (
        mined(FINAL),
        seen(inclusion=FINAL, nonce=8),
        Note(Status.FINAL),
    ),
    "it is one block short of deep enough": (
        mined(FINAL),
        seen(inclusion=FINAL, nonce=8, final_block=104),
        Wait(resend=False),
    ),
    "it reverted and is deep enough": (
        mined(replace(FINAL, succeeded=False)),
        seen(inclusion=replace(FINAL, succeeded=False), nonce=8),
        Note(Status.FAILED),
    ),
    "its cancellation is deep enough": (
        mined(an_inclusion(2, block=105)),
        seen(inclusion=an_inclusion(2, block=105), nonce=8),
        Note(Status.CANCELLED),
    ),
    "a reorganisation moved it": (
        mined(FINAL),
        seen(inclusion=HIGH, nonce=8),
        Note(Status.MINED, HIGH),
    ),
    "a reorganisation put it into another block of that height": (
        mined(HIGH),
        seen(inclusion=replace(HIGH, block_hash=a_block(999).hash), nonce=8),
        Note(Status.MINED, replace(HIGH, block_hash=a_block(999).hash)),
    ),
    "a reorganisation mined another of its attempts": (
        mined(HIGH),
        seen(inclusion=an_inclusion(2, block=110), nonce=8),
        Note(Status.MINED, an_inclusion(2, block=110)),
    ),
    "a reorganisation took it out": (mined(HIGH), seen(), Note(Status.REOPENED)),
    "what counted as final was taken out": (
        mined(FINAL, Status.FINAL),
        seen(),
        Note(Status.REOPENED),
    ),
    "what counted as final was moved": (
        mined(FINAL, Status.FINAL),
        seen(inclusion=HIGH, nonce=8),
        Note(Status.MINED, HIGH),
    ),
    "it is settled and waits to be booked": (
        mined(FINAL, Status.FINAL),
        seen(inclusion=FINAL, nonce=8),
        Wait(resend=False),
    ),
    "it was reopened": (
        an_intent_due(CALL, status=Status.REOPENED),
        seen(),
        Wait(resend=True),
    ),
    "its nonce is used by what nobody tells of": (
        an_intent_due(OLD, deadline=PAST),
        seen(nonce=8),
        Wait(resend=False),
    ),
    "its nonce is used for good by its newest offer, whose receipt is told late": (
        an_intent_due(OLD, BUMPED, deadline=PAST),
        seen(nonce=8, used_by=BUMPED.tx_hash),
        Wait(resend=False),
    ),
    "its nonce is used for good by an older offer, whose receipt is told late": (
        an_intent_due(OLD, BUMPED, deadline=PAST),
        seen(nonce=8, used_by=OLD.tx_hash),
        Wait(resend=False),
    ),
    "its nonce is used for good by what is none of ours": (
        an_intent_due(OLD, deadline=PAST),
        seen(nonce=8, used_by=STRANGERS),
        Note(Status.REPLACED),
    ),
    "its nonce is used by what is none of ours, but free again at the head": (
        an_intent_due(CALL),
        seen(used_by=STRANGERS),
        Wait(resend=True),
    ),
    "it is mined, and its receipt is not told this time": (
        mined(HIGH),
        seen(nonce=8),
        Wait(resend=False),
    ),
    "it is settled, and its receipt is not told this time": (
        mined(FINAL, Status.FINAL),
        seen(nonce=8, used_by=CALL.tx_hash),
        Wait(resend=False),
    ),
    "a reorganisation put what is none of ours in its place": (
        mined(HIGH),
        seen(nonce=8, used_by=STRANGERS),
        Note(Status.REOPENED),
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_next_move_where(situation: str) -> None:
    intent, sight, move = SITUATIONS[situation]
    assert next_move(intent, sight, FEES, PACE) == move


FIRST = replace(CALL, signed_at=NOW.timestamp - 90)


@pytest.mark.parametrize(
    ("attempts", "public_after_s", "public"),
    [
        ([FIRST], 91, False),
        ([FIRST], 90, True),
        ([FIRST], None, False),
        ([FIRST, BUMPED], 90, True),
        ([FIRST, CANCEL], 91, True),
        ([FIRST, CANCEL], None, True),
    ],
    ids=[
        "a call that has not waited long enough is not",
        "a call that has waited long enough is",
        "a call never is where that is not wanted",
        "a call that was offered more since is",
        "a cancellation is at once",
        "a cancellation is even where calls never are",
    ],
)
def test_what_is_public(attempts, public_after_s: int | None, public: bool) -> None:
    pace = replace(PACE, public_after_s=public_after_s)
    assert is_public(an_intent_due(*attempts), NOW, pace) is public


def test_the_situations_lead_to_every_move_there_is() -> None:
    moves = [move for _, _, move in SITUATIONS.values()]
    noted = {move.status for move in moves if isinstance(move, Note)}
    assert noted == {
        Status.ABANDONED,
        Status.MINED,
        Status.REOPENED,
        Status.FINAL,
        Status.FAILED,
        Status.CANCELLED,
        Status.REPLACED,
    }
    assert {move.cancels for move in moves if isinstance(move, Sign)} == {True, False}
    assert {move.resend for move in moves if isinstance(move, Wait)} == {True, False}
