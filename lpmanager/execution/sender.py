"""One transaction at a time: simulate, write down, sign, send, and see it through."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import stamina

from lpmanager.abi import revert_reason
from lpmanager.chain.node import (
    Node,
    Question,
    Receipt,
    chain_id_question,
    gas_question,
    nonce_question,
    nonce_question_at,
    or_none,
    pending_nonce_question,
    tip_question,
)
from lpmanager.errors import (
    CallReverted,
    ChainError,
    Halted,
    JournalDamaged,
    LpmError,
    MaybeSent,
    RpcUnavailable,
    SigningRefused,
    StoreError,
    StrangersTransaction,
    TransactionFailed,
)
from lpmanager.execution.allowed import MOST_GAS
from lpmanager.execution.calldata import Call
from lpmanager.execution.fees import FeePolicy, Fees, first_fees
from lpmanager.execution.intent import (
    SETTLED,
    Attempt,
    Inclusion,
    Intent,
    Purpose,
    Status,
    Summary,
)
from lpmanager.execution.looking import final_block, look, require_chain
from lpmanager.execution.moves import (
    Note,
    Pace,
    Seen,
    Sign,
    Wait,
    is_beyond_reach,
    is_public,
    next_move,
)
from lpmanager.execution.signer import Signer
from lpmanager.execution.whose import (
    how_to_go_on,
    how_to_settle,
    in_words,
    next_nonce,
    something_else_signs,
)
from lpmanager.model import Block

T = TypeVar("T")


class Journal(Protocol):
    """Where every step of an intent is written down, durably, before the next one is taken."""

    def plan(self, account: str, nonce: int, purpose: Purpose) -> Intent:
        """A new intent, of which nothing is signed yet."""
        ...

    def signed(self, intent: Intent, attempt: Attempt) -> Intent:
        """One more transaction was signed for the intent; nothing of it was sent yet.

        Raises Halted, and writes nothing, where the campaign was halted before this was written.
        """
        ...

    def note(self, intent: Intent, status: Status, inclusion: Inclusion | None = None) -> Intent:
        """The intent has come to `status`."""
        ...

    def replaced(self, intent: Intent, reason: str) -> None:
        """Somebody else used the intent's nonce: with the same write its campaign is halted for
        that reason."""
        ...

    def history(self, account: str) -> list[Summary]:
        """Every intent of an account there ever was, by nonce."""
        ...

    def open_intents(self, account: str) -> list[Intent]:
        """What is not booked and may still happen or have happened, by nonce."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """How transactions are priced and waited for.

    `gas_margin_percent` is added to the node's gas estimate. A transaction counts as final once
    `confirmations` blocks hold it, its own among them; None means the chain's own `finalized`.
    `timeout_s` is how long one is waited for in this process, by the wall clock: past its deadline,
    or nobody is there to cancel it. Where
    `owner_signs_too`, what somebody else has signed for the account is the owner's, once it is
    final and unless it took the nonce of something of ours.
    """

    timeout_s: float
    poll_s: float
    confirmations: int | None
    fees: FeePolicy
    pace: Pace
    gas_margin_percent: int = 25
    owner_signs_too: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An intent that the chain has decided for good, with the receipt of what was mined."""

    purpose: Purpose
    status: Status
    receipt: Receipt


