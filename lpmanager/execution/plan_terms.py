"""What a plan is held to, and what it brings, on a chain and in a replay.

It needs no chain, so that a replay loads none.
"""

from __future__ import annotations

from lpmanager.model import (
    Amounts,
    Block,
    Collected,
    Fact,
    Minted,
    Plan,
    SqrtPriceX96,
    Swapped,
    Withdrawn,
)


def overtaken(plan: Plan, head: Block, price: SqrtPriceX96) -> str | None:
    """Why the plan no longer holds: too old, or the price has left its bounds."""
    if head.timestamp > plan.expires_at:
        return f"the plan expired at {plan.expires_at}, the chain is at {head.timestamp}"
    if not plan.sqrt_price_min_x96 <= price <= plan.sqrt_price_max_x96:
        return (
            f"the price left the plan's bounds: sqrtPriceX96 {price} is not in "
            f"[{plan.sqrt_price_min_x96}, {plan.sqrt_price_max_x96}]"
        )
    return None


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
