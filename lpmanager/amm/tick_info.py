"""What a pool keeps of an initialized tick, and how that changes.

Formulas: Tick of the core contracts, as in v4-core's Pool library. Everything "outside" is on the
far side of the tick, seen from the current one, in the contract's wrapping arithmetic.
"""

from __future__ import annotations

from typing import NamedTuple

from lpmanager.amm.arguments import UINT128_MAX
from lpmanager.amm.full_math import Q256
from lpmanager.amm.oracle import Q32, Q160, wrap_int56
from lpmanager.amm.reverts import PoolRevert
from lpmanager.model import MAX_TICK, MIN_TICK, TickRange


class TickInfo(NamedTuple):
    """An initialized tick. `liquidity_net` is added when the price crosses it upwards."""

    liquidity_gross: int
    liquidity_net: int
    fee_growth_outside0_x128: int
    fee_growth_outside1_x128: int
    tick_cumulative_outside: int
    seconds_per_liquidity_outside_x128: int
    seconds_outside: int


class Accumulators(NamedTuple):
    """The pool-wide sums, now, of which ticks keep the part outside them."""

    fee_growth_global0_x128: int
    fee_growth_global1_x128: int
    tick_cumulative: int
    seconds_per_liquidity_x128: int
    time: int


def max_liquidity_per_tick(tick_spacing: int) -> int:
    """The most gross liquidity of one tick, so that all ticks together fit uint128."""
    count = MAX_TICK // tick_spacing - -(-MIN_TICK // tick_spacing) + 1
    return UINT128_MAX // count


def add_liquidity(liquidity: int, delta: int) -> int:
    """`liquidity + delta` in uint128. Raises PoolRevert (LS, LA) where it does not fit."""
    after = liquidity + delta
    if after < 0:
        raise PoolRevert("LS")
    if after > UINT128_MAX:
        raise PoolRevert("LA")
    return after


def with_liquidity(info: TickInfo, delta: int, net_delta: int, limit: int) -> TickInfo:
    """The tick after `delta` more liquidity begins or ends at it, of at most `limit`.

    Raises PoolRevert: LS, LA, LO, or without a code where the net does not fit int128.
    """
    gross = add_liquidity(info.liquidity_gross, delta)
    if gross > limit:
        raise PoolRevert("LO")
    net = info.liquidity_net + net_delta
    if not -(2**127) <= net < 2**127:
        raise PoolRevert("", f"a tick's net liquidity {net} does not fit int128")
    return info._replace(liquidity_gross=gross, liquidity_net=net)


def crossed(info: TickInfo, now: Accumulators) -> TickInfo:
    """The tick after the price has crossed it: what was outside is now the rest."""
    return TickInfo(
        info.liquidity_gross,
        info.liquidity_net,
        (now.fee_growth_global0_x128 - info.fee_growth_outside0_x128) % Q256,
        (now.fee_growth_global1_x128 - info.fee_growth_outside1_x128) % Q256,
        wrap_int56(now.tick_cumulative - info.tick_cumulative_outside),
        (now.seconds_per_liquidity_x128 - info.seconds_per_liquidity_outside_x128) % Q160,
        (now.time - info.seconds_outside) % Q32,
    )


def cumulatives_inside(
    tick_range: TickRange, tick: int, lower: TickInfo, upper: TickInfo, now: Accumulators
) -> tuple[int, int, int]:
    """The oracle's sums inside a range: ticks x seconds, seconds per liquidity (Q128), seconds."""
    inside = []
    for low, high, total in zip(lower[4:], upper[4:], now[2:], strict=True):
        if tick < tick_range.lower:
            inside.append(low - high)
        elif tick < tick_range.upper:
            inside.append(total - low - high)
        else:
            inside.append(high - low)
    return wrap_int56(inside[0]), inside[1] % Q160, inside[2] % Q32
