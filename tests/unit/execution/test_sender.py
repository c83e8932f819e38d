"""One intent after the other, each written down before it is sent and seen through to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from a_person import resume
from builders import ACCOUNT, CHAIN_ID, GENESIS, a_hash, a_purpose
from paper_chain import (
    BUMP_AFTER_S,
    CAP,
    CONFIRMATIONS,
    GWEI,
    PaperChain,
    PaperRelay,
    PaperSender,
    PaperSigner,
    PaperTransaction,
    a_sender,
)
from round_trips import Counting
from sqlalchemy import text
from stamina.instrumentation import get_on_retry_hooks, set_on_retry_hooks
from whole_intents import whole_intents

from lpmanager.chain.node import Node, Receipt
from lpmanager.chain.transport import RpcError
from lpmanager.errors import (
    CallReverted,
    ChainError,
    Halted,
    JournalDamaged,
    MaybeSent,
    RpcUnavailable,
    SignerUnavailable,
    SigningRefused,
    StoreError,
    StrangersTransaction,
    TransactionFailed,
    WrongChain,
)
from lpmanager.execution.intent import Attempt, Intent, Status
from lpmanager.execution.looking import look
from lpmanager.execution.sender import Settled
from lpmanager.execution.whose import owners
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.journal import TransactionJournal, append_booked
from lpmanager.ledger.store import Ledger
from lpmanager.model import Block

PATIENT = 5.0


@dataclass
class Desk:
    """An account on a paper chain, with a journal. Every process is a sender of its own."""

    ledger: Ledger
    chain: PaperChain = field(default_factory=PaperChain)
    signer: PaperSigner = field(default_factory=PaperSigner)
    halt: Exception | None = None

    @property
    def journal(self) -> TransactionJournal:
        return self.ledger.journal(CHAIN_ID)

    def sender(self, *, timeout_s: float = 0.0) -> PaperSender:
        return a_sender(self.chain, self.journal, self.signer, self.may_sign, timeout_s=timeout_s)

    def may_sign(self) -> None:
        if self.halt is not None:
            raise self.halt

    def halted(self, campaign: str = "main") -> str | None:
        return Diary(self.ledger.engine, campaign).halted()

    def resume(self, campaign: str = "main") -> None:
        """A person has looked."""
        resume(Diary(self.ledger.engine, campaign), 1)

    def intents(self) -> list[Intent]:
        return whole_intents(self.ledger.engine, ACCOUNT, CHAIN_ID)

    def open(self) -> list[Intent]:
        return self.journal.open_intents(ACCOUNT)

    def calls_mined(self) -> list[str]:
        return [tx.data for tx in self.chain.mined]

    def settle(self, campaign: str = "main") -> list[Settled]:
        """What a new process takes over and books, on a chain that mines."""
        self.chain.busy = True
        settled = list(self.sender(timeout_s=PATIENT).take_over(campaign))
        self.chain.busy = False
        self.book(settled)
        return settled

    def book(self, settled: list[Settled]) -> None:
        with self.ledger.engine.begin() as connection:
            append_booked(connection, [done.receipt.tx_hash for done in settled])

    def did(self, number: int) -> None:
        """A call that is sent, final and booked, on a chain that mines."""
        self.chain.busy = True
        sender = self.sender(timeout_s=PATIENT)
        sender.send(a_purpose(number))
        self.book(list(sender.finish()))
        self.chain.busy = False

    def a_stranger_signed(self, nonce: int) -> None:
        """And it is final."""
        self.chain.stranger_uses(nonce)
        self.chain.mine(CONFIRMATIONS)

    def sent_and_lost_sight_of(self, *numbers: int, campaign: str = "main") -> None:
        """Intents that an earlier process signed and sent, and saw nothing more of."""
        sender = self.sender()
        for number in numbers:
            with pytest.raises(MaybeSent):
                sender.send(a_purpose(number, campaign=campaign))

    def raised_an_offer(self) -> PaperTransaction:
        """A call was offered too little for a chain that is dear, and more since; the first."""
        self.sent_and_lost_sight_of(1)
        first = self.chain.pool[0]
        self.chain.base_fee = 4 * GWEI
        self.chain.mine(3)
        with pytest.raises(MaybeSent):
            list(self.sender().take_over("main"))
        return first


@pytest.fixture(scope="module")
def empty() -> Iterator[Ledger]:
    ledger = Ledger.open("sqlite://")
    yield ledger
    ledger.engine.dispose()


@pytest.fixture
def desk(empty: Ledger) -> Iterator[Desk]:
    ledger = empty.rehearsal()
    yield Desk(ledger)
    ledger.engine.dispose()


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """On a chain that mines a block at every look."""
    desk.chain.busy = True
    return desk


def data_of(*numbers: int) -> list[str]:
    return ["0x" + a_purpose(number).call.data.hex() for number in numbers]


def no_more_than_once(desk: Desk) -> bool:
    calls = [call for call in desk.calls_mined() if call != "0x"]
    return len(calls) == len(set(calls))


# ---- the plain way ----


def test_a_call_goes_from_planned_to_final(busy: Desk) -> None:
    sender = busy.sender(timeout_s=PATIENT)
    receipt = sender.send(a_purpose(1))
    assert receipt.succeeded
    assert [intent.status for intent in busy.open()] == [Status.MINED]
    (settled,) = sender.finish()
    assert (settled.purpose, settled.status) == (a_purpose(1), Status.FINAL)
    assert settled.receipt.tx_hash == receipt.tx_hash
    depth = busy.chain.head.number - settled.receipt.block_number + 1
    assert depth == 3
    busy.book([settled])
    assert busy.open() == []


def test_calls_of_a_plan_need_not_be_final_for_the_next_to_be_sent(busy: Desk) -> None:
    sender = busy.sender(timeout_s=PATIENT)
    for number in (1, 2, 3):
        sender.send(a_purpose(number), 0)
    assert [s.purpose for s in sender.finish()] == [a_purpose(n) for n in (1, 2, 3)]
    assert [intent.nonce for intent in busy.intents()] == [0, 1, 2]
    assert busy.calls_mined() == data_of(1, 2, 3)


def test_the_next_call_of_a_plan_is_simulated_on_a_block_that_holds_the_one_before(
    desk: Desk,
) -> None:
    """Receipts are told by RPCs that are above the head that enough of them agree on."""
    desk.chain.eager = 2
    desk.chain.waiting_for = {data: number for number, data in enumerate(data_of(1, 2, 3))}
    sender = desk.sender(timeout_s=PATIENT)
    desk.chain.mine()
    for number in (1, 2, 3):
        assert sender.send(a_purpose(number), 0).succeeded
    assert desk.calls_mined() == data_of(1, 2, 3)


def test_a_head_that_goes_back_behind_what_the_plan_has_done_is_waited_out(desk: Desk) -> None:
    desk.chain.eager = 1
    desk.chain.waiting_for = dict(zip(data_of(2), [1], strict=True))
    sender = desk.sender(timeout_s=PATIENT)
    first = sender.send(a_purpose(1), 0)
    desk.chain.late = 2
    assert sender.head().number == first.block_number
    desk.chain.late = 2
    assert sender.send(a_purpose(2), 0).succeeded


def test_on_a_head_that_stays_behind_what_the_plan_has_done_nothing_is_signed(desk: Desk) -> None:
    desk.chain.eager = 1
    sender = desk.sender(timeout_s=0.1)
    sender.send(a_purpose(1), 0)
    desk.chain.late = 10**9
    with pytest.raises(ChainError, match=r"waited 0.1 s for block 1, .* to decide at is 0: "):
        sender.send(a_purpose(2), 0)
    assert len(desk.signer.signed) == 1


def test_what_is_mined_above_the_head_is_neither_offered_more_nor_cancelled(desk: Desk) -> None:
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(1, deadline=GENESIS + 20))
    desk.chain.base_fee = 4 * GWEI
    desk.chain.mine(BUMP_AFTER_S)
    desk.chain.base_fee = GWEI
    desk.chain.mine()
    desk.chain.late = 1
    with pytest.raises(MaybeSent, match="not final"):
        list(desk.sender().take_over("main"))
    assert len(desk.signer.signed) == 1


def test_a_call_that_is_mined_and_reverts_has_failed(busy: Desk) -> None:
    busy.chain.failing.update(data_of(1))
    sender = busy.sender(timeout_s=PATIENT)
    assert not sender.send(a_purpose(1)).succeeded
    assert [settled.status for settled in sender.finish()] == [Status.FAILED]


def test_the_chains_own_finality_counts_where_it_is_asked_for(desk: Desk) -> None:
    desk.sent_and_lost_sight_of(1)
    sender = a_sender(desk.chain, desk.journal, desk.signer, confirmations=None)
    desk.chain.mine(5)
    with pytest.raises(MaybeSent, match="not final"):
        list(sender.take_over("main"))
    desk.chain.mine()
    assert [settled.status for settled in sender.take_over("main")] == [Status.FINAL]


# ---- before anything is signed ----


def test_the_bytes_are_in_the_journal_before_the_node_gets_them(desk: Desk) -> None:
    at_sending: list[list[Intent]] = []

    def note_what_is_written(method: str) -> None:
        if method == "eth_sendRawTransaction":
            at_sending.append(desk.intents())

    desk.chain.meddle = note_what_is_written
    desk.sent_and_lost_sight_of(1)
    (intent,) = at_sending[0]
    assert intent.status is Status.SIGNED
    assert PaperTransaction.of(intent.attempts[0].raw) == desk.chain.pool[0]


def test_a_call_that_would_revert_is_neither_signed_nor_written_down(desk: Desk) -> None:
    desk.chain.reverting.update(data_of(1))
    with pytest.raises(CallReverted, match="swap: would revert"):
        desk.sender().send(a_purpose(1))
    assert (desk.signer.signed, desk.intents()) == ([], [])


@pytest.mark.parametrize(
    ("chain", "error", "message"),
    [
        ({"chain_id": 1}, WrongChain, "the RPC serves chain 1 now, the configuration says 31337"),
        ({"base_fee": CAP}, ChainError, "swap: gas costs .* above the"),
    ],
)
def test_nothing_is_signed_on_a_chain_that_is_not_fit_for_it(
    desk: Desk, chain: dict[str, int], error: type[Exception], message: str
) -> None:
    for name, value in chain.items():
        setattr(desk.chain, name, value)
    desk.chain.mine()
    with pytest.raises(error, match=message):
        desk.sender().send(a_purpose(1))
    assert (desk.signer.signed, desk.intents()) == ([], [])


def test_gas_that_nothing_takes_is_an_error_of_the_rpc_and_the_next_estimate_counts(
    busy: Desk,
) -> None:
    """What is signed at such an estimate is refused, and that would halt the campaign."""
    busy.chain.meddle = wrong_estimate_once()
    with pytest.raises(ChainError, match=r"estimates 50000000 gas; .* more than the 10000000"):
        busy.sender(timeout_s=PATIENT).send(a_purpose(1))
    assert (busy.signer.signed, busy.open()) == ([], [])
    assert busy.sender(timeout_s=PATIENT).send(a_purpose(1)).succeeded


@pytest.mark.parametrize("deadline", [GENESIS + 20, GENESIS + 10**6])
def test_nothing_is_signed_anew_at_such_an_estimate_either(desk: Desk, deadline: int) -> None:
    """Neither the call again nor its cancellation."""
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(1, deadline=deadline))
    desk.chain.base_fee = 4 * GWEI
    desk.chain.mine(3)
    desk.chain.meddle = wrong_estimate_once()
    with pytest.raises(MaybeSent):
        list(desk.sender().take_over("main"))
    assert len(desk.signer.signed) == 1
    desk.settle()
    assert len(desk.signer.signed) == 2


def wrong_estimate_once() -> Callable[[str], str | None]:
    wrong = iter([hex(50_000_000)])
    return lambda method: next(wrong, None) if method == "eth_estimateGas" else None


def test_a_halt_keeps_from_signing_and_leaves_nothing_open(desk: Desk) -> None:
    desk.halt = Halted("campaign main is halted")
    with pytest.raises(Halted):
        desk.sender().send(a_purpose(1))
    assert desk.signer.signed == []
    assert [intent.status for intent in desk.intents()] == [Status.ABANDONED]


def test_nothing_is_signed_on_a_journal_that_is_damaged(desk: Desk) -> None:
    desk.sent_and_lost_sight_of(1)
    with desk.ledger.engine.begin() as connection:
        connection.execute(text("UPDATE journal SET event = 'abandoned' WHERE id = 3"))
    with pytest.raises(JournalDamaged, match="row 3 "):
        desk.sender().send(a_purpose(2))
    with pytest.raises(JournalDamaged, match="row 3 "):
        desk.settle()
    assert len(desk.signer.signed) == 1


def test_a_signer_that_does_not_sign_leaves_nothing_open_and_its_nonce_free(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.signer, "sign", raising(SignerUnavailable("no answer")))
    sender = desk.sender(timeout_s=PATIENT)
    with pytest.raises(SignerUnavailable):
        sender.send(a_purpose(1))
    monkeypatch.undo()
    desk.chain.busy = True
    sender.send(a_purpose(2))
    assert [settled.purpose for settled in sender.finish()] == [a_purpose(2)]
    assert [(i.nonce, i.status) for i in desk.intents()] == [
        (0, Status.ABANDONED),
        (0, Status.FINAL),
    ]


def raising(error: Exception):
    def fail(*_: Any) -> Any:
        raise error

    return fail


# ---- what the node says of a sent transaction proves nothing ----


@pytest.mark.parametrize(
    "trouble",
    [
        RpcUnavailable("no answer"),
        RpcError(-32000, "already known", None),
        RpcError(-32000, "nonce too low", None),
        RpcError(-32000, "replacement transaction underpriced", None),
        RpcError(-32005, "limit exceeded", None),
    ],
)
@pytest.mark.parametrize("taken", [True, False])
def test_whatever_the_node_says_it_is_looked_for_on_chain(
    busy: Desk, trouble: Any, taken: bool
) -> None:
    """`taken`: the node took it, and only its answer is bad. Otherwise it is sent again."""
    answers = iter([trouble])

    def answer_badly(method: str) -> Any:
        if method != "eth_sendRawTransaction" or (bad := next(answers, None)) is None:
            return None
        if taken:
            raw = busy.intents()[0].attempts[0].raw
            busy.chain.pool[0] = PaperTransaction.of(raw)
        return bad

    busy.chain.meddle = answer_badly
    assert busy.sender(timeout_s=PATIENT).send(a_purpose(1)).succeeded
    assert busy.calls_mined() == data_of(1)
    assert len(busy.signer.signed) == 1


def test_silence_while_it_waits_is_no_news(busy: Desk) -> None:
    silent = iter([RpcUnavailable("no answer"), RpcError(-32005, "limit exceeded", None)])
    busy.chain.meddle = lambda m: next(silent, None) if m == "eth_getTransactionReceipt" else None
    assert busy.sender(timeout_s=PATIENT).send(a_purpose(1)).succeeded


def while_he_signs(desk: Desk, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """A person agrees to each signature, and meanwhile that happens."""
    sign = desk.signer.sign

    def sign_at_leisure(transaction: dict[str, Any]) -> Any:
        signed = sign(transaction)
        happens()
        return signed

    monkeypatch.setattr(desk.signer, "sign", sign_at_leisure)


@pytest.fixture
def slow_hand(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Each signature takes ten minutes."""
    while_he_signs(desk, monkeypatch, lambda: desk.chain.mine(seconds=600))
    return desk


