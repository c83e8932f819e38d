"""A whole swap against a pool's state, equal to the contract's to the last wei."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lpmanager.amm.full_math import Q128, Q256, mul_div_down
from lpmanager.amm.swap_step import SwapStep, compute_swap_step
from lpmanager.amm.tick_math import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    sqrt_price_at_tick,
    tick_at_sqrt_price,
)
from lpmanager.amm.tick_search import Stop, TickDataMissing, next_stop_down, next_stop_up
from lpmanager.model import Liquidity, PoolState, SqrtPriceX96


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapResult:
    """What a swap did. Raw amounts as the pool sees them: positive went in, negative came out.

    `crossed` are the initialized ticks passed, in order.
    """

    amount0: int
    amount1: int
    state: PoolState
    crossed: tuple[int, ...]


def swap(
    state: PoolState,
    *,
    fee_pips: int,
    tick_spacing: int,
    zero_for_one: bool,
    amount_specified: int,
    sqrt_price_limit_x96: SqrtPriceX96 | None = None,
) -> SwapResult:
    """Swap exactly `amount_specified` in (positive) or out (negative), as far as the limit allows.

    Without a limit the swap goes as far as prices go. The pool's owner's share of the fees is
    taken out of fee growth. Raises ValueError for a zero amount or a limit that is not ahead of
    the price, TickDataMissing where the price would leave `state.known`.
    """
    if amount_specified == 0:
        raise ValueError("a swap needs an amount, found 0")
    limit = _checked_limit(state, zero_for_one, sqrt_price_limit_x96)
    next_stop = next_stop_down if zero_for_one else next_stop_up
    remaining, calculated = amount_specified, 0
    crossed: list[int] = []
    while remaining != 0 and state.sqrt_price_x96 != limit:
        stop = next_stop(state, tick_spacing)
        stop_price = sqrt_price_at_tick(stop.tick)
        target = max(stop_price, limit) if zero_for_one else min(stop_price, limit)
        step = compute_swap_step(state.sqrt_price_x96, target, state.liquidity, remaining, fee_pips)
        remaining, calculated = _settle(remaining, calculated, step)
        state = _earn(state, step.fee, zero_for_one)
        if step.sqrt_price_x96 == stop_price:
            state = _reach(state, stop, stop_price, zero_for_one)
            if stop.initialized is not None:
                crossed.append(stop.tick)
        elif step.sqrt_price_x96 != state.sqrt_price_x96:
            state = _move(state, step.sqrt_price_x96)
    amounts = amount_specified - remaining, calculated
    # the specified token is token0 when token0 goes in exactly, or comes out exactly
    amount0, amount1 = amounts if zero_for_one == (amount_specified > 0) else amounts[::-1]
    return SwapResult(amount0=amount0, amount1=amount1, state=state, crossed=tuple(crossed))


def _checked_limit(
    state: PoolState, zero_for_one: bool, limit: SqrtPriceX96 | None
) -> SqrtPriceX96:
    lowest, highest = SqrtPriceX96(MIN_SQRT_PRICE + 1), SqrtPriceX96(MAX_SQRT_PRICE - 1)
    if limit is None:
        return lowest if zero_for_one else highest
    price = state.sqrt_price_x96
    ahead = lowest <= limit < price if zero_for_one else price < limit <= highest
    if not ahead:
        side = "below" if zero_for_one else "above"
        raise ValueError(f"the price limit must be {side} sqrtPriceX96 {price}, found {limit}")
    return limit


def _settle(remaining: int, calculated: int, step: SwapStep) -> tuple[int, int]:
    paid = step.amount_in + step.fee
    if remaining > 0:
        return remaining - paid, calculated - step.amount_out
    return remaining + step.amount_out, calculated + paid


def _earn(state: PoolState, fee: int, zero_for_one: bool) -> PoolState:
    """Fee growth after a step. fee_protocol packs 1/share: token0 in the low 4 bits."""
    share = state.fee_protocol % 16 if zero_for_one else state.fee_protocol >> 4
    earned = fee - fee // share if share else fee
    if state.liquidity == 0 or earned == 0:
        return state
    growth = mul_div_down(earned, Q128, state.liquidity)
    if zero_for_one:
        return replace(
            state, fee_growth_global0_x128=(state.fee_growth_global0_x128 + growth) % Q256
        )
    return replace(state, fee_growth_global1_x128=(state.fee_growth_global1_x128 + growth) % Q256)


def _reach(state: PoolState, stop: Stop, price: SqrtPriceX96, zero_for_one: bool) -> PoolState:
    if not stop.known:
        raise TickDataMissing(
            f"the swap reaches tick {stop.tick}, but ticks are known only in {state.known}; "
            "read more ticks around the price"
        )
    net = 0 if stop.initialized is None else stop.initialized.liquidity_net
    liquidity = state.liquidity - net if zero_for_one else state.liquidity + net
    if liquidity < 0:
        raise ValueError(f"crossing tick {stop.tick} leaves liquidity {liquidity}: bad tick data")
    return replace(
        state,
        sqrt_price_x96=price,
        # going down, the pool is below the tick it has just reached
        tick=stop.tick - 1 if zero_for_one else stop.tick,
        liquidity=Liquidity(liquidity),
    )


def _move(state: PoolState, price: SqrtPriceX96) -> PoolState:
    return replace(state, sqrt_price_x96=price, tick=tick_at_sqrt_price(price))
