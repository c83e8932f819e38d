"""What must be true of a run after a fault, by what the chain, the books and the journal say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Set

import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_utils.crypto import keccak
from faults.troubled_desk import NAME, Run
from hexbytes import HexBytes
from sqlalchemy import select

from lpmanager.cycle import observe
from lpmanager.devnet.backend import CHAIN_ID
from lpmanager.execution.intent import CLOSED, Status
from lpmanager.ledger import tables

CYCLES_TO_RECOVER = 3

_FACTS = ("minted", "withdrawn", "collected", "swapped")


def require_normal_soon(run: Run) -> None:
    """A cycle without trouble within three, and nothing halted or open after it."""
    for _ in range(CYCLES_TO_RECOVER):
        if run.cycle():
            break
    else:
        pytest.fail(f"not normal within {CYCLES_TO_RECOVER} cycles: {run.errors}")
    assert run.halted() is None
    assert {intent.status for intent in run.intents()} <= CLOSED


def require_nothing_doubled(run: Run, of_strangers: Set[str] = frozenset()) -> None:
    """By the chain: every transaction but a stranger's is a different intent's, and no plan's
    action is there twice."""
    intent_of = {a.tx_hash: intent for intent in run.intents() for a in intent.attempts}
    mined = [one for one in run.mined() if one.tx_hash not in of_strangers]
    ids = [intent_of[one.tx_hash].id for one in mined]
    assert len(set(ids)) == len(ids)
    purposes = [intent_of[one.tx_hash].purpose for one in mined if one.succeeded]
    actions = [(p.decided_block, repr(action)) for p in purposes for action in p.actions]
    assert len(set(actions)) == len(actions)
    require_sound_on_chain(run)


def require_no_swap_more(run: Run, swaps: int) -> None:
    """Than in a run of the scene that nothing disturbed. Books and journal cannot tell: a swap that
    is decided a second time is another plan's there."""
    assert run.swaps() <= swaps


def require_sound_on_chain(run: Run) -> None:
    """The campaign's policy wants two positions at most, of different ranges, and nobody may take
    anything from the account."""
    ranges = run.ranges_on_chain()
    assert 1 <= len(ranges) <= 2
    assert len(set(ranges)) == len(ranges)
    assert run.allowances() == {0}


def require_nothing_lost(run: Run, of_strangers: Set[str] = frozenset()) -> None:
    """What was handed out is in the journal, what is mined and no stranger's is in the books,
    once."""
    require_all_in_journal(run)
    intent_of = {a.tx_hash: intent for intent in run.intents() for a in intent.attempts}
    mined = [one for one in run.mined() if one.tx_hash not in of_strangers]
    cancels = {a.tx_hash for intent in run.intents() for a in intent.attempts if a.cancels}
    moved = [m for m in mined if m.succeeded and m.tx_hash not in cancels]
    done = [m.tx_hash for m in moved for _ in intent_of[m.tx_hash].purpose.actions]
    assert booked(run, "gas") == Counter(m.tx_hash for m in mined)
    assert booked(run, *_FACTS) == Counter(done)


def require_all_in_journal(run: Run) -> None:
    """No signature left without its durable row."""
    written = {a.tx_hash for intent in run.intents() for a in intent.attempts}
    assert {"0x" + keccak(hexstr=raw).hex() for raw in run.raw_transactions()} <= written


def require_books_equal_chain(run: Run) -> None:
    """To the wei, and the campaign's result leaves nothing over."""
    assert run.wallet_in_books() == run.wallet_on_chain()
    assert run.positions_in_books() == run.positions_on_chain()
    campaign = run.campaign()
    assert campaign.books.result(observe(campaign).snapshot).identity_error == 0


def require_our_chain_only(run: Run) -> None:
    """Every signature there is, handed out or not and for whatever chain the journal has it, is the
    account's for the configured chain."""
    columns = tables.journal.c
    query = select(columns.body).where(columns.event == str(Status.SIGNED))
    with run.ledger.engine.connect() as connection:
        signed = [HexBytes(json.loads(body)["raw"]) for body in connection.execute(query).scalars()]
    for raw in signed:
        assert TypedTransaction.from_bytes(raw).as_dict()["chainId"] == CHAIN_ID
        assert Account.recover_transaction(raw) == run.stage.account


def booked(run: Run, *kinds: str) -> Counter[str | None]:
    """How often the books have each transaction, among entries of some kinds."""
    return Counter(entry.tx_hash for entry in run.ledger.entries(NAME, kinds))