def test_what_is_signed_after_its_deadline_is_never_sent(slow_hand: Desk) -> None:
    asked: list[str] = []
    slow_hand.chain.meddle = asked.append
    with pytest.raises(TransactionFailed, match="swap: was signed after its deadline"):
        slow_hand.sender(timeout_s=PATIENT).send(a_purpose(1, deadline=GENESIS + 300))
    assert "eth_sendRawTransaction" not in asked
    assert [intent.status for intent in slow_hand.intents()] == [Status.ABANDONED]
    slow_hand.sent_and_lost_sight_of(2)
    assert [tx.nonce for tx in slow_hand.chain.taken] == [0]


def test_a_higher_offer_that_is_signed_after_the_deadline_is_never_sent_nor_the_one_before_again(
    slow_hand: Desk,
) -> None:
    with pytest.raises(MaybeSent):
        slow_hand.sender().send(a_purpose(1, deadline=GENESIS + 1_000))
    slow_hand.chain.forget()
    slow_hand.chain.taken.clear()
    slow_hand.chain.mine(seconds=BUMP_AFTER_S)
    with pytest.raises(MaybeSent):
        list(slow_hand.sender().take_over("main"))
    assert slow_hand.chain.taken == []
    assert len(slow_hand.signer.signed) == 2
    assert [settled.status for settled in slow_hand.settle()] == [Status.CANCELLED]