class Sender:
    """Sends for one account, one intent after the other.

    `may_sign` raises where nothing may be signed now; it is asked right before every signature.
    """

    def __init__(
        self,
        node: Node,
        signer: Signer,
        journal: Journal,
        policy: SendPolicy,
        may_sign: Callable[[], None],
    ) -> None:
        self._node = node
        self._signer = signer
        self._journal = journal
        self._policy = policy
        self._may_sign = may_sign
        self._underway: list[Intent] = []

    @property
    def account(self) -> str:
        """The address of the account that signs."""
        return self._signer.address

    def head(self) -> Block:
        """The newest block to decide at, once it is not below any that holds a call of this plan:
        what is read at it is what the plan has left. Raises ChainError where none comes in time."""
        mined = max((i.inclusion.block_number for i in self._underway if i.inclusion), default=0)
        give_up = time.monotonic() + self._policy.timeout_s
        while (head := self._node.head()).number < mined:
            if time.monotonic() >= give_up:
                raise ChainError(
                    f"waited {self._policy.timeout_s:g} s for block {mined}, which holds a call of "
                    f"this plan; the newest to decide at is {head.number}: the RPCs lag behind, "
                    "try again"
                )
            time.sleep(self._policy.poll_s)
        return head

    def send(self, purpose: Purpose, nonce_then: int) -> Receipt:
        """The receipt of a call, mined but not final yet; look at `succeeded`.

        `nonce_then` is the account's at the block that the plan was decided at. Where it has had
        anything mined since then but calls of this plan, nothing is signed: what was decided may
        have been done already.

        The very calldata is simulated first, so that a call that would revert costs nothing: then
        CallReverted is raised and nothing was sent. Raises MaybeSent where the call may still be
        mined later, TransactionFailed where it was cancelled at its deadline or signed after it.
        """
        self._require_settled()
        head = self.head()
        simulate(self._node, self.account, purpose.call, head)
        nonce, offer, gas = self._terms(purpose, nonce_then, head)
        intent = self._journal.plan(self.account, nonce, purpose)
        try:
            intent, head = self._sign(intent, purpose.call, gas, offer, cancels=False)
        except StoreError:
            raise  # it may be written for all that: `take_over` goes by what is there
        except LpmError:
            self._journal.note(intent, Status.ABANDONED)
            raise
        self._underway.append(intent)
        at = len(self._underway) - 1
        self._send_again(at, head)
        return self._mined(at)

    def finish(self) -> Iterator[Settled]:
        """What was sent since the last time, one after the other, each once it is final.

        Raises MaybeSent where one is not final in time; it stays open in the journal.
        """
        while self._underway:
            receipt = self._see_through(0, until_final=True)
            settled = self._underway.pop(0)
            yield Settled(purpose=settled.purpose, status=settled.status, receipt=receipt)

    def take_over(self, campaign: str) -> Iterator[Settled]:
        """What an earlier process, or an earlier plan, left open for a campaign, as `finish`.

        Raises MaybeSent where another campaign's intent must be settled first.
        """
        self._underway = []
        for intent in self._journal.open_intents(self.account):
            if not intent.attempts:
                self._journal.note(intent, Status.ABANDONED)
            elif intent.purpose.campaign == campaign:
                self._underway.append(intent)
            else:
                raise _unsettled(intent)
        yield from self.finish()

    def learn(self, receipt: Receipt, read: Callable[[Receipt], T]) -> T:
        """What `read` tells of what was mined, by its receipt; asked for until the node answers.

        What was mined must be booked, so a silent or busy node is no reason to go on without it.
        Where a reorganisation moves a transaction of this plan meanwhile, it is seen through first
        and read of by its new receipt. Raises its last ChainError after as long as a transaction is
        waited for; MaybeSent or TransactionFailed where that is not mined again, or fails.
        """
        patience = stamina.retry_context(
            on=_may_yet_be_told,
            attempts=None,
            timeout=self._policy.timeout_s,
            wait_initial=self._policy.poll_s,
            wait_max=self._policy.timeout_s / 4,
            wait_jitter=self._policy.poll_s,
        )
        for attempt in patience:
            with attempt:
                if attempt.num > 1:
                    receipt = self._newest(receipt)
                told = read(receipt)
        return told

    def _mined(self, at: int) -> Receipt:
        """The receipt of an intent under way, mined but not final yet."""
        receipt, intent = self._see_through(at, until_final=False), self._underway[at]
        if receipt.tx_hash in {a.tx_hash for a in intent.attempts if a.cancels}:
            raise TransactionFailed(f"{intent.purpose.call.what}: cancelled at its deadline")
        return receipt

    def _newest(self, receipt: Receipt) -> Receipt:
        """The receipt as the chain has it now, where the transaction is not final yet."""
        for at, intent in enumerate(self._underway):
            if receipt.tx_hash in {a.tx_hash for a in intent.attempts}:
                newest = self._mined(at)
                if receipt.succeeded and not newest.succeeded:
                    raise TransactionFailed(
                        f"{intent.purpose.call.what}: {newest.tx_hash} was taken out, mined again, "
                        "and reverted then"
                    )
                return newest
        return receipt

    def _terms(self, purpose: Purpose, nonce_then: int, head: Block) -> tuple[int, Fees, int]:
        """Nonce, fees and gas limit of a call that is about to be signed."""
        call, policy = purpose.call, self._policy.fees
        chain_id, nonce, pending, tip, gas = self._node.ask_many(
            [
                chain_id_question(),
                nonce_question(self.account, head),
                pending_nonce_question(self.account),
                tip_question(),
                or_none(gas_question(_message(self.account, call))),
            ]
        )
        require_chain(self._node, chain_id)
        as_decided = nonce_then + len(self._underway)
        self._require_our_nonce(purpose, as_decided, head, nonce, pending)
        if nonce != as_decided:
            raise ChainError(
                f"account {self.account}: its next nonce is {nonce}, and was to be {as_decided} "
                f"when {purpose.call.what} was decided; decide again"
            )
        if gas is None:
            # After what is pending it would revert: now that nothing should be, for what reason?
            gas = self._node.ask(gas_question(_message(self.account, call)))
        offer = first_fees(head.base_fee, tip, policy)
        if offer is None:
            raise ChainError(
                f"{call.what}: gas costs {head.base_fee + tip} wei now, above the "
                f"{policy.call_cap} that transactions.max_fee_gwei allows a call; wait, or raise it"
            )
        return nonce, offer, self._with_margin(call, gas)

    def _require_our_nonce(
        self, purpose: Purpose, as_decided: int, head: Block, nonce: int, pending: int
    ) -> None:
        """Nobody else may sign for the account, unless its owner may; and the RPC may not lag
        behind our journal, or behind what was decided where the journal is new.

        A nonce that a stranger used is written down as lost, and the campaign is halted, before
        that is raised: so it can go on once a person has looked and the nonce is lost for good, or
        free again.
        """
        history = self._journal.history(self.account)
        least = max((i.nonce + 1 for i in history if i.was_signed), default=as_decided)
        if nonce < least:
            booked = max((i.nonce + 1 for i in history if i.status is Status.BOOKED), default=0)
            taken_out = (
                "; or a reorganisation took out what is booked: then send nothing to yourself from "
                f"a wallet, {booked - nonce} times, and none of it can be mined again"
            )
            raise ChainError(
                f"the RPC is at nonce {nonce} of {self.account}, which was at {least} before; it "
                f"lags behind, try again{taken_out if nonce < booked else ''}"
            )
        expected = next_nonce(history, purpose.campaign, as_decided)
        if self._policy.owner_signs_too:
            expected = max(expected, nonce)
            if pending > nonce:
                raise ChainError(
                    f"account {self.account}: transactions that its owner signed are pending "
                    f"({pending - nonce} of them); wait until they are mined"
                )
        if nonce > expected or pending > nonce:
            found = f"{nonce} mined and {pending} pending"
            error = something_else_signs(self.account, expected, found, purpose.campaign)
            if nonce > expected:
                lost = self._journal.plan(self.account, nonce - 1, purpose)
                self._journal.replaced(lost, str(error))
            raise error
        if nonce > least:
            self._require_final(nonce, head)

    def _require_final(self, nonce: int, head: Block) -> None:
        """Raise ChainError unless all transactions before a nonce are final."""
        others = f"account {self.account}: somebody else used a nonce before {nonce}, and"
        final = final_block(self._node, head, self._policy.confirmations)
        try:
            final_nonce = self._node.ask(nonce_question_at(self.account, max(final, 0)))
        except RpcUnavailable:
            raise
        except ChainError as forgotten:
            raise ChainError(
                f"{others} the RPC has forgotten whether that is final; add an archive RPC to "
                f"LPM_RPC_URL ({forgotten})"
            ) from forgotten
        if final_nonce < nonce:
            raise ChainError(f"{others} that is not final yet; wait")

    def _see_through(self, at: int, *, until_final: bool) -> Receipt:
        """The receipt once an intent under way is mined, or once it is final."""
        what = self._underway[at].purpose.call.what
        give_up = time.monotonic() + self._policy.timeout_s
        while True:
            receipt, trouble = None, ""
            try:
                receipt = self._look_after(at)
            except MaybeSent:
                raise
            except ChainError as error:  # silence, a refusal or nonsense is no news
                trouble = f". The last look failed: {error}"
            intent = self._underway[at]
            settled = intent.status in SETTLED
            if receipt is not None and (settled or (intent.inclusion and not until_final)):
                return receipt
            if time.monotonic() >= give_up:
                raise MaybeSent(
                    f"{what}: not {'final' if until_final else 'mined'} within "
                    f"{self._policy.timeout_s:g} s; it may still be, and is looked up first next "
                    f"time{trouble}"
                )
            time.sleep(self._policy.poll_s)

    def _look_after(self, at: int) -> Receipt | None:
        """Look once at an intent, and at those before it that it waits for, and do what there is to
        do; its receipt where the head holds it. Raises MaybeSent where waiting is of no use."""
        intents = self._underway[: at + 1]
        sights = look(self._node, self.account, intents, self._policy.confirmations)
        for index, sight in enumerate(sights):
            self._follow(index, sight.seen)
        intent = self._underway[at]
        if is_beyond_reach(intent, sights[at].seen):
            raise MaybeSent(
                f"{intent.purpose.call.what}: past its deadline, not mined, and nothing can be "
                "signed to cancel it now; it may still be mined, and is looked up first next time"
            )
        return sights[at].receipt

    def _follow(self, at: int, seen: Seen) -> None:
        """Do all there is to do for an intent, by what was seen of it."""
        while True:
            move = next_move(self._underway[at], seen, self._policy.fees, self._policy.pace)
            match move:
                case Note(Status.REPLACED):
                    error = _lost(self._underway[at])
                    self._journal.replaced(self._underway[at], str(error))
                    del self._underway[at]
                    raise error
                case Note():
                    self._note(at, move.status, move.inclusion)
                case Sign():
                    self._replace(at, seen.head, move)
                    return
                case Wait():
                    if move.resend:
                        self._send_again(at, seen.head)
                    return

    def _replace(self, at: int, head: Block, move: Sign) -> None:
        """Sign and send a replacement of the same nonce; where nothing may or can be signed now, or
        the call would revert, what was sent before goes on, but for a call past its deadline.

        What comes before the call in its plan is mined at the head, unless a reorganisation took it
        out: then the call is not offered more until it is mined again.
        """
        intent = self._underway[at]
        call = _cancellation(self.account) if move.cancels else intent.purpose.call
        try:
            if not move.cancels:
                simulate(self._node, self.account, call, head)
            estimate = self._node.ask(gas_question(_message(self.account, call)))
            gas = self._with_margin(call, estimate)
            signed, head = self._sign(intent, call, gas, move.fees, cancels=move.cancels)
        except (SigningRefused, JournalDamaged):
            raise
        except (Halted, ChainError) as error:
            if move.cancels and not intent.attempts[-1].cancels:
                if isinstance(error, ChainError):
                    raise  # it may be over by the next look
                return
            signed, head = intent, self._node.head()
        self._underway[at] = signed
        self._send_again(at, head)

    def _sign(
        self, intent: Intent, call: Call, gas: int, offer: Fees, *, cancels: bool
    ) -> tuple[Intent, Block]:
        """The intent with a signed transaction more, which is written down before it can be sent,
        and the head at which it was signed.

        A person may take his time to agree, so a call is looked at once more before it is sent: its
        signature is thrown away, and TransactionFailed is raised where its deadline has passed,
        CallReverted where it would revert by now, ChainError where the RPC tells of a head that it
        does not have. Raises Halted where nothing may be signed.
        """
        self._may_sign()
        signed = self._signer.sign(
            {
                "type": 2,
                "chainId": self._node.chain_id,
                "nonce": intent.nonce,
                "to": call.to,
                "value": 0,
                "data": call.data,
                "gas": gas,
                "maxFeePerGas": offer.max_fee,
                "maxPriorityFeePerGas": offer.tip,
            }
        )
        if cancels:
            head = self._node.head()
        else:
            head = self.head()
            if head.timestamp > intent.purpose.deadline:
                raise TransactionFailed(
                    f"{call.what}: was signed after its deadline, and is not sent"
                )
            simulate(self._node, self.account, call, head)
        attempt = Attempt(
            tx_hash=signed.tx_hash,
            raw=signed.raw,
            max_fee=offer.max_fee,
            tip=offer.tip,
            cancels=cancels,
            signed_at=head.timestamp,
        )
        return self._journal.signed(intent, attempt), head

    def _send_again(self, at: int, head: Block) -> None:
        """Send the newest bytes of an intent, but a call's not past its deadline; that they were
        is written down once."""
        intent = self._underway[at]
        if head.timestamp > intent.purpose.deadline and not intent.attempts[-1].cancels:
            return
        self._hand_out(intent, head)
        if self._underway[at].status is Status.SIGNED:
            self._note(at, Status.SENT)

    def _hand_out(self, intent: Intent, head: Block) -> None:
        """Send the newest bytes. The node's answer proves nothing: the chain is looked at."""
        public = is_public(intent, head, self._policy.pace)
        with contextlib.suppress(MaybeSent):
            self._node.send_raw(intent.attempts[-1].raw, public=public)

    def _note(self, at: int, status: Status, inclusion: Inclusion | None = None) -> None:
        self._underway[at] = self._journal.note(self._underway[at], status, inclusion)

    def _with_margin(self, call: Call, gas: int) -> int:
        """The gas limit by an estimate. Raises ChainError where it is more than may be signed: the
        signer would refuse it, as it refuses a theft."""
        limit = gas + gas * self._policy.gas_margin_percent // 100
        if limit > MOST_GAS:
            raise ChainError(
                f"{call.what}: the RPC estimates {gas} gas; with a margin that is more than the "
                f"{MOST_GAS} that anything here takes; it is wrong, try again or use another"
            )
        return limit

    def _require_settled(self) -> None:
        """Only what this plan has sent may be open."""
        ours = {intent.id for intent in self._underway}
        for intent in self._journal.open_intents(self.account):
            if intent.id not in ours:
                raise _unsettled(intent)


