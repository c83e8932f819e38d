"""From an action to the calls of the wallet's account that carry it out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model import Action, Amounts, Collect, Mint, Plan, PoolKey, Swap, Withdraw
from lpmanager.model.token import Amount
from lpmanager.venues import erc20
from lpmanager.venues.uniswap_v3 import UniswapV3


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One transaction to be: `data` to contract `to`, sending no native coin."""

    what: str
    to: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a call needs to be allowed to take: exact amounts, for one spender."""

    spender: str
    amounts: tuple[Amount, ...]


def main_call(action: Action, venue: UniswapV3, pool: PoolKey, account: str, deadline: int) -> Call:
    """The call that does the action itself. `deadline` is in Unix seconds, by block time."""
    match action:
        case Withdraw():
            data = venue.withdraw(
                action.token_id, action.liquidity, action.minimum, account, deadline
            )
            what = f"withdraw position {action.token_id}"
            return Call(what=what, to=venue.position_manager, data=data)
        case Collect():
            data = venue.collect(action.token_id, account)
            what = f"collect fees of position {action.token_id}"
            return Call(what=what, to=venue.position_manager, data=data)
        case Swap():
            data = venue.swap_exact_input(
                action.amount_in.token.address,
                action.minimum_out.token.address,
                pool.fee_pips,
                recipient=account,
                deadline=deadline,
                raw_in=action.amount_in.raw,
                minimum_raw_out=action.minimum_out.raw,
                sqrt_price_limit_x96=action.sqrt_price_limit_x96,
            )
            what = f"swap {action.amount_in} to {action.minimum_out.token.symbol}"
            return Call(what=what, to=venue.swap_router, data=data)
        case Mint():
            data = venue.mint(pool, action.range, action.desired, action.minimum, account, deadline)
            return Call(what=f"mint {action.range}", to=venue.position_manager, data=data)


def spending(action: Action, venue: UniswapV3) -> Spending | None:
    """The allowance the action needs; None where it takes nothing from the wallet."""
    match action:
        case Swap():
            return Spending(spender=venue.swap_router, amounts=(action.amount_in,))
        case Mint():
            wanted = (action.desired.amount0, action.desired.amount1)
            return Spending(
                spender=venue.position_manager, amounts=tuple(a for a in wanted if a.raw)
            )
        case _:
            return None


def approve_call(amount: Amount, spender: str) -> Call:
    """The call that lets `spender` take exactly `amount`; an amount of 0 takes the right away."""
    verb = "allow" if amount.raw else "revoke"
    return Call(
        what=f"{verb} {amount.token.symbol}",
        to=amount.token.address,
        data=erc20.approve(spender, amount.raw),
    )


def first_call(plan: Plan, venue: UniswapV3, pool: PoolKey) -> Call:
    """The first transaction a plan leads to: its first action, or the allowance that one needs."""
    action = plan.actions[0]
    needed = spending(action, venue)
    if needed is None:
        return main_call(action, venue, pool, plan.account, plan.expires_at)
    return approve_call(needed.amounts[0], needed.spender)


def limited_to(action: Action, wallet: Amounts) -> Action:
    """The action with what it takes cut down to what the wallet holds; minimums stay."""
    if not isinstance(action, Mint):
        return action
    desired = Amounts(
        min(action.desired.amount0, wallet.amount0), min(action.desired.amount1, wallet.amount1)
    )
    return Mint(range=action.range, desired=desired, minimum=action.minimum)