def test_what_would_revert_by_the_time_that_it_is_signed_is_never_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    while_he_signs(desk, monkeypatch, lambda: desk.chain.reverting.update(data_of(1)))
    with pytest.raises(CallReverted, match="swap: would revert"):
        desk.sender(timeout_s=PATIENT).send(a_purpose(1))
    assert desk.chain.taken == []
    assert [intent.status for intent in desk.intents()] == [Status.ABANDONED]


def test_a_head_that_nobody_has_is_no_reason_to_send_what_was_signed_before_it_was_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (head,) = desk.chain.request_many([("eth_getBlockByNumber", ["latest", False])])
    lie = {**head, "hash": a_hash(99)}

    def lie_from_now_on() -> None:
        desk.chain.meddle = lambda method: lie if method == "eth_getBlockByNumber" else None

    while_he_signs(desk, monkeypatch, lie_from_now_on)
    with pytest.raises(ChainError, match="header not found"):
        desk.sender(timeout_s=PATIENT).send(a_purpose(1))
    assert desk.chain.taken == []
    assert [intent.status for intent in desk.intents()] == [Status.ABANDONED]


def test_a_relay_has_a_call_alone_from_the_moment_it_is_signed(slow_hand: Desk) -> None:
    relay = PaperRelay(slow_hand.chain)
    sends(slow_hand, relay, FALLBACK_S)
    assert len(relay.handed) == 2
    assert slow_hand.chain.taken == []


def test_what_the_nodes_have_dropped_is_sent_again_unchanged(desk: Desk) -> None:
    desk.sent_and_lost_sight_of(1)
    desk.chain.forget()
    assert [settled.status for settled in desk.settle()] == [Status.FINAL]
    assert len(desk.signer.signed) == 1


def test_what_is_not_mined_in_time_stays_open_and_nothing_else_is_signed(desk: Desk) -> None:
    sender = desk.sender()
    with pytest.raises(MaybeSent, match="swap: not mined within 0 s; it may still be"):
        sender.send(a_purpose(1))
    assert [intent.status for intent in desk.open()] == [Status.SENT]
    with pytest.raises(MaybeSent, match=r"is not settled .*lpm run --once --live main"):
        desk.sender().send(a_purpose(2))
    assert len(desk.signer.signed) == 1


# ---- replacements ----


def test_an_offer_that_stands_too_long_is_raised_under_the_same_nonce(desk: Desk) -> None:
    desk.chain.base_fee = GWEI
    desk.sent_and_lost_sight_of(1)
    desk.chain.base_fee = 4 * GWEI
    desk.chain.mine(3)
    assert [settled.status for settled in desk.settle()] == [Status.FINAL]
    first, second = desk.signer.signed
    assert (first["nonce"], first["data"]) == (second["nonce"], second["data"])
    for field_name in ("maxFeePerGas", "maxPriorityFeePerGas"):
        assert 8 * second[field_name] >= 9 * first[field_name]
    assert desk.calls_mined() == data_of(1)


def test_the_offer_that_was_replaced_may_be_the_one_that_is_mined(desk: Desk) -> None:
    first = desk.raised_an_offer()
    assert desk.chain.pool[0] != first
    desk.chain.pool[0] = first
    desk.chain.base_fee = GWEI
    (settled,) = desk.settle()
    assert settled.receipt.tx_hash == first.tx_hash
    assert desk.calls_mined() == data_of(1)


def test_a_call_is_cancelled_at_its_deadline(desk: Desk) -> None:
    sender = desk.sender()
    soon = a_purpose(1, deadline=GENESIS + 20)
    with pytest.raises(MaybeSent):
        sender.send(soon)
    desk.chain.base_fee = 4 * GWEI  # above the first offer
    desk.chain.mine(2)
    (settled,) = desk.settle()
    assert settled.status is Status.CANCELLED
    cancel = desk.signer.signed[-1]
    assert (cancel["to"], cancel["data"], cancel["value"]) == (ACCOUNT, b"", 0)
    assert desk.calls_mined() == ["0x"]


def test_who_waits_for_a_call_is_told_that_it_was_cancelled(busy: Desk) -> None:
    busy.chain.meddle = first_send_is_lost()
    with pytest.raises(TransactionFailed, match="swap: cancelled at its deadline"):
        busy.sender(timeout_s=PATIENT).send(a_purpose(1, deadline=GENESIS + 30))
    assert busy.calls_mined() == ["0x"]


def first_send_is_lost():
    lost = iter([RpcUnavailable("no answer")])
    return lambda m: next(lost, None) if m == "eth_sendRawTransaction" else None


def test_a_halt_keeps_from_signing_a_replacement_but_not_from_sending_again(desk: Desk) -> None:
    desk.sent_and_lost_sight_of(1)
    desk.chain.forget()
    desk.chain.mine(3)
    desk.halt = Halted("campaign main is halted")
    assert [settled.status for settled in desk.settle()] == [Status.FINAL]
    assert len(desk.signer.signed) == 1


def test_no_replacement_is_signed_on_another_chain(desk: Desk) -> None:
    """The RPC serves another one since the call was sent."""
    desk.sent_and_lost_sight_of(1)
    desk.chain.base_fee = 4 * GWEI
    desk.chain.mine(3)
    desk.chain.chain_id = 1
    with pytest.raises(MaybeSent, match="not final"):
        list(desk.sender().take_over("main"))
    assert len(desk.signer.signed) == 1


def test_a_replacement_that_would_revert_is_not_signed(desk: Desk) -> None:
    desk.sent_and_lost_sight_of(1)
    desk.chain.reverting.update(data_of(1))
    desk.chain.base_fee = 4 * GWEI
    desk.chain.mine(3)
    with pytest.raises(MaybeSent):
        list(desk.sender().take_over("main"))
    assert len(desk.signer.signed) == 1


