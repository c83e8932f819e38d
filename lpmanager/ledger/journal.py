"""The journal of what an account was about to do, signed, sent and saw mined."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, Row, select

from lpmanager.errors import JournalDamaged
from lpmanager.execution.calldata import Call
from lpmanager.execution.intent import (
    CLOSED,
    Attempt,
    Inclusion,
    Intent,
    Purpose,
    Status,
    Summary,
)
from lpmanager.execution.whose import is_owners
from lpmanager.ledger import tables as t
from lpmanager.ledger.chained import NO_ROWS, append_row, verified_rows
from lpmanager.ledger.database import writing
from lpmanager.ledger.diary import note_halt, require_not_halted
from lpmanager.model import Action

_ACTIONS: TypeAdapter[tuple[Action, ...]] = TypeAdapter(tuple[Action, ...])


class TransactionJournal:
    """Every intent of the accounts of a chain. Each row is durable before its method returns.

    Raises JournalDamaged wherever a row is not as it was written.
    """

    def __init__(self, engine: Engine, chain_id: int) -> None:
        self._engine = engine
        self._chain_id = chain_id
        # What was read and verified already, so that nothing is read twice.
        self._tip = NO_ROWS
        self._known: dict[str, Intent | Summary] = {}

    def plan(self, account: str, nonce: int, purpose: Purpose) -> Intent:
        """A new intent, of which nothing is signed yet."""
        intent = Intent(
            id=uuid4().hex,
            account=account,
            chain_id=self._chain_id,
            nonce=nonce,
            purpose=purpose,
        )
        self._append(intent, Status.PLANNED, _planned(intent))
        return intent

    def signed(self, intent: Intent, attempt: Attempt) -> Intent:
        """One more transaction was signed for the intent; nothing of it was sent yet.

        Raises Halted, and writes nothing, where the campaign was halted before this was written.
        """
        self._append(intent, Status.SIGNED, _attempt(attempt), attempt.tx_hash)
        return intent.with_attempt(attempt)

    def note(self, intent: Intent, status: Status, inclusion: Inclusion | None = None) -> Intent:
        """The intent has come to `status`; `inclusion` says where it is mined."""
        body = {} if inclusion is None else _inclusion(inclusion)
        tx_hash = None if inclusion is None else inclusion.tx_hash
        self._append(intent, status, body, tx_hash)
        return intent.at(status, inclusion)

    def replaced(self, intent: Intent, reason: str) -> None:
        """Somebody else used the intent's nonce: with the same write its campaign is halted for
        that reason. Whoever dies right behind it has not let the campaign go on."""
        purpose = intent.purpose
        with writing(self._engine) as connection:
            _write(connection, intent, Status.REPLACED, {})
            if not is_owners(purpose.campaign):  # an owner's are stopped by no halt
                note_halt(connection, purpose.campaign, reason, purpose.decided_at)

    def open_intents(self, account: str) -> list[Intent]:
        """What is not booked and may still happen or have happened, by nonce."""
        mine = [i for i in self._read() if isinstance(i, Intent) and i.account == account]
        return sorted(mine, key=lambda i: i.nonce)

    def open_of_campaign(self, campaign: str) -> list[Intent]:
        """As `open_intents`, of a campaign, whichever account signed for it then."""
        return [
            intent
            for intent in self._read()
            if isinstance(intent, Intent) and intent.purpose.campaign == campaign
        ]

    def history(self, account: str) -> list[Summary]:
        """Every intent of an account on this chain, by nonce and in the order planned."""
        mine = [_summary(i) for i in self._read() if i.account == account]
        return sorted(mine, key=lambda i: i.nonce)

    def _read(self) -> Iterable[Intent | Summary]:
        """The open intents of this chain whole, and the closed ones in few words."""
        with self._engine.connect() as connection:
            for row, tip in verified_rows(connection, self._tip):
                if row.chain_id == self._chain_id:
                    known = _after(self._known.get(row.intent), row)
                    self._known[row.intent] = _summary(known) if known.status in CLOSED else known
                self._tip = tip
        return self._known.values()

    def _append(
        self, intent: Intent, status: Status, body: dict[str, Any], tx_hash: str | None = None
    ) -> None:
        with writing(self._engine) as connection:
            _write(connection, intent, status, body, tx_hash)
            if status is Status.SIGNED:
                # Only now, when nobody else can write, is it known whether a halt came first.
                require_not_halted(connection, intent.purpose.campaign)


def _write(
    connection: Connection,
    intent: Intent,
    status: Status,
    body: dict[str, Any],
    tx_hash: str | None = None,
) -> None:
    append_row(
        connection,
        intent=intent.id,
        chain_id=intent.chain_id,
        account=intent.account,
        event=str(status),
        tx_hash=tx_hash,
        body=_canonical(body),
    )


def append_booked(connection: Connection, tx_hashes: Iterable[str]) -> None:
    """The books hold what these transactions did; part of the caller's database transaction."""
    columns = t.journal.c
    query = (
        select(columns.intent, columns.chain_id, columns.account)
        .where(columns.tx_hash.in_(list(tx_hashes)), columns.event == str(Status.SIGNED))
        .order_by(columns.id)
    )
    for row in connection.execute(query).all():
        append_row(
            connection,
            intent=row.intent,
            chain_id=row.chain_id,
            account=row.account,
            event=str(Status.BOOKED),
            tx_hash=None,
            body=_canonical({}),
        )


