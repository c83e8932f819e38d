"""The changes that could be made, each worked out on the exact pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import starmap

from lpmanager.amm import (
    Pool,
    burn_minimums_down,
    mint_minimums_down,
    principal_down,
    range_bounds,
    sqrt_price_bounds,
    swap_for_deposit,
    uncollected_fees,
)
from lpmanager.amm.removal import without_liquidity
from lpmanager.hedge import hedged_weight, swap_into_balance
from lpmanager.model import (
    Action,
    Amount,
    Amounts,
    Liquidity,
    Mint,
    PoolState,
    Position,
    SqrtPriceX96,
    Swap,
    SwapPurpose,
    Target,
    TickRange,
    WeightedRange,
    Withdraw,
)
from lpmanager.rebalancer.economics import Placed
from lpmanager.rebalancer.ranges import fill_down, order_beside
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits

_BPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A change that could be made: its actions, what stands afterwards, and what a swap costs.

    `after` is the pool afterwards without any liquidity of ours, `placed` our liquidity then.
    `swap_cost` is at the pool's price before, `at_risk` what the minimums still allow to be lost;
    both in raw quote units.
    """

    name: str
    purpose: SwapPurpose
    target: Target
    actions: tuple[Action, ...]
    placed: tuple[Placed, ...]
    after: PoolState
    swap_cost: Fraction
    at_risk: Fraction

    @property
    def others_liquidity(self) -> Liquidity:
        """The active liquidity afterwards that is not ours."""
        return self.after.liquidity


def rerange(view: View, target: Target, limits: Limits) -> Candidate:
    """Withdraw what is not wanted, swap if the target says so, fill the wanted ranges in order."""
    snapshot, wants = view.snapshot, _each_once(target.ranges)
    wanted = {w.range for w in wants}
    leaving = [p for p in snapshot.positions if p.range not in wanted]
    staying = [p for p in snapshot.positions if p.range in wanted]
    missing = [w for w in wants if w.range not in {p.range for p in staying}]
    pool = _pool(view, _without(snapshot.state, leaving))
    free = view.record.wallet
    for position in leaving:
        free += _all_of(view, position)
    withdrawals = [_withdraw(view, position, limits) for position in leaving]
    swapped = _swap_into_ratio(view, pool, free, missing, limits) if target.swap else None
    after = pool.state() if swapped is None else swapped.after
    free_after = free if swapped is None else free + swapped.delta
    mints, placed = _fill(view, after.sqrt_price_x96, free_after, missing, limits)
    swaps = [swapped.action] if swapped else []
    actions: tuple[Action, ...] = (*withdrawals, *swaps, *mints)
    reranged = "re-range with a swap" if swapped else "re-range without a swap"
    return Candidate(
        name=reranged if wants else "take everything out",
        purpose=SwapPurpose.RERANGE,
        target=target,
        actions=actions,
        placed=(*((p.range, p.liquidity) for p in staying), *placed),
        after=_without(after, staying),
        swap_cost=swapped.cost if swapped else Fraction(0),
        at_risk=_at_risk(view, actions, limits),
    )


