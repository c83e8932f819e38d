"""What a plan is held to, and what it brings, on a chain and in a replay.

It needs no chain, so that a replay loads none.
"""

from __future__ import annotations

from lpmanager.amm import (
    LiquidityOverflow,
    amounts_for_liquidity_up,
    liquidity_for_amounts_down,
)
from lpmanager.model import (
    Action,
    Amount,
    Amounts,
    Block,
    Collected,
    Fact,
    Mint,
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


def overtaken_mint(action: Action, price: SqrtPriceX96) -> str | None:
    """Why the position manager refuses a mint at this price: it would take less than its minimum,
    or have no liquidity, as where the price has come into a range for one token. None for all else.
    """
    if not isinstance(action, Mint):
        return None
    try:
        liquidity = liquidity_for_amounts_down(price, action.range, *action.desired.raw)
    except LiquidityOverflow as overflow:
        return f"mint {action.range}: {overflow}"
    least, raw = action.minimum, amounts_for_liquidity_up(price, action.range, liquidity)
    if liquidity and all(found >= wanted for found, wanted in zip(raw, least.raw, strict=True)):
        return None
    takes = Amounts(Amount(least.amount0.token, raw[0]), Amount(least.amount1.token, raw[1]))
    return (
        f"mint {action.range}: it would take {takes} at sqrtPriceX96 {price}, at least {least} "
        "is wanted"
    )


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