def test_a_higher_offer_is_simulated_at_the_head_whatever_its_gas_is_estimated_at(
    desk: Desk,
) -> None:
    """Gas is estimated on the state that is pending, and by some nodes on an older one."""
    desk.sent_and_lost_sight_of(1)
    first = desk.chain.pool[0]
    desk.chain.base_fee = 4 * GWEI
    desk.chain.mine(3)
    desk.chain.meddle = reverts_when_simulated
    with pytest.raises(MaybeSent):
        list(desk.sender().take_over("main"))
    assert len(desk.signer.signed) == 1
    assert desk.chain.pool == {0: first}


def test_what_would_revert_by_now_is_cancelled_at_its_deadline(desk: Desk) -> None:
    """What is sent to oneself needs no simulation."""
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(1, deadline=GENESIS + 20))
    desk.chain.base_fee = 4 * GWEI
    desk.chain.mine(3)
    desk.chain.meddle = reverts_when_simulated
    (settled,) = desk.settle()
    assert settled.status is Status.CANCELLED
    assert desk.calls_mined() == ["0x"]


def reverts_when_simulated(method: str) -> RpcError | None:
    return RpcError(3, "execution reverted", "0x") if method == "eth_call" else None


def test_a_call_past_its_deadline_is_not_handed_out_where_its_cancellation_cannot_be_signed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(1, deadline=GENESIS + 20))
    desk.chain.forget()
    desk.chain.mine(2)
    with monkeypatch.context() as signer_is_away:
        signer_is_away.setattr(desk.signer, "sign", raising(SignerUnavailable("no answer")))
        with pytest.raises(MaybeSent):
            list(desk.sender().take_over("main"))
    assert desk.chain.pool == {}
    assert [settled.status for settled in desk.settle()] == [Status.CANCELLED]


@pytest.mark.parametrize(
    ("halt", "cap"),
    [(Halted("campaign main is halted"), CAP), (None, GWEI)],
    ids=["in a halt", "where the cap was lowered too far"],
)
def test_a_call_past_its_deadline_that_cannot_be_cancelled_now_is_not_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, halt: Exception | None, cap: int
) -> None:
    """Who runs on a timetable looks again at the next tick, and at other campaigns meanwhile."""
    overdue_and_forgotten(desk)
    desk.halt = halt
    sender = a_sender(
        desk.chain, desk.journal, desk.signer, desk.may_sign, timeout_s=PATIENT, cap=cap
    )
    with monkeypatch.context() as nobody_waits:
        nobody_waits.setattr("lpmanager.execution.sender.time.sleep", raising(AssertionError()))
        with pytest.raises(MaybeSent, match=r"past its deadline.* nothing can be signed to cancel"):
            list(sender.take_over("main"))
    assert desk.chain.pool == {}
    desk.halt = None
    assert [settled.status for settled in desk.settle()] == [Status.CANCELLED]


def test_a_cancellation_is_tried_again_where_the_signer_was_away_for_a_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    overdue_and_forgotten(desk)
    away, sign = iter([SignerUnavailable("no answer")]), desk.signer.sign

    def sign_later(transaction: dict[str, Any]) -> Any:
        for error in away:
            raise error
        return sign(transaction)

    monkeypatch.setattr(desk.signer, "sign", sign_later)
    assert [settled.status for settled in desk.settle()] == [Status.CANCELLED]


def test_what_is_mined_past_its_deadline_is_waited_for_in_a_halt_too(desk: Desk) -> None:
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(1, deadline=GENESIS + 20))
    desk.chain.mine(2)
    desk.halt = Halted("campaign main is halted")
    assert [settled.status for settled in desk.settle()] == [Status.FINAL]


def overdue_and_forgotten(desk: Desk) -> None:
    """A call that an earlier process sent, and that no node has any more."""
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(1, deadline=GENESIS + 20))
    desk.chain.forget()
    desk.chain.mine(2)


def test_a_replacement_that_the_signer_refuses_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sent_and_lost_sight_of(1)
    desk.chain.forget()
    desk.chain.mine(BUMP_AFTER_S)
    monkeypatch.setattr(desk.signer, "sign", raising(SigningRefused("not what was asked")))
    with pytest.raises(SigningRefused):
        list(desk.sender().take_over("main"))
    assert [intent.status for intent in desk.open()] == [Status.SENT]


# ---- reorganisations ----


def test_what_a_reorganisation_took_out_is_sent_again_and_mined_once(busy: Desk) -> None:
    sender = busy.sender(timeout_s=PATIENT)
    sender.send(a_purpose(1))
    busy.chain.reorganise(1, forget=True)
    assert [settled.status for settled in sender.finish()] == [Status.FINAL]
    assert busy.calls_mined() == data_of(1)
    assert len(busy.signer.signed) == 1


def test_an_earlier_call_that_was_taken_out_does_not_hold_up_the_later_one(busy: Desk) -> None:
    sender = busy.sender(timeout_s=PATIENT)
    sender.send(a_purpose(1))
    took_out = iter([True])

    def reorganise(method: str) -> None:
        if method == "eth_sendRawTransaction" and next(took_out, False):
            busy.chain.reorganise(1, forget=True)

    busy.chain.meddle = reorganise
    assert sender.send(a_purpose(2)).succeeded
    assert busy.calls_mined() == data_of(1, 2)
    assert [settled.status for settled in sender.finish()] == [Status.FINAL] * 2


def test_what_was_settled_and_is_not_booked_is_looked_at_again(desk: Desk) -> None:
    """A reorganisation deeper than what counted as final."""
    desk.sent_and_lost_sight_of(1)
    desk.chain.mine(3)
    (before,) = desk.sender().take_over("main")
    desk.chain.reorganise(3, forget=True)
    (after,) = desk.settle()
    assert after.receipt.block_hash != before.receipt.block_hash
    assert desk.calls_mined() == data_of(1)
    assert desk.open() == []


def test_a_receipt_of_a_branch_that_was_left_is_not_believed(desk: Desk) -> None:
    """An RPC of several nodes may ask one of them that has not seen the reorganisation."""
    desk.sent_and_lost_sight_of(1)
    desk.chain.mine(3)
    sent = desk.intents()[0].attempts[-1].tx_hash
    (orphaned,) = desk.chain.request_many([("eth_getTransactionReceipt", [sent])])
    desk.chain.reorganise(3, forget=True)
    desk.chain.meddle = lambda method: orphaned if method == "eth_getTransactionReceipt" else None
    with pytest.raises(MaybeSent):
        list(desk.sender().take_over("main"))
    assert [intent.inclusion for intent in desk.open()] == [None]
    desk.chain.meddle = lambda _method: None
    (settled,) = desk.settle()
    assert settled.receipt.block_hash != orphaned["blockHash"]
    assert desk.calls_mined() == data_of(1)


def test_a_look_costs_as_many_round_trips_for_four_receipts_as_for_one(desk: Desk) -> None:
    trips = []
    for number in range(1, 5):
        desk.sent_and_lost_sight_of(number, campaign=str(number))
        desk.chain.mine(3)
        counting = Counting(desk.chain)
        sights = look(Node(counting, CHAIN_ID), ACCOUNT, desk.intents(), confirmations=3)
        assert [sight.receipt is not None for sight in sights] == [True] * number
        trips.append(counting.trips)
        desk.settle(str(number))
    assert len(set(trips)) == 1


def test_while_a_call_of_the_plan_is_taken_out_no_other_takes_its_nonce(desk: Desk) -> None:
    sender = desk.sender()
    desk.chain.busy = True
    sender.send(a_purpose(1))
    desk.chain.busy = False
    desk.chain.reorganise(1, forget=True)
    with pytest.raises(
        ChainError, match=r"is at nonce 0 .*which was at 1 before; it lags behind, try again$"
    ):
        sender.send(a_purpose(2))
    assert len(desk.signer.signed) == 1


