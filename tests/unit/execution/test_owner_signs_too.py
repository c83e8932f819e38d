"""An account whose owner signs too: what is final is his, what is not yet is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from builders import ACCOUNT, CHAIN_ID, a_purpose
from paper_chain import CONFIRMATIONS, PaperChain, PaperSender, PaperSigner, a_sender

from lpmanager.errors import ChainError, MaybeSent, StrangersTransaction
from lpmanager.execution.intent import Status
from lpmanager.ledger.journal import TransactionJournal, append_booked
from lpmanager.ledger.store import Ledger


@dataclass
class Desk:
    """An account on a paper chain of which one transaction of ours is booked."""

    ledger: Ledger
    chain: PaperChain = field(default_factory=PaperChain)
    signer: PaperSigner = field(default_factory=PaperSigner)

    @property
    def journal(self) -> TransactionJournal:
        return self.ledger.journal(CHAIN_ID)

    def sender(self, timeout_s: float = 0.0) -> PaperSender:
        return a_sender(
            self.chain, self.journal, self.signer, timeout_s=timeout_s, owner_signs_too=True
        )

    def do(self, number: int) -> None:
        """A call that is sent, final and booked."""
        self.chain.busy = True
        sender = self.sender(timeout_s=5.0)
        sender.send(a_purpose(number))
        hashes = [done.receipt.tx_hash for done in sender.finish()]
        with self.ledger.engine.begin() as connection:
            append_booked(connection, hashes)
        self.chain.busy = False

    def nonces(self) -> list[int]:
        return [signed["nonce"] for signed in self.signer.signed]


@pytest.fixture
def desk() -> Iterator[Desk]:
    ledger = Ledger.open("sqlite://")
    made = Desk(ledger)
    made.do(1)
    yield made
    ledger.engine.dispose()


def test_what_the_owner_had_mined_is_gone_on_from_once_it_is_final(desk: Desk) -> None:
    desk.chain.stranger_uses(1)
    desk.chain.stranger_uses(2)
    desk.chain.mine(CONFIRMATIONS - 1)
    with pytest.raises(ChainError, match="used a nonce before 3, and that is not final yet; wait"):
        desk.sender().send(a_purpose(2))
    assert desk.nonces() == [0]
    desk.chain.mine()
    desk.do(2)
    assert desk.nonces() == [0, 3]
    assert {intent.status for intent in desk.journal.history(ACCOUNT)} == {Status.BOOKED}


def test_what_the_owner_has_pending_is_waited_for(desk: Desk) -> None:
    desk.chain.stranger_uses(1)
    with pytest.raises(ChainError, match=r"its owner signed are pending \(1 of them\); wait"):
        desk.sender().send(a_purpose(2))
    assert desk.nonces() == [0]
    desk.chain.mine(CONFIRMATIONS)
    desk.do(2)


def test_what_a_reorganisation_took_from_the_owner_is_nobodys(desk: Desk) -> None:
    desk.chain.stranger_uses(1)
    desk.chain.mine()
    with pytest.raises(ChainError, match="not final yet"):
        desk.sender().send(a_purpose(2))
    desk.chain.reorganise(1, forget=True)
    desk.do(2)
    assert desk.nonces() == [0, 1]


def test_a_nonce_that_the_owner_took_from_a_transaction_of_ours_still_halts(desk: Desk) -> None:
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(2))
    desk.chain.stranger_uses(1)
    desk.chain.mine(CONFIRMATIONS)
    with pytest.raises(StrangersTransaction, match="nonce 1, of swap, was used by"):
        list(desk.sender().take_over("main"))


def test_what_was_decided_before_the_owner_signed_is_decided_again(desk: Desk) -> None:
    nonce_then = desk.chain.nonce
    desk.chain.stranger_uses(1)
    desk.chain.mine(CONFIRMATIONS)
    with pytest.raises(ChainError, match="is 2, and was to be 1 when swap was decided; decide ag"):
        desk.sender().send(a_purpose(2), nonce_then)
    assert desk.nonces() == [0]


def test_what_a_lost_journal_sent_is_not_done_again_where_it_may_be_the_owners(
    desk: Desk,
) -> None:
    nonce_then = desk.chain.nonce
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(2))
    desk.ledger = Ledger.open("sqlite://")
    desk.chain.mine(CONFIRMATIONS)
    with pytest.raises(ChainError, match="decide again"):
        desk.sender().send(a_purpose(2), nonce_then)
    assert desk.nonces() == [0, 1]
    desk.ledger.engine.dispose()
