"""Whatever a chain, its nodes and the power do: nothing is done twice, and everything ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from a_person import resume
from builders import ACCOUNT, CHAIN_ID, a_purpose
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from paper_chain import (
    CAP,
    CONFIRMATIONS,
    GWEI,
    PaperChain,
    PaperSigner,
    PaperTransaction,
    a_sender,
)
from sqlalchemy import func, select
from whole_intents import whole_intents

from lpmanager.errors import ChainError, Halted, MaybeSent, RpcUnavailable, StrangersTransaction
from lpmanager.execution.fees import FeePolicy
from lpmanager.execution.intent import CLOSED, Intent, Status
from lpmanager.execution.sender import Settled
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.journal import TransactionJournal, append_booked
from lpmanager.ledger.store import Ledger
from lpmanager.ledger.tables import halts

CALL_CAP = FeePolicy(cap=CAP).call_cap
NOTHING, STRANGERS = "0x", "stranger"
#: Looks by which everything has ended on a chain that mines and whose gas is cheap.
ENOUGH = 30


class Killed(BaseException):
    """As `kill -9`: nothing catches it."""


class MortalJournal(TransactionJournal):
    """The journal of a process that may be killed before or after it has written a row."""

    point: Callable[[], None]

    def _append(self, *values: Any, **more: Any) -> None:
        self.point()
        super()._append(*values, **more)
        self.point()


class Lifecycle(RuleBasedStateMachine):
    """An account whose processes come and go, on a chain that does as it likes.

    Reorganisations are never as deep as what counts as final.
    """

    def __init__(self, empty: Ledger) -> None:
        super().__init__()
        self.ledger = empty.rehearsal()
        self.chain = PaperChain()
        self.chain.meddle = self.meddle
        self.signer = PaperSigner()
        self.planned = 0
        self.halted = False
        self.silent_for = 0
        self.killed_at: int | None = None
        self.settled: list[Settled] = []
        self.start()

    # ---- the program ----

    def start(self) -> None:
        """A new process, which knows only what the journal says."""
        self.killed_at = None
        self.took_over = False
        self.journal = MortalJournal(self.ledger.engine, CHAIN_ID)
        self.journal.point = self.point
        self.sender = a_sender(self.chain, self.journal, self.signer, self.may_sign)

    def may_sign(self) -> None:
        if self.halted:
            raise Halted("campaign main is halted")
        Diary(self.ledger.engine, "main").require_running()

    @rule()
    def a_person_looks(self) -> None:
        """And lifts what halts stand, as those that a killed process had written down."""
        resume(Diary(self.ledger.engine, "main"), 1)

    def point(self) -> None:
        if self.killed_at is not None:
            self.killed_at -= 1
            if self.killed_at < 0:
                raise Killed

    def meddle(self, method: str) -> Any | None:
        if method == "eth_sendRawTransaction":
            self.point()
        if self.silent_for:
            self.silent_for -= 1
            return RpcUnavailable("no answer")
        return None

    @initialize(calls=st.integers(1, 3))
    def begins(self, calls: int) -> None:
        """Or many an example would never come to sign anything."""
        self.acts(calls, time_left=600, busy=False, killed_at=None)

    @rule(
        calls=st.integers(1, 3),
        time_left=st.sampled_from([-1, 30, 600]),
        busy=st.booleans(),
        killed_at=st.one_of(st.none(), st.integers(0, 14)),
    )
    def acts(self, calls: int, time_left: int, busy: bool, killed_at: int | None) -> None:
        """As a cycle does: take over what is open, then send some calls. The chain is `busy` where
        it mines a block at every look."""
        self.chain.busy, self.killed_at = busy, killed_at
        self.looks()
        for _ in range(calls):
            self.planned += 1
            purpose = a_purpose(self.planned, deadline=self.chain.head.timestamp + time_left)
            self.run(partial(self.sender.send, purpose))
        self.chain.busy, self.killed_at = False, None

    @rule()
    def looks(self) -> None:
        """After what is under way: its own, or after a restart what the journal has open."""

        def watch() -> None:
            begun = self.sender.finish() if self.took_over else self.sender.take_over("main")
            self.took_over = True
            self.book(begun)

        self.run(watch)

    def run(self, do: Callable[[], object]) -> None:
        try:
            do()
        except Killed:
            self.start()
        except StrangersTransaction:
            self.a_person_looks()
            self.took_over = False
        except (ChainError, Halted):
            self.took_over = False

    def book(self, settled: Iterable[Settled]) -> None:
        done: list[Settled] = []
        try:
            for one in settled:
                done.append(one)
        finally:
            self.settled += done
            with self.ledger.engine.begin() as connection:
                append_booked(connection, [one.receipt.tx_hash for one in done])

    # ---- the world ----

    @rule(
        blocks=st.integers(1, 6),
        seconds=st.sampled_from([1, 12, 60]),
        halted=st.sampled_from([False, False, True]),
        unindexed=st.sampled_from([0, 0, 1, 2 * CONFIRMATIONS]),
    )
    def mines(self, blocks: int, seconds: int, halted: bool, unindexed: int) -> None:
        """And the program looks at every block; while it is halted it may sign nothing. Receipts
        are told so many blocks late until it mines again, those of final blocks among them."""
        self.chain.unindexed = unindexed
        self.halted, signed = halted, len(self.signer.signed)
        for _ in range(blocks):
            self.chain.mine(seconds=seconds)
            self.looks()
        assert not halted or len(self.signer.signed) == signed
        self.halted = False

    @rule(depth=st.integers(1, CONFIRMATIONS - 1), forget=st.booleans())
    def reorganises(self, depth: int, forget: bool) -> None:
        if depth < len(self.chain.blocks):
            self.chain.reorganise(depth, forget=forget)

    @rule()
    def forgets(self) -> None:
        self.chain.forget()

    @rule(which=st.integers(0, 20))
    def remembers(self, which: int) -> None:
        self.chain.remember(which)

    @rule(gwei=st.sampled_from([0, 1, 5, 60, 95, 10_000]), tip=st.sampled_from([0, GWEI, 10**15]))
    def gas_costs(self, gwei: int, tip: int) -> None:
        self.chain.base_fee, self.chain.tip = gwei * GWEI, tip

    @rule(ahead=st.integers(0, 3))
    def a_stranger_signs(self, ahead: int) -> None:
        """Most often for a nonce that nobody comes to."""
        self.chain.stranger_uses(self.chain.nonce + ahead)

    @rule(requests=st.integers(1, 12))
    def falls_silent(self, requests: int) -> None:
        self.silent_for = requests

    @rule()
    def restarts(self) -> None:
        self.start()

    # ---- the laws ----

    def intents(self) -> list[Intent]:
        return whole_intents(self.ledger.engine, ACCOUNT, CHAIN_ID)

    def ours(self) -> list[PaperTransaction]:
        """What is mined and was signed by the program."""
        return [tx for tx in self.chain.mined if tx.data != STRANGERS]

    @invariant()
    def no_call_is_mined_twice(self) -> None:
        calls = [tx.data for tx in self.ours() if tx.data != NOTHING]
        assert len(calls) == len(set(calls))

    @invariant()
    def no_call_is_signed_under_two_nonces(self) -> None:
        nonces: defaultdict[bytes, set[int]] = defaultdict(set)
        for signed in self.signer.signed:
            if signed["data"]:
                nonces[signed["data"]].add(signed["nonce"])
        assert all(len(used) == 1 for used in nonces.values())

    @invariant()
    def no_offer_is_above_its_cap(self) -> None:
        for signed in self.signer.signed:
            most = CALL_CAP if signed["data"] else CAP
            assert signed["maxPriorityFeePerGas"] <= signed["maxFeePerGas"] <= most

    @invariant()
    def no_nonce_is_signed_for_by_two_intents(self) -> None:
        nonces = [intent.nonce for intent in self.intents() if intent.attempts]
        assert len(nonces) == len(set(nonces))

    @invariant()
    def every_replacement_offers_an_eighth_more_of_both(self) -> None:
        for intent in self.intents():
            for before, after in pairwise(intent.attempts):
                assert 8 * after.max_fee >= 9 * before.max_fee
                assert 8 * after.tip >= 9 * before.tip
                assert after.cancels >= before.cancels

    @invariant()
    def nothing_is_on_its_way_that_is_not_in_the_journal(self) -> None:
        written = {a.tx_hash for intent in self.intents() for a in intent.attempts}
        assert {tx.tx_hash for tx in self.chain.taken} <= written

    @invariant()
    def only_what_was_never_signed_is_abandoned(self) -> None:
        abandoned = [i for i in self.intents() if i.status is Status.ABANDONED]
        assert [i for i in abandoned if i.attempts] == []

    @invariant()
    def only_what_is_not_mined_is_given_up_for_a_strangers(self) -> None:
        mined = {tx.tx_hash for tx in self.chain.mined}
        replaced = [i for i in self.intents() if i.status is Status.REPLACED]
        assert [a for i in replaced for a in i.attempts if a.tx_hash in mined] == []

    @invariant()
    def every_nonce_that_a_stranger_took_has_halted_the_campaign(self) -> None:
        """Wherever the process was killed."""
        replaced = [i for i in self.intents() if i.status is Status.REPLACED]
        with self.ledger.engine.connect() as connection:
            assert connection.execute(select(func.count(halts.c.id))).scalar() == len(replaced)

    @invariant()
    def what_was_told_to_be_final_is_on_the_chain(self) -> None:
        mined = {tx.tx_hash: tx for tx in self.chain.mined}
        for settled in self.settled:
            data = mined[settled.receipt.tx_hash].data
            call = "0x" + settled.purpose.call.data.hex()
            assert data == (NOTHING if settled.status is Status.CANCELLED else call)

    @invariant()
    def the_journal_is_told_the_same_by_all_who_read_it(self) -> None:
        whole = self.intents()
        assert self.journal.history(ACCOUNT) == [intent.summary() for intent in whole]
        assert self.journal.open_intents(ACCOUNT) == [i for i in whole if i.status not in CLOSED]

    def teardown(self) -> None:
        """On a chain that mines again all ends, all that was mined is booked, and it goes on."""
        self.silent_for = self.chain.unindexed = 0
        self.chain.base_fee, self.chain.tip, self.chain.busy = GWEI, GWEI // 10, True
        self.ends()
        self.goes_on()
        self.ends()
        intents = self.intents()
        assert [i.status for i in intents if i.status not in CLOSED] == []
        booked = [i for i in intents if i.status is Status.BOOKED]
        assert len(self.settled) == len(booked) == len(self.ours())
        self.ledger.engine.dispose()

    def ends(self) -> None:
        for _ in range(ENOUGH):
            self.start()
            self.a_person_looks()
            try:
                self.book(self.sender.take_over("main"))
            except (MaybeSent, StrangersTransaction):
                continue
            return

    def goes_on(self) -> None:
        """Once it has been told of each stranger, and that is final, something new is sent."""
        self.chain.mine(CONFIRMATIONS)  # it may have been told of the last one just before
        self.planned += 1
        last = a_purpose(self.planned, deadline=self.chain.head.timestamp + 10**6)
        with suppress(StrangersTransaction):
            self.sender.send(last)
            return
        self.a_person_looks()
        self.chain.mine(CONFIRMATIONS)
        self.sender.send(last)


@pytest.fixture(scope="module")
def empty() -> Iterator[Ledger]:
    ledger = Ledger.open("sqlite://")
    yield ledger
    ledger.engine.dispose()


def test_nothing_is_done_twice_and_everything_ends(empty: Ledger) -> None:
    run_state_machine_as_test(
        lambda: Lifecycle(empty), settings=settings(max_examples=60, stateful_step_count=40)
    )