def test_what_is_booked_and_was_taken_out_is_told_with_a_way_out_that_goes_on(busy: Desk) -> None:
    sender = busy.sender(timeout_s=PATIENT)
    for number in (1, 2):
        sender.send(a_purpose(number))
    busy.book(list(sender.finish()))
    busy.chain.busy = False
    busy.chain.reorganise(len(busy.chain.blocks) - 1, forget=True)
    with pytest.raises(
        ChainError,
        match="lags behind, try again; or a reorganisation took out what is booked: then send "
        r"nothing to yourself from a wallet, 2 times",
    ):
        busy.sender().send(a_purpose(3))
    assert len(busy.signer.signed) == 2
    for nonce in (0, 1):
        busy.chain.stranger_uses(nonce)
    busy.chain.mine(3)
    busy.chain.busy = True
    assert busy.sender(timeout_s=PATIENT).send(a_purpose(3)).succeeded
    assert busy.calls_mined() == ["stranger", "stranger", *data_of(3)]


# ---- somebody else signs for the account ----


def test_a_nonce_that_a_stranger_used_halts_and_is_gone_on_from_after_a_resume(
    desk: Desk,
) -> None:
    desk.did(1)
    desk.a_stranger_signed(1)
    with pytest.raises(
        StrangersTransaction, match="expected its next nonce to be 1, found 2 mined"
    ):
        desk.sender().send(a_purpose(2))
    assert desk.open() == []
    assert len(desk.signer.signed) == 1
    desk.resume()
    desk.did(2)
    assert desk.signer.signed[-1]["nonce"] == 2


def test_a_process_that_dies_once_a_strangers_nonce_is_written_down_has_halted_the_campaign(
    desk: Desk,
) -> None:
    """Whatever it would have done behind that row."""
    desk.did(1)
    desk.a_stranger_signed(1)
    with pytest.raises(StrangersTransaction) as told:
        desk.sender().send(a_purpose(2))
    assert desk.halted() == str(told.value)
    with pytest.raises(Halted, match=r"campaign main is halted: account .* to be 1, found 2 mined"):
        desk.sender().send(a_purpose(2))
    assert desk.calls_mined() == [*data_of(1), "stranger"]


def test_a_strangers_nonce_is_told_to_each_campaign_of_the_account(desk: Desk) -> None:
    """None of them goes on behind a thief because another was told of him."""
    desk.did(1)
    desk.a_stranger_signed(1)
    for campaign in ("main", "aside"):
        with pytest.raises(StrangersTransaction, match=rf"be 1, found 2.*lpm resume {campaign}"):
            desk.sender().send(a_purpose(2, campaign=campaign))
    assert len(desk.signer.signed) == 1


@pytest.mark.parametrize("before", [0, 1])
def test_a_nonce_that_was_taken_from_one_campaign_halts_the_others_too(
    desk: Desk, before: int
) -> None:
    """Also where it is all that the program has ever signed."""
    for number in range(before):
        desk.did(number)
    desk.sent_and_lost_sight_of(7)
    desk.a_stranger_signed(before)
    with pytest.raises(StrangersTransaction, match="of swap, was used by"):
        desk.settle()
    told = f"to be {before}, found {before + 1} mined.*lpm resume aside"
    with pytest.raises(StrangersTransaction, match=told):
        desk.sender().send(a_purpose(8, campaign="aside"))
    assert len(desk.signer.signed) == before + 1


def test_once_a_campaign_was_resumed_and_has_signed_again_the_others_go_on_too(
    desk: Desk,
) -> None:
    """A person has looked at the account."""
    desk.did(1)
    desk.a_stranger_signed(1)
    with pytest.raises(StrangersTransaction):
        desk.sender().send(a_purpose(2))
    desk.resume()
    desk.did(2)
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(3, campaign="aside"))
    assert desk.signer.signed[-1]["nonce"] == 3


def test_an_owner_whose_nonce_was_takenmay_sign_again(desk: Desk) -> None:
    """No halt stops the owner of a vault, and no resume would lift one."""
    name = owners("main")
    desk.sent_and_lost_sight_of(1, campaign=name)
    desk.a_stranger_signed(0)
    with pytest.raises(StrangersTransaction, match="then type the command again"):
        list(desk.sender().take_over(name))
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(2, campaign=name))
    assert desk.signer.signed[-1]["nonce"] == 1


def test_nothing_is_built_on_a_strangers_transaction_that_may_be_taken_out_yet(
    desk: Desk,
) -> None:
    """Without it, what was signed behind it would wait for ever."""
    desk.did(1)
    desk.chain.stranger_uses(1)
    desk.chain.mine()
    with pytest.raises(StrangersTransaction):
        desk.sender().send(a_purpose(2))
    desk.resume()
    with pytest.raises(ChainError, match="somebody else used a nonce before 2, and that is not"):
        desk.sender().send(a_purpose(2))
    assert len(desk.signer.signed) == 1
    desk.chain.mine(2)
    desk.did(2)


def test_a_nonce_that_a_stranger_used_and_a_reorganisation_gave_back_is_ours_again(
    desk: Desk,
) -> None:
    desk.did(1)
    desk.chain.stranger_uses(1)
    desk.chain.mine()
    with pytest.raises(StrangersTransaction):
        desk.sender().send(a_purpose(2))
    desk.chain.reorganise(2, forget=True)
    desk.resume()
    desk.did(2)
    assert desk.signer.signed[-1]["nonce"] == 1


def test_nothing_is_signed_while_a_strangers_transaction_waits(desk: Desk) -> None:
    desk.chain.stranger_uses(0)
    with pytest.raises(StrangersTransaction, match=r"found 0 mined and 1 pending.*lpm resume main"):
        desk.sender().send(a_purpose(1))
    assert (desk.signer.signed, desk.open()) == ([], [])


def test_an_intent_whose_nonce_a_stranger_used_is_given_up(desk: Desk) -> None:
    desk.sent_and_lost_sight_of(1)
    desk.chain.stranger_uses(0)
    with pytest.raises(StrangersTransaction, match=r"nonce 0, of swap, was used by .*resume main"):
        desk.settle()
    assert [intent.status for intent in desk.intents()] == [Status.REPLACED]
    assert "nonce 0, of swap, was used by" in str(desk.halted())
    desk.resume()
    desk.chain.busy = True
    assert desk.sender(timeout_s=PATIENT).send(a_purpose(2)).succeeded
    assert desk.signer.signed[-1]["nonce"] == 1


def test_a_node_that_lags_behind_the_journal_is_not_signed_on(busy: Desk) -> None:
    sender = busy.sender(timeout_s=PATIENT)
    sender.send(a_purpose(1))
    busy.book(list(sender.finish()))
    busy.chain.busy = False
    busy.chain.blocks = busy.chain.blocks[:2]
    with pytest.raises(ChainError, match="lags behind, try again"):
        busy.sender().send(a_purpose(2))
    assert len(busy.signer.signed) == 1


# ---- what was decided, and what the account has done since ----


def test_what_a_lost_journal_sent_is_not_done_again_on_a_decision_made_before_it_was_mined(
    desk: Desk, empty: Ledger
) -> None:
    """The store was deleted while a call waited; what is decided then does not see it yet."""
    nonce_then = desk.chain.nonce
    desk.sent_and_lost_sight_of(1)
    desk.ledger = empty.rehearsal()
    desk.chain.mine()
    with pytest.raises(
        StrangersTransaction, match="expected its next nonce to be 0, found 1 mined and 1 pending"
    ):
        desk.sender().send(a_purpose(1), nonce_then)
    assert len(desk.signer.signed) == 1
    desk.resume()
    desk.chain.busy = True
    assert desk.sender(timeout_s=PATIENT).send(a_purpose(2), desk.chain.nonce).succeeded
    assert desk.calls_mined() == data_of(1, 2)


