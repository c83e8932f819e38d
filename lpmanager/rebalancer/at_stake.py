"""What a campaign has at stake, now or after a change, for the estimates of `lpmanager.risk`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from lpmanager.amm import amounts_for_liquidity_up
from lpmanager.model import Amounts, Liquidity, PoolKey, Swap
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.economics import Placed, active_of, fee_rate
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.held_range import held_range
from lpmanager.risk.stake import Stake


def stake_held(view: View) -> Stake:
    """Positions and idle tokens as they are, without fees to come: for moves of the price at once.

    It needs no outlook.
    """
    held = view.inventory.holdings
    return _stake(view, _held_ranges(view), held.wallet + held.uncollected)


def stake_now(view: View, outlook: Outlook) -> Stake:
    """Positions and idle tokens as they are."""
    state, placed = view.snapshot.state, _held_ranges(view)
    others = Liquidity(max(state.liquidity - active_of(placed, state.tick), 0))
    return replace(stake_held(view), fee_rate=_fee_rate(view, outlook, placed, others))


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
    rate = _fee_rate(view, outlook, candidate.placed, candidate.others_liquidity)
    return replace(
        _stake(view, candidate.placed, idle),
        fee_rate=rate,
        gas=float(gas) / 10**view.snapshot.quote.decimals,
    )


def _brings(pool: PoolKey, swap: Swap) -> Amounts:
    paid, got = swap.amount_in, swap.expected_out
    if paid.token == pool.token0:
        return pool.amounts(-paid.raw, got.raw)
    return pool.amounts(got.raw, -paid.raw)


def _held_ranges(view: View) -> tuple[Placed, ...]:
    return tuple((p.range, p.liquidity) for p in view.snapshot.positions)


def _stake(view: View, placed: Iterable[Placed], idle: Amounts) -> Stake:
    """Without fees and gas."""
    snapshot, price = view.snapshot, view.snapshot.price
    pool, quote = snapshot.pool, snapshot.quote
    base, quoted = (
        (idle.amount0, idle.amount1) if quote == pool.token1 else (idle.amount1, idle.amount0)
    )
    return Stake(
        sqrt_price=math.sqrt(price.per_whole),
        ranges=tuple(held_range(pool, quote, *each) for each in placed),
        # mints may take a few raw units more than is there
        base=max(base.raw, 0) / 10**base.token.decimals,
        quote=max(quoted.raw, 0) / 10**quote.decimals,
        fee_rate=0.0,
        gas=0.0,
    )


def _fee_rate(view: View, outlook: Outlook, placed: Iterable[Placed], others: Liquidity) -> float:
    """Quote tokens per second for a unit of liquidity of whole tokens, as `Stake` counts it."""
    pool, quote = view.snapshot.pool, view.snapshot.quote
    rate = fee_rate(view, outlook, others + active_of(placed, view.snapshot.state.tick))
    per_whole_liquidity: float = 10 ** ((pool.token0.decimals + pool.token1.decimals) / 2)
    return rate * per_whole_liquidity / float(10**quote.decimals)
