"""Carries out a plan from a wallet, one confirmed transaction after the other."""

from __future__ import annotations

from collections.abc import Callable

from lpmanager.chain.node import Node, Receipt
from lpmanager.errors import CallReverted, ChainError, PlanRefused, TransactionFailed
from lpmanager.execution.calldata import (
    Call,
    Spending,
    approve_call,
    limited_to,
    main_call,
    spending,
)
from lpmanager.execution.facts import read_fact
from lpmanager.execution.sender import Sender
from lpmanager.model import (
    Action,
    Amount,
    Amounts,
    Collected,
    Fact,
    Minted,
    Outcome,
    Plan,
    PoolKey,
    Step,
    Swapped,
    Token,
    Withdrawn,
)
from lpmanager.venues import erc20, uniswap_v3
from lpmanager.venues.uniswap_v3 import UniswapV3


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
        stop is in the Outcome; the next cycle goes on from what the chain says.
        """
        self._require_meant_for_us(plan)
        steps: list[Step] = []
        for action in plan.actions:
            if self._stop_asked():
                return Outcome(steps=tuple(steps), stopped="asked to stop")
            try:
                refusal = self._refusal(plan)
                if refusal is not None:
                    return Outcome(steps=tuple(steps), stopped=refusal)
                fact = self._do(limited_to(action, wallet), plan.expires_at, steps)
            except ChainError as error:
                return Outcome(steps=tuple(steps), stopped=str(error))
            wallet += wallet_change(fact)
        return Outcome(steps=tuple(steps), stopped=None)

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

    def _do(self, action: Action, deadline: int, steps: list[Step]) -> Fact:
        """One action with its allowances, which are zero again afterwards.

        After a MaybeSent nothing more is signed, so an allowance may stand until the next cycle.
        """
        needed = spending(action, self._venue)
        if needed is None:
            return self._send(action, deadline, steps)
        try:
            self._allow(needed, steps)
            fact = self._send(action, deadline, steps)
        except (CallReverted, TransactionFailed):
            self._revoke(needed, steps)
            raise
        self._revoke(needed, steps)
        return fact

    def _send(self, action: Action, deadline: int, steps: list[Step]) -> Fact:
        account = self._sender.account
        call = main_call(action, self._venue, self._pool, account, deadline)
        receipt = self._mined(call, steps)
        fact = self._sender.learn(
            lambda: read_fact(self._node, self._pool, account, action, receipt)
        )
        self._write(call, receipt, fact, steps)
        return fact

    def _allow(self, needed: Spending, steps: list[Step]) -> None:
        self._revoke(needed, steps)  # some tokens refuse to change one allowance into another
        for amount in needed.amounts:
            self._approve(amount, needed.spender, steps)

    def _revoke(self, needed: Spending, steps: list[Step]) -> None:
        head = self._node.head()
        left = self._node.call_many(
            [
                erc20.allowance(a.token.address, self._sender.account, needed.spender)
                for a in needed.amounts
            ],
            head,
        )
        for amount, raw in zip(needed.amounts, left, strict=True):
            if raw:
                self._approve(Amount(amount.token, 0), needed.spender, steps)

    def _approve(self, amount: Amount, spender: str, steps: list[Step]) -> None:
        call = approve_call(amount, spender)
        self._write(call, self._mined(call, steps), None, steps)

    def _mined(self, call: Call, steps: list[Step]) -> Receipt:
        """The receipt of a call that succeeded; one that reverted is booked too: it cost gas."""
        receipt = self._sender.send(call)
        if not receipt.succeeded:
            self._write(call, receipt, None, steps)
            raise TransactionFailed(f"{call.what}: {receipt.tx_hash} was mined but reverted")
        return receipt

    def _write(self, call: Call, receipt: Receipt, fact: Fact | None, steps: list[Step]) -> None:
        """Only what is known in full counts as settled: until then nothing more is signed."""
        steps.append(
            Step(
                what=call.what,
                tx_hash=receipt.tx_hash,
                block=self._sender.learn(lambda: self._node.block(receipt.block_number)),
                gas_paid=Amount(self._native, receipt.gas_paid),
                fact=fact,
            )
        )
        self._sender.settle(receipt)


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