def test_what_was_decided_before_the_account_did_something_else_is_decided_again(
    busy: Desk,
) -> None:
    nonce_then = busy.chain.nonce
    sender = busy.sender(timeout_s=PATIENT)
    sender.send(a_purpose(1))
    busy.book(list(sender.finish()))
    with pytest.raises(ChainError, match="is 1, and was to be 0 when swap was decided; decide ag"):
        sender.send(a_purpose(2), nonce_then)
    assert len(busy.signer.signed) == 1


def test_a_node_that_lags_behind_the_decision_is_not_signed_on(desk: Desk) -> None:
    with pytest.raises(ChainError, match=r"is at nonce 0 .*lags behind, try again"):
        desk.sender().send(a_purpose(1), 1)
    assert (desk.signer.signed, desk.intents()) == ([], [])


# ---- a nonce that is used up, and receipts that are told late ----


def test_what_is_final_before_its_receipt_is_told_is_waited_for(desk: Desk) -> None:
    desk.chain.unindexed = 10
    desk.sent_and_lost_sight_of(1)
    desk.chain.mine(5)
    for _ in range(2):
        with pytest.raises(MaybeSent, match="swap: not final within"):
            list(desk.sender().take_over("main"))
    assert [intent.status for intent in desk.open()] == [Status.SENT]
    desk.chain.unindexed = 0
    assert [settled.status for settled in desk.settle()] == [Status.FINAL]
    assert len(desk.signer.signed) == 1


def test_an_older_offer_that_is_final_before_its_receipt_is_told_is_waited_for(desk: Desk) -> None:
    first = desk.raised_an_offer()
    desk.chain.base_fee = GWEI
    desk.chain.pool[0], desk.chain.unindexed = first, 10
    desk.chain.mine(5)
    with pytest.raises(MaybeSent):
        list(desk.sender().take_over("main"))
    desk.chain.unindexed = 0
    (settled,) = desk.settle()
    assert settled.receipt.tx_hash == first.tx_hash


def test_a_receipt_that_is_not_told_any_more_is_no_reorganisation(desk: Desk) -> None:
    desk.sent_and_lost_sight_of(1)
    desk.chain.mine(2)
    with pytest.raises(MaybeSent):
        list(desk.sender().take_over("main"))
    desk.chain.unindexed = 10
    with pytest.raises(MaybeSent):
        list(desk.sender().take_over("main"))
    assert [intent.status for intent in desk.open()] == [Status.MINED]
    desk.chain.unindexed = 0
    assert [settled.status for settled in desk.settle()] == [Status.FINAL]


@pytest.mark.parametrize("since", [0, 1, 2, 3, 7, 40])
@pytest.mark.parametrize("before", [0, 1, 5])
def test_a_stranger_is_found_in_whatever_block_he_used_the_nonce(
    desk: Desk, before: int, since: int
) -> None:
    desk.chain.mine(before)
    desk.sent_and_lost_sight_of(1)
    desk.chain.stranger_uses(0)
    desk.chain.stranger_uses(1)
    desk.chain.mine(3 + since)
    with pytest.raises(StrangersTransaction, match="nonce 0, of swap"):
        list(desk.sender().take_over("main"))


def test_a_stranger_is_found_where_his_block_took_the_place_of_one_before_the_plan(
    desk: Desk,
) -> None:
    desk.chain.mine(8)
    desk.sent_and_lost_sight_of(1)
    desk.chain.stranger_uses(0)
    desk.chain.blocks = desk.chain.blocks[:5]
    desk.chain.mine(8)
    with pytest.raises(StrangersTransaction, match="nonce 0, of swap"):
        list(desk.sender().take_over("main"))


def test_who_used_a_nonce_is_not_known_where_the_block_that_is_told_does_not_hold_it(
    desk: Desk,
) -> None:
    """Of several nodes behind one URL, the one that tells of the block may be on another fork."""
    desk.sent_and_lost_sight_of(1)
    desk.chain.stranger_uses(0)
    desk.chain.mine(5)
    desk.chain.blocks[1] = replace(desk.chain.blocks[1], transactions=())
    desk.chain.meddle = lambda method: "0x1" if method == "eth_getTransactionCount" else None
    with pytest.raises(MaybeSent, match="within 0 s; it may still be, and is looked up first"):
        list(desk.sender().take_over("main"))
    assert [intent.status for intent in desk.open()] == [Status.SENT]


@pytest.mark.parametrize("later", [0, 1, 60])
def test_a_stranger_is_found_where_the_node_has_forgotten_what_his_block_left(
    desk: Desk, later: int
) -> None:
    """It keeps the block itself, and those since the plan are read."""
    desk.chain.mine(30)
    sent_when_decided_at_the_head(desk)
    desk.chain.forget()
    desk.chain.mine(later)
    desk.chain.stranger_uses(0)
    desk.chain.mine(40)
    desk.chain.remembered = 20
    with pytest.raises(StrangersTransaction, match="nonce 0, of swap"):
        list(desk.sender().take_over("main"))
    assert [intent.status for intent in desk.intents()] == [Status.REPLACED]


def test_a_nonce_that_was_used_long_after_the_plan_takes_an_rpc_that_forgets_nothing(
    desk: Desk,
) -> None:
    sent_when_decided_at_the_head(desk)
    desk.chain.forget()
    desk.chain.mine(1_001)
    desk.chain.stranger_uses(0)
    desk.chain.mine(40)
    desk.chain.remembered = 20
    with pytest.raises(
        MaybeSent,
        match=r"The last look failed: nonce 0 .*add an archive RPC.*missing trie node",
    ):
        list(desk.sender().take_over("main"))
    assert [intent.status for intent in desk.open()] == [Status.SENT]
    desk.chain.remembered = 10**9
    with pytest.raises(StrangersTransaction, match="nonce 0, of swap"):
        list(desk.sender().take_over("main"))


@pytest.fixture
def forgetful(desk: Desk) -> Desk:
    """On a rollup that calls blocks final long after its nodes have forgotten what they left."""
    desk.chain.remembered, desk.chain.finalized_after = 128, 500
    desk.chain.mine(600)
    return desk


def by_finality(desk: Desk) -> PaperSender:
    """A process that goes by the chain's own finality, and looks once."""
    return a_sender(desk.chain, desk.journal, desk.signer, confirmations=None)


def test_a_call_goes_to_booked_where_the_state_of_final_blocks_is_forgotten(
    forgetful: Desk,
) -> None:
    with pytest.raises(MaybeSent, match="not mined"):
        by_finality(forgetful).send(a_purpose(1))
    forgetful.chain.mine(2)
    with pytest.raises(MaybeSent, match=r"looked up first next time$"):
        list(by_finality(forgetful).take_over("main"))
    forgetful.chain.mine(500)
    settled = list(by_finality(forgetful).take_over("main"))
    forgetful.book(settled)
    assert [(i.purpose, i.status) for i in forgetful.intents()] == [(a_purpose(1), Status.BOOKED)]


def test_a_stranger_is_found_where_the_state_of_final_blocks_is_forgotten(forgetful: Desk) -> None:
    """Once the block is final in which he used the nonce, and not before."""
    sent_when_decided_at_the_head(forgetful)
    forgetful.chain.stranger_uses(0)
    forgetful.chain.mine(500)
    with pytest.raises(MaybeSent, match=r"looked up first next time$"):
        list(by_finality(forgetful).take_over("main"))
    assert [intent.status for intent in forgetful.open()] == [Status.SENT]
    forgetful.chain.mine()
    with pytest.raises(StrangersTransaction, match="nonce 0, of swap"):
        list(by_finality(forgetful).take_over("main"))


