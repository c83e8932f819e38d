"""Carries out a plan from a vault: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable

from lpmanager.chain.node import Node, Receipt
from lpmanager.errors import CallReverted, ChainError, Halted, PlanRefused
from lpmanager.execution.calldata import Call
from lpmanager.execution.plan_terms import overtaken
from lpmanager.execution.sender import Sender
from lpmanager.execution.settling import (
    Purposes,
    Settling,
    require_meant_for,
    stopped_by,
)
from lpmanager.execution.vault_calldata import may_lack_what_is_sold, vault_call
from lpmanager.execution.vault_facts import read_vault_facts
from lpmanager.execution.vault_refusals import Answer, refusal_of
from lpmanager.model import (
    Action,
    Amounts,
    Block,
    Fact,
    Outcome,
    Plan,
    PoolKey,
    Stop,
    StopKind,
    Token,
    VaultTurn,
)
from lpmanager.venues import liquidity_vault, uniswap_v3

_STOPS = {
    Answer.RETRY: StopKind.OVERTAKEN,
    Answer.HOLD: StopKind.OVERTAKEN,
    Answer.HALT: StopKind.HALT,
    Answer.ERROR: StopKind.ERROR,
}


class VaultExecutor:
    """Vault custody: tokens and positions are the vault's, and the account that signs may do no
    more than rebalance it within its bounds.

    `stop_asked` is looked at once, before anything is signed.
    """

    def __init__(
        self,
        node: Node,
        vault: str,
        pool: PoolKey,
        native: Token,
        sender: Sender,
        stop_asked: Callable[[], bool],
    ) -> None:
        self._node = node
        self._vault = vault
        self._pool = pool
        self._settling = Settling(node, native, sender, self._read_facts)
        self._stop_asked = stop_asked

    def carry_out(self, plan: Plan, wallet: Amounts) -> Outcome:
        """Do all of the plan at once, or nothing.

        `wallet` are the idle tokens of the vault before the plan. What was done is in the Outcome
        once the chain has decided it for good; what it has not is left to `recover`. Raises
        PlanRefused where the plan is for somebody else, or not what a vault can do in one call.
        """
        turn = self._turn_of(plan)
        return self._settling.finish(self._do(plan, turn, wallet))

    def recover(self, campaign: str) -> Outcome:
        """See through what an earlier run of the campaign left open; it stops where something
        still is."""
        return self._settling.take_over(campaign)

    def take_back(self, campaign: str, decided: Block, nonce: int) -> Outcome:
        """Nothing: a vault allows nobody to take from it."""
        return Outcome(steps=(), stop=None)

    def _turn_of(self, plan: Plan) -> VaultTurn:
        require_meant_for(plan, self._node.chain_id, self._settling.account, self._pool.address)
        if plan.vault is None or plan.vault.address != self._vault:
            holder = "the account itself" if plan.vault is None else f"vault {plan.vault.address}"
            raise PlanRefused(f"the plan is for {holder}, this is vault {self._vault}")
        return plan.vault

    def _do(self, plan: Plan, turn: VaultTurn, wallet: Amounts) -> Stop | None:
        """Why nothing was done, or None."""
        if self._stop_asked():
            return Stop(kind=StopKind.ASKED, reason="asked to stop")
        try:
            call = self._call_now(plan, turn)
            if isinstance(call, Stop):
                return call
            return self._send(plan, call, wallet)
        except (ChainError, Halted) as error:
            return stopped_by(error)

    def _call_now(self, plan: Plan, turn: VaultTurn) -> Call | Stop:
        """The call that does the plan at the head; why it no longer holds where it does not."""
        head = self._node.head()
        slot0, turns, held = self._node.call_many(
            [
                uniswap_v3.slot0(self._pool.address),
                liquidity_vault.turns(self._vault),
                liquidity_vault.ranges(self._vault),
            ],
            head,
        )
        reason = overtaken(plan, head, slot0.sqrt_price_x96)
        if reason is None and turns.seq != turn.seq:
            reason = (
                f"the plan is for rebalance {turn.seq} of vault {self._vault}, which is at "
                f"{turns.seq} by now"
            )
        if reason is not None:
            return Stop(kind=StopKind.OVERTAKEN, reason=reason)
        return vault_call(plan.actions, turn, plan.expires_at, self._pool, held)

    def _send(self, plan: Plan, call: Call, wallet: Amounts) -> Stop | None:
        try:
            self._settling.mined(Purposes.of_plan(plan), call, *plan.actions)
        except CallReverted as error:
            return _refused(error, call, plan, wallet)
        return None

    def _read_facts(self, actions: tuple[Action, ...], receipt: Receipt) -> tuple[Fact, ...]:
        return read_vault_facts(self._node, self._pool, self._vault, actions, receipt)


def _refused(error: CallReverted, call: Call, plan: Plan, wallet: Amounts) -> Stop:
    """What follows where the vault would revert: nothing was signed."""
    refusal = refusal_of(error.data)
    if refusal.name == "TransferFailed" and may_lack_what_is_sold(plan.actions, wallet):
        # The price moved since the plan was made: no fault, and no theft.
        reason = "what is withdrawn no longer covers what the plan sells; the next cycle decides"
        return Stop(kind=StopKind.OVERTAKEN, reason=f"{call.what}: {reason} anew")
    return Stop(kind=_STOPS[refusal.answer], reason=f"{call.what}: {refusal.sentence}")
