"""A whole swap against a pool's ticks, equal to the contract's to the last wei."""

from __future__ import annotations

from typing import NamedTuple

from lpmanager.amm.full_math import Q128, Q256
from lpmanager.amm.swap_step import compute_swap_step
from lpmanager.amm.tick_info import add_liquidity
from lpmanager.amm.tick_map import TickMap
from lpmanager.amm.tick_math import sqrt_price_at_tick, tick_at_sqrt_price
from lpmanager.model import Liquidity, SqrtPriceX96


class SwapStep(NamedTuple):
    """One step of a swap: where it ended, and its raw amounts.

    `fee` is in the input token, beside `amount_in`. `crossed` is the initialized tick at its end.
    """

    sqrt_price_x96: SqrtPriceX96
    amount_in: int
    amount_out: int
    fee: int
    crossed: int | None


class SwapResult(NamedTuple):
    """What a swap did. Raw amounts as the pool sees them: positive went in, negative came out.

    Price, liquidity and tick are those afterwards.
    """

    amount0: int
    amount1: int
    sqrt_price_x96: SqrtPriceX96
    liquidity: Liquidity
    tick: int
    steps: tuple[SwapStep, ...]


class Start(NamedTuple):
    """The pool before a swap, as far as a swap goes. Fee growth is of the input token."""

    sqrt_price_x96: SqrtPriceX96
    tick: int
    liquidity: Liquidity
    fee_growth_x128: int


class Walk(NamedTuple):
    """A swap's result, and what it leaves for the pool to note.

    `protocol_fee` is raw, in the input token; `crossings` are the ticks crossed, each with the
    input token's fee growth at that moment.
    """

    result: SwapResult
    fee_growth_x128: int
    protocol_fee: int
    crossings: list[tuple[int, int]]


def walk(
    start: Start,
    ticks: TickMap,
    zero_for_one: bool,
    amount_specified: int,
    limit: SqrtPriceX96,
    fee_pips: int,
    protocol_share: int,
) -> Walk:
    """Swap exactly `amount_specified` in (positive) or out (negative), as far as the limit allows.

    `limit` must lie ahead of the price. One in `protocol_share` of the fees goes to the pool's
    owner, 0 for none. Raises TickDataMissing where the price reaches ticks that are not known.
    Formula: Pool.swap of v4-core, with v3's rounding of the owner's share.
    """
    price, tick, liquidity, growth = start
    next_stop = ticks.stop_at_or_below if zero_for_one else ticks.stop_above
    remaining, calculated, protocol_fee = amount_specified, 0, 0
    steps: list[SwapStep] = []
    crossings: list[tuple[int, int]] = []
    while remaining != 0 and price != limit:
        stop, before = next_stop(tick), price
        stop_price = sqrt_price_at_tick(stop)
        beyond = stop_price < limit if zero_for_one else stop_price > limit
        price, amount_in, amount_out, fee = compute_swap_step(
            price, limit if beyond else stop_price, liquidity, remaining, fee_pips
        )
        if remaining > 0:
            remaining -= amount_in + fee
            calculated -= amount_out
        else:
            remaining += amount_out
            calculated += amount_in + fee
        earned = fee
        if protocol_share:
            earned -= fee // protocol_share
            protocol_fee += fee // protocol_share
        if liquidity:
            growth = (growth + earned * Q128 // liquidity) % Q256
        crossed = None
        if price == stop_price:
            info = ticks.reach(stop)
            if info is not None:
                crossed = stop
                crossings.append((stop, growth))
                net = info.liquidity_net
                liquidity = Liquidity(add_liquidity(liquidity, -net if zero_for_one else net))
            # Going down, the pool is below the tick it has just reached.
            tick = stop - 1 if zero_for_one else stop
        elif price != before:
            tick = tick_at_sqrt_price(price)
        steps.append(SwapStep(price, amount_in, amount_out, fee, crossed))
    amounts = amount_specified - remaining, calculated
    # The specified token is token0 where token0 goes in exactly, or comes out exactly.
    amount0, amount1 = amounts if zero_for_one == (amount_specified > 0) else amounts[::-1]
    result = SwapResult(amount0, amount1, price, liquidity, tick, tuple(steps))
    return Walk(result, growth, protocol_fee, crossings)
