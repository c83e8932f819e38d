"""Carries out a plan from a wallet, one confirmed transaction after the other."""

from __future__ import annotations

from collections.abc import Callable

from lpmanager.abi import revert_reason
from lpmanager.chain.node import Node, Receipt
from lpmanager.errors import (
    CallReverted,
    ChainError,
    Halted,
    PlanOvertaken,
    PlanRefused,
    TransactionFailed,
)
from lpmanager.execution.calldata import (
    Spending,
    approve_call,
    limited_to,
    main_call,
    spending,
)
from lpmanager.execution.facts import read_fact
from lpmanager.execution.plan_terms import overtaken, overtaken_mint, wallet_change
from lpmanager.execution.sender import Sender
from lpmanager.execution.settling import (
    Purposes,
    Settling,
    require_meant_for,
    stopped_by,
)
from lpmanager.model import (
    Action,
    Amount,
    Amounts,
    Block,
    Fact,
    Outcome,
    Plan,
    PoolKey,
    Stop,
    StopKind,
    Token,
)
from lpmanager.venues import erc20, uniswap_v3
from lpmanager.venues.uniswap_v3 import UniswapV3

#: Seconds after which taking back an allowance is given up for the time being.
REVOKE_WITHIN_S = 600

#: How the position manager, the router and the pool say that the price has passed a minimum or a
#: limit. What the vault says is in `vault_refusals`.
_PRICE_HAS_PASSED = frozenset({"Price slippage check", "Too little received", "SPL"})


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
        self._settling = Settling(node, native, sender, self._read_facts)
        self._stop_asked = stop_asked

    def carry_out(self, plan: Plan, wallet: Amounts) -> Outcome:
        """Do the plan's actions in order; stop early where one cannot be done any more.

        `wallet` is the campaign's share of the account before the plan. What was done before a
        stop is in the Outcome, once the chain has decided it for good; what it has not is left to
        `recover`, and the next cycle goes on from what the chain says.
        """
        self._require_meant_for_us(plan)
        stop = self._do_all(plan, wallet)
        return self._settling.finish(stop)

    def recover(self, campaign: str) -> Outcome:
        """See through what an earlier run of the campaign left open.

        Its Outcome stops where something is still open. Allowances are left to `take_back`.
        """
        return self._settling.take_over(campaign)

    def take_back(self, campaign: str, decided: Block, nonce: int) -> Outcome:
        """Take back every allowance, as a run that was interrupted may have left some."""
        return self._settling.finish(
            self._revoke_all(Purposes(campaign, decided.timestamp, decided, nonce))
        )

    def _do_all(self, plan: Plan, wallet: Amounts) -> Stop | None:
        """Why it stopped early, or None."""
        for action in plan.actions:
            if self._stop_asked():
                return Stop(kind=StopKind.ASKED, reason="asked to stop")
            try:
                wallet += wallet_change(self._do_in_time(plan, limited_to(action, wallet)))
            except (ChainError, Halted) as error:
                return stopped_by(error)
        return None

    def _require_meant_for_us(self, plan: Plan) -> None:
        account = self._settling.account
        require_meant_for(plan, self._node.chain_id, account, self._pool.address)
        if plan.vault is not None:
            raise PlanRefused(
                f"the plan is for vault {plan.vault.address}, this is account {account}"
            )

    def _do_in_time(self, plan: Plan, action: Action) -> Fact:
        """One action. Raises PlanOvertaken where its time or price has passed, or passes while its
        allowance is given: that is nobody's failure, however often it happens."""
        self._require_in_time(plan, action)
        try:
            return self._do(action, Purposes.of_plan(plan))
        except CallReverted as error:
            if revert_reason(error.data) in _PRICE_HAS_PASSED:
                raise PlanOvertaken(str(error)) from error
            self._require_in_time(plan, action)
            raise

    def _require_in_time(self, plan: Plan, action: Action) -> None:
        head = self._settling.head()
        price = self._node.call(uniswap_v3.slot0(self._pool.address), head).sqrt_price_x96
        reason = overtaken(plan, head, price) or overtaken_mint(action, price)
        if reason is not None:
            raise PlanOvertaken(reason)

    def _do(self, action: Action, purposes: Purposes) -> Fact:
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

    def _send(self, action: Action, purposes: Purposes) -> Fact:
        call = main_call(action, self._venue, self._pool, self._settling.account, purposes.deadline)
        receipt = self._settling.mined(purposes, call, action)
        (fact,) = self._settling.learn_facts((action,), receipt)
        return fact

    def _read_facts(self, actions: tuple[Action, ...], receipt: Receipt) -> tuple[Fact, ...]:
        manager, account = self._venue.position_manager, self._settling.account
        return tuple(
            read_fact(self._node, self._pool, manager, account, a, receipt) for a in actions
        )

    def _allow(self, needed: Spending, purposes: Purposes) -> None:
        self._revoke(needed, purposes)  # some tokens refuse to change one allowance into another
        for amount in needed.amounts:
            self._settling.mined(purposes, approve_call(amount, needed.spender))

    def _revoke(self, needed: Spending, purposes: Purposes) -> None:
        head = self._settling.head()
        left = self._node.call_many(
            [
                erc20.allowance(a.token.address, self._settling.account, needed.spender)
                for a in needed.amounts
            ],
            head,
        )
        in_time = purposes.with_time_left(head, REVOKE_WITHIN_S)
        for amount, raw in zip(needed.amounts, left, strict=True):
            if raw:
                nothing = Amount(amount.token, 0)
                self._settling.mined(in_time, approve_call(nothing, needed.spender))

    def _revoke_all(self, purposes: Purposes) -> Stop | None:
        """Why taking back every allowance stopped early, or None."""
        none = self._pool.amounts(0, 0)
        try:
            for spender in (self._venue.position_manager, self._venue.swap_router):
                both = Spending(spender=spender, amounts=(none.amount0, none.amount1))
                self._revoke(both, purposes)
        except (ChainError, Halted) as error:
            return stopped_by(error)
        return None