def test_behind_a_strangers_nonce_it_takes_an_archive_to_know_that_he_is_final(
    forgetful: Desk,
) -> None:
    forgetful.did(1)
    forgetful.a_stranger_signed(1)
    with pytest.raises(StrangersTransaction):
        by_finality(forgetful).send(a_purpose(2))
    forgetful.resume()
    with pytest.raises(ChainError, match=r"nonce before 2, .* add an archive RPC to LPM_RPC_URL"):
        by_finality(forgetful).send(a_purpose(2))
    assert len(forgetful.signer.signed) == 1
    forgetful.chain.mine(501)
    forgetful.chain.remembered = 10**9
    with pytest.raises(MaybeSent, match="not mined"):
        by_finality(forgetful).send(a_purpose(2))
    assert forgetful.signer.signed[-1]["nonce"] == 2


@pytest.mark.parametrize("silent", ["eth_getTransactionCount", "eth_getBlockByNumber"])
def test_silence_is_not_mistaken_for_a_node_that_has_forgotten(desk: Desk, silent: str) -> None:
    sent_when_decided_at_the_head(desk)
    desk.chain.stranger_uses(0)
    desk.chain.mine(40)
    desk.chain.remembered = 20
    asked: list[str] = []

    def fall_silent(method: str) -> RpcUnavailable | None:
        asked.append(method)
        return RpcUnavailable("no answer") if asked.count(silent) > 2 and method == silent else None

    desk.chain.meddle = fall_silent
    with pytest.raises(MaybeSent, match="The last look failed: no answer"):
        list(desk.sender().take_over("main"))
    assert [intent.status for intent in desk.open()] == [Status.SENT]


def sent_when_decided_at_the_head(desk: Desk) -> None:
    """A call of a plan of the chain's newest block, which an earlier process lost sight of."""
    head = desk.chain.head
    decided = Block(
        number=head.number, hash=head.hash, timestamp=head.timestamp, base_fee=head.base_fee
    )
    with pytest.raises(MaybeSent):
        desk.sender().send(a_purpose(1, decided=decided))


def test_a_look_that_failed_before_a_better_one_is_not_told_of(desk: Desk) -> None:
    desk.sent_and_lost_sight_of(1)
    silent = iter([RpcUnavailable("no answer")])
    desk.chain.meddle = lambda m: next(silent, None) if m == "eth_getTransactionReceipt" else None
    with pytest.raises(MaybeSent, match=r"looked up first next time$"):
        list(desk.sender(timeout_s=0.3).take_over("main"))


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_nobody_is_looked_for_while_a_nonce_is_not_used_for_good(desk: Desk, blocks: int) -> None:
    desk.chain.mine(8)
    desk.sent_and_lost_sight_of(1)
    desk.chain.unindexed = 10
    desk.chain.mine(blocks)
    asked: list[str] = []
    desk.chain.meddle = asked.append
    with pytest.raises(MaybeSent):
        list(desk.sender().take_over("main"))
    assert asked.count("eth_getTransactionCount") == 1 + (blocks > 0)
    assert asked.count("eth_getBlockByNumber") == 1


def test_no_more_of_the_past_is_asked_for_than_it_takes(desk: Desk) -> None:
    desk.chain.mine(500)
    desk.sent_and_lost_sight_of(1)
    desk.chain.stranger_uses(0)
    desk.chain.mine(10)
    desk.chain.remembered = 20
    with pytest.raises(StrangersTransaction):
        list(desk.sender().take_over("main"))


# ---- a private relay ----

FALLBACK_S = 60


@pytest.fixture
def relay(desk: Desk) -> PaperRelay:
    return PaperRelay(desk.chain)


def by_relay(desk: Desk, relay: PaperRelay, public_after_s: int | None) -> PaperSender:
    """A process that knows of the relay, and looks once."""
    return a_sender(
        desk.chain, desk.journal, desk.signer, relay=relay, public_after_s=public_after_s
    )


def looks(desk: Desk, relay: PaperRelay, public_after_s: int | None) -> None:
    with pytest.raises(MaybeSent):
        list(by_relay(desk, relay, public_after_s).take_over("main"))


def sends(
    desk: Desk, relay: PaperRelay, public_after_s: int | None, deadline: int = GENESIS + 10**6
) -> None:
    with pytest.raises(MaybeSent):
        by_relay(desk, relay, public_after_s).send(a_purpose(1, deadline=deadline))


@pytest.mark.parametrize("public_after_s", [None, FALLBACK_S])
def test_what_a_relay_gets_mined_no_public_rpc_ever_gets(
    desk: Desk, relay: PaperRelay, public_after_s: int | None
) -> None:
    relay.works = True
    sends(desk, relay, public_after_s)
    desk.chain.mine(3, seconds=FALLBACK_S)
    (settled,) = by_relay(desk, relay, public_after_s).take_over("main")
    assert settled.status is Status.FINAL
    assert desk.chain.taken == []


def test_what_a_relay_keeps_silent_about_goes_to_the_public_rpcs_too_after_the_wait(
    desk: Desk, relay: PaperRelay
) -> None:
    """However often the offer is raised meanwhile."""
    sends(desk, relay, FALLBACK_S)
    desk.chain.mine(seconds=BUMP_AFTER_S)
    looks(desk, relay, FALLBACK_S)
    desk.chain.mine(seconds=FALLBACK_S - BUMP_AFTER_S - 1)
    looks(desk, relay, FALLBACK_S)
    assert desk.chain.taken == []
    desk.chain.mine(seconds=1)
    looks(desk, relay, FALLBACK_S)
    first, raised = dict.fromkeys(relay.handed)
    assert raised.max_fee > first.max_fee
    assert desk.chain.taken == [raised]
    assert relay.handed[-1] == raised
    assert [settled.status for settled in desk.settle()] == [Status.FINAL]


def test_where_it_is_never_to_be_public_a_call_waits_for_the_relay_alone(
    desk: Desk, relay: PaperRelay
) -> None:
    sends(desk, relay, None)
    desk.chain.mine(10, seconds=10**4)
    looks(desk, relay, None)
    assert desk.chain.taken == []
    relay.works = True
    looks(desk, relay, None)
    desk.chain.mine(3)
    (settled,) = by_relay(desk, relay, None).take_over("main")
    assert settled.status is Status.FINAL


@pytest.mark.parametrize("public_after_s", [None, FALLBACK_S])
def test_a_silent_relay_does_not_hold_up_a_cancellation(
    desk: Desk, relay: PaperRelay, public_after_s: int | None
) -> None:
    sends(desk, relay, public_after_s, deadline=GENESIS + 20)
    desk.chain.mine(seconds=21)
    looks(desk, relay, public_after_s)
    assert [tx.data for tx in desk.chain.taken] == ["0x"]
    desk.chain.mine(3)
    (settled,) = by_relay(desk, relay, public_after_s).take_over("main")
    assert settled.status is Status.CANCELLED
    assert desk.calls_mined() == ["0x"]


def test_a_silent_relay_does_not_keep_the_public_rpcs_from_getting_it(
    desk: Desk, relay: PaperRelay
) -> None:
    sends(desk, relay, 1)
    desk.chain.mine()
    looks(desk, relay, 1)
    assert len(desk.chain.taken) == 1


# ---- what is mined must be learnt ----


def test_a_node_that_is_busy_for_a_moment_is_asked_again_at_the_pace_of_the_chain(
    busy: Desk,
) -> None:
    sender = busy.sender(timeout_s=PATIENT)
    receipt = sender.send(a_purpose(1))
    silences = iter([RpcUnavailable("no answer")] * 4)
    waits: list[float] = []
    before = get_on_retry_hooks()

    def read(told: Receipt) -> str:
        for silence in silences:
            raise silence
        return told.block_hash

    set_on_retry_hooks([lambda details: waits.append(details.wait_for)])
    try:
        assert sender.learn(receipt, read) == receipt.block_hash
    finally:
        set_on_retry_hooks(before)
    assert waits == [0.0] * 4


