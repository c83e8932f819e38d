"""What a campaign has at stake, now or after a change, for the estimates of `lpmanager.risk`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from lpmanager.amm import amounts_for_liquidity_up
from lpmanager.model import Amounts, Liquidity, PoolKey, Swap
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.economics import Placed, active_of, fee_rate
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.held_range import held_range
from lpmanager.risk.stake import Stake


def stake_now(view: View, outlook: Outlook) -> Stake:
    """Positions and idle tokens as they are."""
    state, held = view.snapshot.state, view.inventory.holdings
    placed = tuple((p.range, p.liquidity) for p in view.snapshot.positions)
    others = Liquidity(max(state.liquidity - active_of(placed, state.tick), 0))
    return _stake(view, outlook, placed, held.wallet + held.uncollected, others)


def stake_after(view: View, outlook: Outlook, candidate: Candidate, gas: Fraction) -> Stake:
    """What the candidate would leave, less its gas in raw quote units.

    Swaps bring what they are expected to.
    """
    pool, price = view.snapshot.pool, candidate.after.sqrt_price_x96
    idle = view.inventory.holdings.total
    for action in candidate.actions:
        if isinstance(action, Swap):
            idle += _brings(pool, action)
    for tick_range, liquidity in candidate.placed:
        idle -= pool.amounts(*amounts_for_liquidity_up(price, tick_range, liquidity))
    return _stake(view, outlook, candidate.placed, idle, candidate.others_liquidity, gas)


def _brings(pool: PoolKey, swap: Swap) -> Amounts:
    paid, got = swap.amount_in, swap.expected_out
    if paid.token == pool.token0:
        return pool.amounts(-paid.raw, got.raw)
    return pool.amounts(got.raw, -paid.raw)


def _stake(
    view: View,
    outlook: Outlook,
    placed: Iterable[Placed],
    idle: Amounts,
    others: Liquidity,
    gas: Fraction = Fraction(0),
) -> Stake:
    snapshot, price = view.snapshot, view.snapshot.price
    pool, quote, whole = snapshot.pool, snapshot.quote, 10**snapshot.quote.decimals
    placed = tuple(placed)
    base, quoted = (
        (idle.amount0, idle.amount1) if quote == pool.token1 else (idle.amount1, idle.amount0)
    )
    per_whole_liquidity = 10 ** ((pool.token0.decimals + pool.token1.decimals) / 2)
    rate = fee_rate(view, outlook, others + active_of(placed, snapshot.state.tick))
    return Stake(
        sqrt_price=math.sqrt(price.per_whole),
        ranges=tuple(held_range(pool, quote, *each) for each in placed),
        # mints may take a few raw units more than is there
        base=max(base.raw, 0) / 10**base.token.decimals,
        quote=max(quoted.raw, 0) / whole,
        fee_rate=rate * per_whole_liquidity / whole,
        gas=float(gas) / whole,
    )