def _canonical(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _after(known: Intent | Summary | None, row: Row[Any]) -> Intent | Summary:
    body, status = json.loads(row.body), Status(row.event)
    match known:
        case None:
            return _read_planned(row, body)
        case Summary() if status in CLOSED:
            return replace(known, status=status)
        case Summary():
            raise JournalDamaged(
                f"row {row.id} of the journal goes on ({status}) with an intent that was closed "
                f"({known.status}); nothing is signed on it. Look at: lpm doctor --repair"
            )
        case Intent() if status is Status.SIGNED:
            return known.with_attempt(_read_attempt(row.tx_hash, body))
        case Intent():
            return known.at(status, _read_inclusion(row.tx_hash, body) if body else None)


def _summary(known: Intent | Summary) -> Summary:
    return known.summary() if isinstance(known, Intent) else known


def _planned(intent: Intent) -> dict[str, Any]:
    purpose = intent.purpose
    return {
        "nonce": intent.nonce,
        "campaign": purpose.campaign,
        "what": purpose.call.what,
        "to": purpose.call.to,
        "data": purpose.call.data.hex(),
        "actions": _ACTIONS.dump_python(purpose.actions, mode="json"),
        "deadline": purpose.deadline,
        "decided_block": purpose.decided_block,
        "decided_at": purpose.decided_at,
    }


def _read_planned(row: Row[Any], body: dict[str, Any]) -> Intent:
    call = Call(what=body["what"], to=body["to"], data=bytes.fromhex(body["data"]))
    return Intent(
        id=row.intent,
        account=row.account,
        chain_id=row.chain_id,
        nonce=body["nonce"],
        purpose=Purpose(
            campaign=body["campaign"],
            call=call,
            actions=_read_actions(body),
            deadline=body["deadline"],
            decided_block=body["decided_block"],
            decided_at=body["decided_at"],
        ),
    )


def _read_actions(body: dict[str, Any]) -> tuple[Action, ...]:
    """Rows that an earlier version wrote have one action, or null; no row is ever rewritten."""
    if "actions" in body:
        return _ACTIONS.validate_python(body["actions"])
    return _ACTIONS.validate_python([] if body["action"] is None else [body["action"]])


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "raw": attempt.raw.hex(),
        "max_fee": attempt.max_fee,
        "tip": attempt.tip,
        "cancels": attempt.cancels,
        "signed_at": attempt.signed_at,
    }


def _read_attempt(tx_hash: str, body: dict[str, Any]) -> Attempt:
    return Attempt(
        tx_hash=tx_hash,
        raw=bytes.fromhex(body["raw"]),
        max_fee=body["max_fee"],
        tip=body["tip"],
        cancels=body["cancels"],
        signed_at=body["signed_at"],
    )


def _inclusion(inclusion: Inclusion) -> dict[str, Any]:
    return {
        "block_number": inclusion.block_number,
        "block_hash": inclusion.block_hash,
        "succeeded": inclusion.succeeded,
    }


def _read_inclusion(tx_hash: str, body: dict[str, Any]) -> Inclusion:
    return Inclusion(tx_hash=tx_hash, **body)