def test_what_a_reorganisation_moves_before_it_is_read_is_read_where_it_is_mined_again(
    busy: Desk,
) -> None:
    sender = busy.sender(timeout_s=PATIENT)
    receipt = sender.send(a_purpose(1))
    taken_out = iter([True])

    def read(told: Receipt) -> str:
        if next(taken_out, False):
            busy.chain.reorganise(1, forget=True)
            raise ChainError("no block of that hash")
        return told.block_hash

    found = sender.learn(receipt, read)
    (settled,) = sender.finish()
    assert found == settled.receipt.block_hash != receipt.block_hash


def test_what_reverts_where_it_is_mined_again_is_not_asked_for_any_more(busy: Desk) -> None:
    sender = busy.sender(timeout_s=PATIENT)
    receipt = sender.send(a_purpose(1))
    asked: list[Receipt] = []

    def read(told: Receipt) -> str:
        asked.append(told)
        busy.chain.failing.update(data_of(1))
        busy.chain.reorganise(1, forget=True)
        raise ChainError("no block of that hash")

    with pytest.raises(TransactionFailed, match="was taken out, mined again, and reverted"):
        sender.learn(receipt, read)
    assert asked == [receipt]


def test_a_stranger_who_waits_is_told_even_where_the_call_would_revert_behind_him(
    desk: Desk,
) -> None:
    """Gas is estimated on what is pending, where he may have taken what the call needs."""
    desk.chain.stranger_uses(0)
    desk.chain.meddle = lambda method: (
        RpcError(3, "execution reverted", "0x") if method == "eth_estimateGas" else None
    )
    with pytest.raises(StrangersTransaction, match="1 pending"):
        desk.sender().send(a_purpose(1))


# ---- taking over ----


def test_what_another_campaign_left_open_is_left_to_it(desk: Desk) -> None:
    desk.sent_and_lost_sight_of(1, campaign="aside")
    with pytest.raises(MaybeSent, match=r"for campaign aside .*lpm run --once --live aside"):
        desk.settle("main")
    assert [settled.purpose.campaign for settled in desk.settle("aside")] == ["aside"]
    assert desk.settle("main") == []


def test_what_was_planned_and_never_signed_is_abandoned_whosever_it_is(desk: Desk) -> None:
    desk.journal.plan(ACCOUNT, 0, a_purpose(1, campaign="aside"))
    assert desk.settle("main") == []
    assert [intent.status for intent in desk.intents()] == [Status.ABANDONED]


def test_a_sender_that_takes_over_from_itself_settles_everything_once(desk: Desk) -> None:
    sender = desk.sender()
    with pytest.raises(MaybeSent):
        sender.send(a_purpose(1))
    desk.chain.mine(3)
    assert len(list(sender.take_over("main"))) == 1


class AnswerLost(TransactionJournal):
    """A database of which the answer to the commit of a signature is lost; the commit is not."""

    def signed(self, intent: Intent, attempt: Attempt) -> Intent:
        super().signed(intent, attempt)
        raise StoreError("the database cannot be read or written (the connection was closed)")


@pytest.mark.parametrize("meanwhile", [lambda _: None, lambda chain: chain.mine()])
def test_a_signature_of_which_it_is_not_known_whether_it_was_written_is_seen_through(
    desk: Desk, meanwhile: Callable[[PaperChain], None]
) -> None:
    journal = AnswerLost(desk.ledger.engine, CHAIN_ID)
    with pytest.raises(StoreError):
        a_sender(desk.chain, journal, desk.signer).send(a_purpose(1))
    assert [intent.status for intent in desk.intents()] == [Status.SIGNED]
    meanwhile(desk.chain)
    assert [settled.status for settled in desk.settle()] == [Status.FINAL]
    desk.chain.busy = True
    assert desk.sender(timeout_s=PATIENT).send(a_purpose(2)).succeeded
    assert desk.calls_mined() == data_of(1, 2)


class NeverWritten(TransactionJournal):
    """A database that fails before it writes a signature down."""

    def signed(self, intent: Intent, attempt: Attempt) -> Intent:
        raise StoreError("the database cannot be read or written (disk full)")


def test_a_signature_that_was_never_written_leaves_its_nonce_free(desk: Desk) -> None:
    journal = NeverWritten(desk.ledger.engine, CHAIN_ID)
    with pytest.raises(StoreError):
        a_sender(desk.chain, journal, desk.signer).send(a_purpose(1))
    assert desk.settle() == []
    assert [intent.status for intent in desk.intents()] == [Status.ABANDONED]
    desk.chain.busy = True
    assert desk.sender(timeout_s=PATIENT).send(a_purpose(2)).succeeded
    assert desk.calls_mined() == data_of(2)


class Killed(BaseException):
    """As `kill -9`: nothing catches it."""


@dataclass
class Killer:
    """Ends the process at the n-th of the points it passes."""

    at: int
    passed: int = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Killed


class FatalJournal(TransactionJournal):
    """Passes a point before and after each row."""

    killer: Killer

    def _append(self, *values: Any, **more: Any) -> None:
        self.killer.point()
        super()._append(*values, **more)
        self.killer.point()


def run_until_killed(desk: Desk, at: int) -> int:
    """Two calls sent and settled, booked together; how many points there were."""
    journal = FatalJournal(desk.ledger.engine, CHAIN_ID)
    journal.killer = killer = Killer(at)
    desk.chain.meddle = lambda m: killer.point() if m == "eth_sendRawTransaction" else None
    sender = a_sender(desk.chain, journal, desk.signer, timeout_s=PATIENT)
    desk.chain.busy = True
    try:
        for number in (1, 2):
            sender.send(a_purpose(number))
        settled = list(sender.finish())
        killer.point()
        desk.book(settled)
        killer.point()
    except Killed:
        pass
    desk.chain.busy = False
    desk.chain.meddle = lambda _method: None
    return killer.passed


#: What the chain does between the end of one process and the beginning of the next.
MEANWHILE = {
    "nothing": lambda chain: None,
    "it is mined": lambda chain: chain.mine(),
    "it is final": lambda chain: chain.mine(5),
    "it is dropped": lambda chain: chain.forget(),
    "the last block is reorganised": lambda chain: chain.reorganise(1),
    "the last two blocks are lost": lambda chain: chain.reorganise(2, forget=True),
    "gas costs ten times as much": lambda chain: setattr(chain, "base_fee", 10 * GWEI),
}
POINTS = 24


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("at", range(1, POINTS + 1))
def test_a_process_killed_anywhere_loses_nothing_and_does_nothing_twice(
    desk: Desk, at: int, meanwhile: str
) -> None:
    run_until_killed(desk, at)
    MEANWHILE[meanwhile](desk.chain)
    signed_for = {intent.purpose for intent in desk.intents() if intent.attempts}
    desk.chain.base_fee = max(desk.chain.base_fee, GWEI)
    desk.settle()
    assert desk.open() == []
    assert desk.calls_mined() == data_of(*range(1, len(signed_for) + 1))
    booked = [i.purpose for i in desk.intents() if i.status is Status.BOOKED]
    assert set(booked) == signed_for
    desk.chain.busy = True
    assert desk.sender(timeout_s=PATIENT).send(a_purpose(3)).succeeded
    assert no_more_than_once(desk)


def test_the_points_are_all_there_are(desk: Desk) -> None:
    assert run_until_killed(desk, at=10**6) == POINTS
