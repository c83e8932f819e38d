"""What every custody does alike: who a plan is for, whether it still holds, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lpmanager.chain.node import Node, Receipt
from lpmanager.errors import (
    AlreadyHalted,
    CallReverted,
    ChainError,
    Halted,
    PlanOvertaken,
    PlanRefused,
    SignerUnavailable,
    TransactionFailed,
)
from lpmanager.execution.calldata import Call
from lpmanager.execution.intent import Purpose, Status
from lpmanager.execution.sender import Sender, Settled
from lpmanager.model import (
    Action,
    Amount,
    Block,
    Fact,
    Outcome,
    Plan,
    Step,
    Stop,
    StopKind,
    Token,
)

#: By these somebody has said no to what the plan wanted. Every other error says nothing about it.
_FAILURES = (CallReverted, TransactionFailed, SignerUnavailable)

#: What a transaction that was asked to carry out actions did, by its receipt.
ReadFacts = Callable[[tuple[Action, ...], Receipt], tuple[Fact, ...]]


@dataclass(frozen=True, slots=True)
class Purposes:
    """What all transactions of one plan have in common. `nonce` is the account's at the block
    decided at."""

    campaign: str
    deadline: int
    decided: Block
    nonce: int

    @classmethod
    def of_plan(cls, plan: Plan) -> Purposes:
        """Until the plan expires."""
        return cls(plan.campaign, plan.expires_at, plan.block, plan.nonce)

    def with_time_left(self, head: Block, seconds: int) -> Purposes:
        """For what must be done though the plan has expired."""
        return replace(self, deadline=max(self.deadline, head.timestamp + seconds))

    def of(self, call: Call, *actions: Action) -> Purpose:
        """Why a call is sent that carries out these actions, or none."""
        return Purpose(
            campaign=self.campaign,
            call=call,
            actions=actions,
            deadline=self.deadline,
            decided_block=self.decided.number,
            decided_at=self.decided.timestamp,
        )


class Settling:
    """Sends what a custody wants, and tells what came of it once the chain has decided for good."""

    def __init__(self, node: Node, native: Token, sender: Sender, read_facts: ReadFacts) -> None:
        self._node = node
        self._native = native
        self._sender = sender
        self._read_facts = read_facts

    @property
    def account(self) -> str:
        """The address of the account that signs."""
        return self._sender.account

    def head(self) -> Block:
        """As `Sender.head`."""
        return self._sender.head()

    def mined(self, purposes: Purposes, call: Call, *actions: Action) -> Receipt:
        """The receipt of a call that succeeded. Raises as `Sender.send`, TransactionFailed also
        where it was mined and reverted."""
        receipt = self._sender.send(purposes.of(call, *actions), purposes.nonce)
        if not receipt.succeeded:
            raise TransactionFailed(f"{call.what}: {receipt.tx_hash} was mined but reverted")
        return receipt

    def learn_facts(self, actions: tuple[Action, ...], receipt: Receipt) -> tuple[Fact, ...]:
        """What a mined transaction did; asked for until the node answers. Raises as
        `Sender.learn`."""
        return self._sender.learn(receipt, lambda r: self._read_facts(actions, r))

    def finish(self, stop: Stop | None) -> Outcome:
        """What was sent since the last time, each once it is final. One that came to nothing, as
        one does that a reorganisation put behind something else, is a reason to stop."""
        return self._outcome(_all_done(self._sender.finish()), stop)

    def take_over(self, campaign: str) -> Outcome:
        """What an earlier run of a campaign left open. It stops where something still is."""
        return self._outcome(self._sender.take_over(campaign), None)

    def _outcome(self, settled: Iterator[Settled], stop: Stop | None) -> Outcome:
        """The first reason to stop counts, unless a halt comes after it."""
        steps: list[Step] = []
        try:
            for done in settled:
                steps.append(self._step(done))
        except (ChainError, Halted) as error:
            last = stopped_by(error)
            stop = last if stop is None or last.kind is StopKind.HALT else stop
        return Outcome(steps=tuple(steps), stop=stop)

    def _step(self, done: Settled) -> Step:
        purpose, receipt = done.purpose, done.receipt
        facts: tuple[Fact, ...] = ()
        if done.status is Status.FINAL:
            facts = self.learn_facts(purpose.actions, receipt)
        what = purpose.call.what
        return Step(
            what=f"cancel: {what}" if done.status is Status.CANCELLED else what,
            tx_hash=receipt.tx_hash,
            block=self._sender.learn(receipt, self._block_of),
            gas_paid=Amount(self._native, receipt.gas_paid),
            facts=facts,
        )

    def _block_of(self, receipt: Receipt) -> Block:
        """The block that a receipt says it is of. Raises ChainError where the RPC tells of another
        one at that height: the books would stand on it."""
        block = self._node.block(receipt.block_number)
        if block.hash != receipt.block_hash:
            raise ChainError(
                f"transaction {receipt.tx_hash}: its receipt is of block {receipt.block_hash}, the "
                f"RPC has {block.hash} at height {receipt.block_number}; it contradicts itself"
            )
        return block


def require_meant_for(plan: Plan, chain_id: int, account: str, pool: str) -> None:
    """Raise PlanRefused where the plan is for another chain, signer or pool."""
    for what, expected, found in (
        ("chain", str(chain_id), str(plan.chain_id)),
        ("account", account, plan.account),
        ("pool", pool, plan.pool),
    ):
        if expected != found:
            raise PlanRefused(f"the plan is for {what} {found}, this is {expected}")


def stopped_by(error: ChainError | Halted) -> Stop:
    """What an error makes of a plan. A halt that stands already was somebody's wish; any other is
    news."""
    if isinstance(error, AlreadyHalted):
        kind = StopKind.ASKED
    elif isinstance(error, Halted):
        kind = StopKind.HALT
    elif isinstance(error, PlanOvertaken):
        kind = StopKind.OVERTAKEN
    else:
        kind = StopKind.ERROR if isinstance(error, _FAILURES) else StopKind.INTERRUPTED
    return Stop(kind=kind, reason=str(error))


def _all_done(settled: Iterator[Settled]) -> Iterator[Settled]:
    """The same; TransactionFailed after the last where one came to nothing."""
    undone: list[str] = []
    for done in settled:
        yield done
        if done.status is not Status.FINAL:
            undone.append(f"{done.purpose.call.what}: {done.receipt.tx_hash} {done.status}")
    if undone:
        raise TransactionFailed("; ".join(undone))