def _may_yet_be_told(error: Exception) -> bool:
    settled = isinstance(error, MaybeSent | TransactionFailed)
    return isinstance(error, ChainError) and not settled


def _unsettled(intent: Intent) -> MaybeSent:
    name = intent.purpose.campaign
    return MaybeSent(
        f"{intent.purpose.call.what} was begun for {in_words(name)} and is not settled "
        f"({intent.status}); {how_to_settle(name)}"
    )


def _lost(intent: Intent) -> StrangersTransaction:
    return StrangersTransaction(
        f"account {intent.account}: nonce {intent.nonce}, of {intent.purpose.call.what}, was used "
        "by a transaction that this program did not sign. Look at the account's transactions, then "
        f"{how_to_go_on(intent.purpose.campaign)}"
    )


def simulate(node: Node, account: str, call: Call, at: Block) -> None:
    """Raise CallReverted, with the contract's reason, where a call of the account would revert."""
    try:
        node.ask(Question("eth_call", [_message(account, call), {"blockHash": at.hash}], str))
    except CallReverted as error:
        raise CallReverted(
            f"{call.what}: would revert: {revert_reason(error.data)}", error.data
        ) from error


def _message(account: str, call: Call) -> dict[str, Any]:
    return {"from": account, "to": call.to, "data": "0x" + call.data.hex()}


def _cancellation(account: str) -> Call:
    """Nothing, sent to oneself: it uses up the nonce."""
    return Call(what="cancel", to=account, data=b"")
