"""One thing to be done by one account: whatever is signed for it, it happens at most once.

An intent keeps one nonce for all that is ever signed for it, so the chain itself takes one of them
at most:

    planned -> signed -> sent -> mined -> final | failed | cancelled -> booked
                                   ^  |
                                   +--+ reopened, where a reorganisation took it out

`abandoned` ends one that was never signed, `replaced` one whose nonce somebody else has used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from lpmanager.execution.calldata import Call
from lpmanager.model import Action


class Status(StrEnum):
    """How far an intent has come."""

    PLANNED = "planned"
    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    REOPENED = "reopened"
    FINAL = "final"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    ABANDONED = "abandoned"
    BOOKED = "booked"


#: Nothing is left to do on chain for these; the first three are still to be booked.
SETTLED = frozenset({Status.FINAL, Status.FAILED, Status.CANCELLED})
CLOSED = frozenset({Status.BOOKED, Status.REPLACED, Status.ABANDONED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why a transaction is sent, and all that booking it takes after a restart.

    `actions` are all that it carries out, in order; none for an allowance. By `deadline` (Unix
    seconds, block time) it is mined or gets cancelled. `decided_block` and `decided_at` are of the
    block the plan was made at.
    """

    campaign: str
    call: Call
    actions: tuple[Action, ...]
    deadline: int
    decided_block: int
    decided_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A signed transaction of an intent. Fees are in wei per gas; `signed_at` is block time."""

    tx_hash: str
    raw: bytes
    max_fee: int
    tip: int
    cancels: bool
    signed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """Where an attempt was mined, as the chain stands."""

    tx_hash: str
    block_number: int
    block_hash: str
    succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An intent as its journal tells it. `inclusion` is None while none of it is mined."""

    id: str
    account: str
    chain_id: int
    nonce: int
    purpose: Purpose
    attempts: tuple[Attempt, ...] = ()
    inclusion: Inclusion | None = None
    status: Status = Status.PLANNED

    def with_attempt(self, attempt: Attempt) -> Intent:
        """The intent with one more signature."""
        return replace(self, attempts=(*self.attempts, attempt), status=Status.SIGNED)

    def at(self, status: Status, inclusion: Inclusion | None = None) -> Intent:
        """The intent a step on; `inclusion` is given where it is mined."""
        if status is Status.MINED:
            return replace(self, status=status, inclusion=inclusion)
        if status is Status.REOPENED:
            return replace(self, status=status, inclusion=None)
        return replace(self, status=status)

    def outcome_of(self, inclusion: Inclusion) -> Status:
        """What it comes to, once that inclusion is final."""
        cancels = {a.tx_hash: a.cancels for a in self.attempts}
        if cancels[inclusion.tx_hash]:
            return Status.CANCELLED
        return Status.FINAL if inclusion.succeeded else Status.FAILED

    def summary(self) -> Summary:
        """The intent in few words."""
        return Summary(
            account=self.account,
            nonce=self.nonce,
            campaign=self.purpose.campaign,
            what=self.purpose.call.what,
            decided_block=self.purpose.decided_block,
            decided_at=self.purpose.decided_at,
            was_signed=bool(self.attempts),
            status=self.status,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a manager that runs for years remembers of every intent: not what was signed for it, nor
    what booking it takes."""

    account: str
    nonce: int
    campaign: str
    what: str
    decided_block: int
    decided_at: int
    was_signed: bool
    status: Status