def rerange_without_swap(view: View, target: Target, limits: Limits) -> Candidate:
    """The target's first range filled with what is there, the rest as an order beside the price."""
    snapshot, base = view.snapshot, _each_once(target.ranges)[0]
    held = view.inventory.holdings.total
    offered = _share_down(held, base.weight)
    _, used = fill_down(snapshot.pool, snapshot.state.sqrt_price_x96, base.range, offered)
    width = max(base.range.width // 2, 1)  # of a range of one tick a half is none
    order = order_beside(snapshot.pool, snapshot.state.tick, width, offered - used, snapshot.price)
    ranges = (base, WeightedRange(order, base.weight))
    return rerange(view, replace(target, ranges=ranges, swap=False), limits)


def hedge(view: View, target: Target, limits: Limits) -> Candidate | None:
    """Sell wallet tokens of the heavier side until the weights are hedged.

    None where the wallet holds none of the heavier token, or only dust.
    """
    snapshot = view.snapshot
    pool = _pool(view, snapshot.state)
    weight = hedged_weight(view.inventory, limits)
    amount_in = swap_into_balance(pool, snapshot, view.record.wallet, view.inventory, weight)
    if amount_in is None:
        return None
    swapped = _swap(view, pool, SwapPurpose.HEDGE, amount_in, limits)
    if swapped is None:
        return None
    return Candidate(
        name="hedge by a swap",
        purpose=SwapPurpose.HEDGE,
        target=target,
        actions=(swapped.action,),
        placed=tuple((p.range, p.liquidity) for p in snapshot.positions),
        after=_without(swapped.after, snapshot.positions),
        swap_cost=swapped.cost,
        at_risk=_at_risk(view, (swapped.action,), limits),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Swapped:
    action: Swap
    after: PoolState
    delta: Amounts
    cost: Fraction


def _each_once(ranges: Iterable[WeightedRange]) -> tuple[WeightedRange, ...]:
    """The ranges with what is wanted of each in one piece: two positions of one range cost twice
    the gas, and a vault has no more than one."""
    weights: dict[TickRange, Fraction] = {}
    for want in ranges:
        weights[want.range] = min(weights.get(want.range, Fraction(0)) + want.weight, Fraction(1))
    return tuple(starmap(WeightedRange, weights.items()))


def _pool(view: View, state: PoolState) -> Pool:
    """The view's pool in this state, to swap in."""
    key = view.snapshot.pool
    return Pool.from_state(state, key.fee_pips, key.tick_spacing)


def _swap(
    view: View, pool: Pool, purpose: SwapPurpose, amount_in: Amount, limits: Limits
) -> _Swapped | None:
    """The swap worked out; None where it is dust, of which no minimum above 0 can come back."""
    key, price = view.snapshot.pool, view.snapshot.price
    zero_for_one = amount_in.token == key.token0
    traded = pool.copy()
    result = traded.swap(zero_for_one, amount_in.raw)
    delta = key.amounts(-result.amount0, -result.amount1)
    out = delta.amount1 if zero_for_one else delta.amount0
    minimum = Amount(out.token, out.raw * (_BPS - limits.slippage_bps) // _BPS)
    if minimum.raw == 0:
        return None
    low, high = sqrt_price_bounds(result.sqrt_price_x96, limits.slippage_bps)
    action = Swap(
        purpose=purpose,
        amount_in=amount_in,
        expected_out=out,
        minimum_out=minimum,
        sqrt_price_limit_x96=low if zero_for_one else high,
    )
    return _Swapped(action=action, after=traded.state(), delta=delta, cost=-price.value(delta))


def _swap_into_ratio(
    view: View, pool: Pool, free: Amounts, wanted: list[WeightedRange], limits: Limits
) -> _Swapped | None:
    """The swap after which the first wanted range uses up what it is offered."""
    if not wanted:
        return None
    key = view.snapshot.pool
    offered = _share_down(free, wanted[0].weight)
    size = swap_for_deposit(pool, *offered.raw, wanted[0].range)
    if size.amount_in == 0:
        return None
    token = key.token0 if size.zero_for_one else key.token1
    return _swap(view, pool, SwapPurpose.RERANGE, Amount(token, size.amount_in), limits)


def _fill(
    view: View,
    sqrt_price_x96: SqrtPriceX96,
    free: Amounts,
    wanted: list[WeightedRange],
    limits: Limits,
) -> tuple[list[Mint], list[Placed]]:
    """Mints that fill the ranges in order, each with its share of what is free, or the rest."""
    pool = view.snapshot.pool
    mints, placed, left = [], [], free
    for want in wanted:
        offered = _smaller(_share_down(free, want.weight), left)
        liquidity, used = fill_down(pool, sqrt_price_x96, want.range, offered)
        if liquidity == 0:
            continue
        sure = _share_down(used, Fraction(_BPS - limits.slippage_bps, _BPS))
        low, high = range_bounds(want.range)
        # An order beside the price can be minted only while the price stays beside it.
        band = limits.slippage_bps if low < sqrt_price_x96 < high else 0
        minimum = _protective(
            partial(mint_minimums_down, sqrt_price_x96, want.range, *sure.raw), band
        )
        mints.append(Mint(range=want.range, desired=used, minimum=pool.amounts(*minimum)))
        placed.append((want.range, liquidity))
        left -= used
    return mints, placed


def _protective(
    minimums_down: Callable[[int], tuple[int, int]], slippage_bps: int
) -> tuple[int, int]:
    """The minimums over the slippage band; over a narrower one where that would leave none.

    A range narrower than the band can come to hold either token alone inside it, so that neither
    has a minimum. A minimum of nothing is no protection: the price is given less room instead.
    """
    while slippage_bps and not any(minimums_down(slippage_bps)):
        slippage_bps //= 2
    return minimums_down(slippage_bps)


def _withdraw(view: View, position: Position, limits: Limits) -> Withdraw:
    pool, price = view.snapshot.pool, view.snapshot.state.sqrt_price_x96
    minimum = _protective(
        partial(burn_minimums_down, price, position.range, position.liquidity), limits.slippage_bps
    )
    return Withdraw(
        token_id=position.token_id,
        liquidity=position.liquidity,
        minimum=pool.amounts(*minimum),
        expected=_all_of(view, position),
    )


def _all_of(view: View, position: Position) -> Amounts:
    pool = view.snapshot.pool
    principal = principal_down(position, view.snapshot.state.sqrt_price_x96)
    return pool.amounts(*principal) + pool.amounts(*uncollected_fees(position))


def _without(state: PoolState, positions: Iterable[Position]) -> PoolState:
    for position in positions:
        state = without_liquidity(state, position.range, position.liquidity)
    return state


def _share_down(amounts: Amounts, share: Fraction) -> Amounts:
    def part(amount: Amount) -> Amount:
        return Amount(amount.token, amount.raw * share.numerator // share.denominator)

    return Amounts(part(amounts.amount0), part(amounts.amount1))


def _smaller(one: Amounts, other: Amounts) -> Amounts:
    return Amounts(min(one.amount0, other.amount0), min(one.amount1, other.amount1))


def _at_risk(view: View, actions: Iterable[Action], limits: Limits) -> Fraction:
    """What may be lost inside the plan's own bounds: `slippage_bps` of all that is moved."""
    price = view.snapshot.price
    moved = Fraction(0)
    for action in actions:
        if isinstance(action, Withdraw):
            moved += price.value(action.expected)
        elif isinstance(action, Swap):
            moved += price.value_of(action.amount_in)
        elif isinstance(action, Mint):
            moved += price.value(action.desired)
    return moved * limits.slippage_bps / _BPS
