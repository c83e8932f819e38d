"""What a plan would do first, tried out at a block without signing anything."""

from __future__ import annotations

from lpmanager.chain.node import Node
from lpmanager.errors import CallReverted
from lpmanager.execution.calldata import Call, first_call
from lpmanager.execution.sender import simulate
from lpmanager.execution.vault_calldata import vault_call
from lpmanager.execution.vault_refusals import refusal_of
from lpmanager.model import Block, Plan, PoolKey
from lpmanager.venues import liquidity_vault
from lpmanager.venues.uniswap_v3 import UniswapV3


def rehearse(node: Node, venue: UniswapV3, pool: PoolKey, plan: Plan, at: Block) -> Call:
    """The first transaction of a plan, which succeeds where it is simulated at that block; of a
    vault's plan it is the only one. Raises CallReverted, saying why, where it does not succeed."""
    if plan.vault is None:
        call = first_call(plan, venue, pool)
        simulate(node, plan.account, call, at)
        return call
    held = node.call(liquidity_vault.ranges(plan.vault.address), at)
    call = vault_call(plan.actions, plan.vault, plan.expires_at, pool, held)
    try:
        simulate(node, plan.account, call, at)
    except CallReverted as error:
        sentence = refusal_of(error.data).sentence
        raise CallReverted(f"{call.what}: would revert: {sentence}", error.data) from error
    return call
