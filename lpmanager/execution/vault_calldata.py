"""From a plan to the one call of a vault's operator that carries it out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lpmanager.errors import PlanRefused
from lpmanager.execution.calldata import Call
from lpmanager.model import (
    Action,
    Amounts,
    Collect,
    Mint,
    PoolKey,
    Swap,
    TickRange,
    VaultTurn,
    Withdraw,
)
from lpmanager.venues import liquidity_vault
from lpmanager.venues.liquidity_vault import Rebalance, position_id

#: In this order a vault does what one call asks of it.
_PLACES = {"withdraw": 0, "swap": 1, "mint": 2}


def vault_call(
    actions: Sequence[Action],
    turn: VaultTurn,
    deadline: int,
    pool: PoolKey,
    held: Sequence[TickRange],
) -> Call:
    """The call that does all the actions by `deadline` (Unix seconds, block time), or nothing.

    `held` are the vault's ranges in its own order. Raises PlanRefused where the vault cannot do
    them in one call.
    """
    if all(isinstance(action, Collect) for action in actions):
        what, data = "collect fees of", liquidity_vault.collect_fees()
    else:
        order = _order(actions, turn.address, pool, held)
        what = f"rebalance {turn.seq} of"
        data = liquidity_vault.rebalance(turn.seq, order, deadline)
    return Call(what=f"{what} vault {turn.address}", to=turn.address, data=data)


def may_lack_what_is_sold(actions: Sequence[Action], idle: Amounts) -> bool:
    """Whether a swap sells more than the idle tokens and the minimums of what is withdrawn."""
    for action in actions:
        if isinstance(action, Withdraw):
            idle += action.minimum
    sold = [action.amount_in for action in actions if isinstance(action, Swap)]
    sure = {amount.token: amount.raw for amount in (idle.amount0, idle.amount1)}
    return any(amount.raw > sure[amount.token] for amount in sold)


def _order(
    actions: Sequence[Action], vault: str, pool: PoolKey, held: Sequence[TickRange]
) -> Rebalance:
    _require_order(actions)
    withdrawals = [action for action in actions if isinstance(action, Withdraw)]
    swaps = [action for action in actions if isinstance(action, Swap)]
    mints = tuple(action for action in actions if isinstance(action, Mint))
    leaving = {withdrawal.token_id for withdrawal in withdrawals}
    staying = [position_id(vault, r) not in leaving for r in held]
    if len(swaps) > 1:
        raise PlanRefused(f"the plan swaps {len(swaps)} times, a vault does so once in a call")
    if staying.count(False) < len(withdrawals):
        raise PlanRefused(
            f"the plan withdraws {len(withdrawals)} positions, of which vault {vault} holds "
            f"{staying.count(False)}"
        )
    _require_opened_once(mints, [r for r, stays in zip(held, staying, strict=True) if stays])
    return Rebalance(
        keep=sum(1 << bit for bit, stays in enumerate(staying) if stays),
        burn_minimum=sum((w.minimum for w in withdrawals), start=pool.amounts(0, 0)),
        swap=swaps[0] if swaps else None,
        mints=mints,
    )


def _require_order(actions: Sequence[Action]) -> None:
    kinds = [action.kind for action in actions]
    if any(isinstance(action, Collect) for action in actions):
        raise PlanRefused(
            "the plan collects fees besides other actions; a vault takes the fees of what it "
            "closes, or of all that it holds in a call of its own"
        )
    if kinds != sorted(kinds, key=_PLACES.__getitem__):
        raise PlanRefused(f"the plan does {', '.join(kinds)}; a vault withdraws, swaps and mints")


def _require_opened_once(mints: Sequence[Mint], kept: Sequence[TickRange]) -> None:
    """A position that grows has no booked beginning of its own."""
    seen = set(kept)
    for mint in mints:
        if mint.range in seen:
            raise PlanRefused(f"the plan mints into {mint.range}, which the vault holds then")
        seen.add(mint.range)
