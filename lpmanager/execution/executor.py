"""Carries out a plan from a wallet, one confirmed transaction after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lpmanager.chain.node import Node, Receipt
from lpmanager.errors import (
    CallReverted,
    ChainError,
    Halted,
    PlanRefused,
    SignerUnavailable,
    TransactionFailed,
)
from lpmanager.execution.calldata import (
    Call,
    Spending,
    approve_call,
    limited_to,
    main_call,
    spending,
)
from lpmanager.execution.facts import read_fact
from lpmanager.execution.intent import Purpose, Status
from lpmanager.execution.sender import Sender, Settled
from lpmanager.model import (
    Action,
    Amount,
    Amounts,
    Block,
    Collected,
    Fact,
    Minted,
    Outcome,
    Plan,
    PoolKey,
    Step,
    Stop,
    StopKind,
    Swapped,
    Token,
    Withdrawn,
)
from lpmanager.venues import erc20, uniswap_v3
from lpmanager.venues.uniswap_v3 import UniswapV3

#: Seconds after which taking back an allowance is given up for the time being.
_REVOKE_WITHIN_S = 600

#: By these somebody has said no to what the plan wanted. Every other error says nothing about it.
_FAILURES = (CallReverted, TransactionFailed, SignerUnavailable)


@dataclass(frozen=True, slots=True)
class _Purposes:
    """What all transactions of one plan have in common."""

    campaign: str
    deadline: int
    decided: Block

    @classmethod
    def of_plan(cls, plan: Plan) -> _Purposes:
        return cls(plan.campaign, plan.expires_at, plan.block)

    def with_time_left(self, head: Block) -> _Purposes:
        """For what must be done though the plan has expired."""
        return replace(self, deadline=max(self.deadline, head.timestamp + _REVOKE_WITHIN_S))

    def of(self, call: Call, action: Action | None) -> Purpose:
        return Purpose(
            campaign=self.campaign,
            call=call,
            action=action,
            deadline=self.deadline,
            decided_block=self.decided.number,
            decided_at=self.decided.timestamp,
        )


class Executor:
    """Wallet custody: the position NFTs and the tokens are in the account that signs.

    `stop_asked` is looked at between actions, never inside one, so that allowances are zero again
    whenever it stops.
    """

    def __init__(
        self,
        node: Node,
        venue: UniswapV3,
        pool: PoolKey,
        native: Token,
        sender: Sender,
        stop_asked: Callable[[], bool],
    ) -> None:
        self._node = node
        self._venue = venue
        self._pool = pool
        self._native = native
        self._sender = sender
        self._stop_asked = stop_asked

    def carry_out(self, plan: Plan, wallet: Amounts) -> Outcome:
        """Do the plan's actions in order; stop early where one cannot be done any more.

        `wallet` is the campaign's share of the account before the plan. What was done before a
        stop is in the Outcome, once the chain has decided it for good; what it has not is left to
        `recover`, and the next cycle goes on from what the chain says.
        """
        self._require_meant_for_us(plan)
        stop = self._do_all(plan, wallet)
        return self._outcome(_all_done(self._sender.finish()), stop)

    def recover(self, campaign: str) -> Outcome:
        """See through what an earlier run of the campaign left open.

        Its Outcome stops where something is still open. Allowances are left to `take_back`.
        """
        return self._outcome(self._sender.take_over(campaign), None)

    def take_back(self, campaign: str) -> Outcome:
        """Take back every allowance, as a run that was interrupted may have left some."""
        return self._outcome(self._sender.finish(), self._revoke_all(campaign))

    def _do_all(self, plan: Plan, wallet: Amounts) -> Stop | None:
        """Why it stopped early, or None."""
        purposes = _Purposes.of_plan(plan)
        for action in plan.actions:
            if self._stop_asked():
                return Stop(kind=StopKind.ASKED, reason="asked to stop")
            try:
                refusal = self._refusal(plan)
                if refusal is not None:
                    return Stop(kind=StopKind.OVERTAKEN, reason=refusal)
                wallet += wallet_change(self._do(limited_to(action, wallet), purposes))
            except (ChainError, Halted) as error:
                return _stopped_by(error)
        return None

    def _outcome(self, settled: Iterator[Settled], stop: Stop | None) -> Outcome:
        """What the chain has decided for good. The first reason to stop counts, unless a halt comes
        after it."""
        steps: list[Step] = []
        try:
            for done in settled:
                steps.append(self._step(done))
        except (ChainError, Halted) as error:
            last = _stopped_by(error)
            stop = last if stop is None or last.kind is StopKind.HALT else stop
        return Outcome(steps=tuple(steps), stop=stop)

    def _step(self, done: Settled) -> Step:
        action, receipt = done.purpose.action, done.receipt
        fact = None
        if action is not None and done.status is Status.FINAL:
            fact = self._learn_fact(action, receipt)
        what = done.purpose.call.what
        return Step(
            what=f"cancel: {what}" if done.status is Status.CANCELLED else what,
            tx_hash=receipt.tx_hash,
            block=self._sender.learn(receipt, lambda r: self._node.block(r.block_number)),
            gas_paid=Amount(self._native, receipt.gas_paid),
            fact=fact,
        )

    def _require_meant_for_us(self, plan: Plan) -> None:
        for what, expected, found in (
            ("chain", str(self._node.chain_id), str(plan.chain_id)),
            ("account", self._sender.account, plan.account),
            ("pool", self._pool.address, plan.pool),
        ):
            if expected != found:
                raise PlanRefused(f"the plan is for {what} {found}, this is {expected}")

    def _refusal(self, plan: Plan) -> str | None:
        """Why the plan no longer holds: too old, or the price has left its bounds."""
        head = self._node.head()
        if head.timestamp > plan.expires_at:
            return f"the plan expired at {plan.expires_at}, the chain is at {head.timestamp}"
        price = self._node.call(uniswap_v3.slot0(self._pool.address), head).sqrt_price_x96
        if not plan.sqrt_price_min_x96 <= price <= plan.sqrt_price_max_x96:
            return (
                f"the price left the plan's bounds: sqrtPriceX96 {price} is not in "
                f"[{plan.sqrt_price_min_x96}, {plan.sqrt_price_max_x96}]"
            )
        return None

    def _do(self, action: Action, purposes: _Purposes) -> Fact:
        """One action with its allowances, which are zero again afterwards.

        Where nothing more can or may be signed, an allowance stands until `take_back`.
        """
        needed = spending(action, self._venue)
        if needed is None:
            return self._send(action, purposes)
        try:
            self._allow(needed, purposes)
            fact = self._send(action, purposes)
        except (CallReverted, TransactionFailed):
            self._revoke(needed, purposes)
            raise
        self._revoke(needed, purposes)
        return fact

    def _send(self, action: Action, purposes: _Purposes) -> Fact:
        call = main_call(action, self._venue, self._pool, self._sender.account, purposes.deadline)
        receipt = self._mined(purposes.of(call, action))
        return self._learn_fact(action, receipt)

    def _learn_fact(self, action: Action, receipt: Receipt) -> Fact:
        account = self._sender.account
        return self._sender.learn(
            receipt, lambda r: read_fact(self._node, self._pool, account, action, r)
        )

    def _allow(self, needed: Spending, purposes: _Purposes) -> None:
        self._revoke(needed, purposes)  # some tokens refuse to change one allowance into another
        for amount in needed.amounts:
            self._mined(purposes.of(approve_call(amount, needed.spender), None))

    def _revoke(self, needed: Spending, purposes: _Purposes) -> None:
        head = self._node.head()
        left = self._node.call_many(
            [
                erc20.allowance(a.token.address, self._sender.account, needed.spender)
                for a in needed.amounts
            ],
            head,
        )
        in_time = purposes.with_time_left(head)
        for amount, raw in zip(needed.amounts, left, strict=True):
            if raw:
                nothing = Amount(amount.token, 0)
                self._mined(in_time.of(approve_call(nothing, needed.spender), None))

    def _revoke_all(self, campaign: str) -> Stop | None:
        """Why taking back every allowance stopped early, or None."""
        none = self._pool.amounts(0, 0)
        try:
            head = self._node.head()
            purposes = _Purposes(campaign, head.timestamp, head)
            for spender in (self._venue.position_manager, self._venue.swap_router):
                both = Spending(spender=spender, amounts=(none.amount0, none.amount1))
                self._revoke(both, purposes)
        except (ChainError, Halted) as error:
            return _stopped_by(error)
        return None

    def _mined(self, purpose: Purpose) -> Receipt:
        """The receipt of a call that succeeded."""
        receipt = self._sender.send(purpose)
        if not receipt.succeeded:
            raise TransactionFailed(
                f"{purpose.call.what}: {receipt.tx_hash} was mined but reverted"
            )
        return receipt


def _all_done(settled: Iterator[Settled]) -> Iterator[Settled]:
    """The same; TransactionFailed after the last where one came to nothing, as one does that a
    reorganisation took out and put behind something else."""
    undone: list[str] = []
    for done in settled:
        yield done
        if done.status is not Status.FINAL:
            undone.append(f"{done.purpose.call.what}: {done.receipt.tx_hash} {done.status}")
    if undone:
        raise TransactionFailed("; ".join(undone))


def _stopped_by(error: ChainError | Halted) -> Stop:
    if isinstance(error, Halted):
        kind = StopKind.HALT
    else:
        kind = StopKind.ERROR if isinstance(error, _FAILURES) else StopKind.INTERRUPTED
    return Stop(kind=kind, reason=str(error))


def wallet_change(fact: Fact) -> Amounts:
    """What a fact added to the wallet, or (negative) took from it."""
    match fact:
        case Minted():
            return -fact.paid
        case Withdrawn():
            return fact.principal + fact.fees
        case Collected():
            return fact.fees
        case Swapped():
            return fact.delta
