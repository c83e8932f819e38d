"""Order flow made up from a seed: an external price, an arbitrageur, and noise traders.

With P the external price, dt the block time and z, u drawn from the seed, each block does
    log P += volatility * sqrt(dt / 1 day) * z,  and now and then a jump;
the arbitrageur brings the pool's price back to the edge of [P (1 - fee), P (1 + fee)], where it
is outside (inside, a trade costs more than it earns); noise traders then buy or sell a lognormal
amount, either way with equal chance. The arbitrageur is told two price limits and looks at the
pool on chain, so the flow needs to know nothing of the pool and is the same on every backend.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from lpmanager.devnet.orders import BlockOrders, KeepWithin, Order, Trade
from lpmanager.model import Liquidity, SqrtPriceX96
from lpmanager.model.units import DAY_S

_PIPS = 1_000_000
_Q96 = 2**96
_Q192 = 2**192

#: A typical noise trade moves the pool's price by two hundredths of a percent: by the square root
#: of it, one part in this many.
_NOISE_SHARE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedFlow:
    """What to generate. Rates are per day unless named otherwise.

    `volatility` is the standard deviation of one day's log return; `jump_volatility` that of one
    jump. Noise trades have a median of `noise_median_raw1` raw token1 (or its worth in token0),
    and a standard deviation `noise_spread` of the logarithm.
    """

    seed: int
    start_timestamp: int
    block_time_s: int
    blocks: int
    start_sqrt_price_x96: SqrtPriceX96
    fee_pips: int
    volatility: float
    jumps_per_day: float
    jump_volatility: float
    noise_trades_per_block: float
    noise_median_raw1: int
    noise_spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a market behaves, whatever its pool. Rates are per day unless named otherwise."""

    seed: int
    blocks: int
    volatility: float
    block_time_s: int = 60
    jumps_per_day: float = 3.0
    jump_volatility: float = 0.012
    noise_trades_per_block: float = 0.6
    noise_spread: float = 1.0


def habitual_flow(
    habits: Habits,
    *,
    start_timestamp: int,
    start_sqrt_price_x96: SqrtPriceX96,
    liquidity: Liquidity,
    fee_pips: int,
) -> GeneratedFlow:
    """These habits in one pool: its active liquidity says how large a usual trade is."""
    return GeneratedFlow(
        seed=habits.seed,
        start_timestamp=start_timestamp,
        block_time_s=habits.block_time_s,
        blocks=habits.blocks,
        start_sqrt_price_x96=start_sqrt_price_x96,
        fee_pips=fee_pips,
        volatility=habits.volatility,
        jumps_per_day=habits.jumps_per_day,
        jump_volatility=habits.jump_volatility,
        noise_trades_per_block=habits.noise_trades_per_block,
        noise_median_raw1=max(liquidity * start_sqrt_price_x96 // _Q96 // _NOISE_SHARE, 1),
        noise_spread=habits.noise_spread,
    )


def generated_flow(flow: GeneratedFlow) -> Iterator[BlockOrders]:
    """The orders of each block, block after block. The same seed gives the same orders."""
    random = Random(flow.seed)
    log_price = 0.0
    for number in range(flow.blocks):
        log_price += _log_return(flow, random)
        external = _moved(flow.start_sqrt_price_x96, log_price)
        noise = [
            _noise_trade(flow, external, random)
            for _ in range(_count(flow.noise_trades_per_block, random))
        ]
        yield BlockOrders(
            timestamp=flow.start_timestamp + number * flow.block_time_s,
            orders=(_arbitrage(external, flow.fee_pips), *noise),
            expected_sqrt_price_x96=None,
        )


def _log_return(flow: GeneratedFlow, random: Random) -> float:
    share_of_day = flow.block_time_s / DAY_S
    move = flow.volatility * math.sqrt(share_of_day) * random.gauss(0.0, 1.0)
    for _ in range(_count(flow.jumps_per_day * share_of_day, random)):
        move += flow.jump_volatility * random.gauss(0.0, 1.0)
    return move


def _moved(start: SqrtPriceX96, log_price: float) -> SqrtPriceX96:
    """The start price after a log return, to the nearest raw unit a float can name."""
    return SqrtPriceX96(round(start * math.exp(log_price / 2)))


def _arbitrage(external: SqrtPriceX96, fee_pips: int) -> Order:
    return KeepWithin(
        low=SqrtPriceX96(math.isqrt(external**2 * (_PIPS - fee_pips) // _PIPS)),
        high=SqrtPriceX96(math.isqrt(external**2 * (_PIPS + fee_pips) // _PIPS)),
    )


def _noise_trade(flow: GeneratedFlow, external: SqrtPriceX96, random: Random) -> Order:
    zero_for_one = random.random() < 0.5
    raw1 = max(round(flow.noise_median_raw1 * random.lognormvariate(0.0, flow.noise_spread)), 1)
    raw0 = max(raw1 * _Q192 // external**2, 1)
    return Trade(zero_for_one=zero_for_one, raw_in=raw0 if zero_for_one else raw1)


def _count(mean: float, random: Random) -> int:
    """A Poisson draw: exponential waits until they exceed one unit of time."""
    count, waited = 0, 0.0
    while mean > 0:
        waited += random.expovariate(mean)
        if waited > 1:
            return count
        count += 1
    return 0
