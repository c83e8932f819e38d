"""Generated markets: a pool with the same liquidity at every price, driven along a random path.

The same arguments give the same market to the wei, up to the last bit of an exponential, in which
processors may differ; the amounts are those of the pool's own maths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    Pool,
    sqrt_price_at_tick,
)
from lpmanager.amm.fast.follow import follow
from lpmanager.amm.fast.legs import SELL0, SELL1, TO, Legs
from lpmanager.amm.fast.packing import Rows, to_limbs
from lpmanager.backtest.markets.arbitrage import LogPrices, within_fees
from lpmanager.backtest.markets.columns import joined_events
from lpmanager.backtest.markets.market import SWAP, Events, Market
from lpmanager.backtest.markets.senders import Senders
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Liquidity,
    PoolKey,
    PoolState,
    SqrtPriceX96,
    TickRange,
    TickState,
)
from lpmanager.model.tick import max_usable_tick, min_usable_tick
from lpmanager.model.units import DAY_S
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.monte_carlo.random_paths import (
    Jumps,
    gbm_moves,
    heston_moves,
    jump_moves,
)

_PIPS = 1_000_000
_FIRST_BLOCK = 1
_STEPS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a path is played.

    The pool starts at `tick`, with `liquidity` active at every price. Step i takes place in one
    block, `step_s` seconds after that of step i - 1, the first of them at `begins` (Unix seconds).
    Each step takes the pool to the path's price; then `noise0` of token0 and `noise1` of token1
    (raw, fee included) are sold and the pool is brought back to that price.
    """

    pool: PoolKey
    begins: int
    step_s: int
    tick: int
    liquidity: int
    noise0: int = 0
    noise1: int = 0

    @property
    def days(self) -> float:
        """The length of a step, in days."""
        return self.step_s / DAY_S


def gbm(setting: Setting, *, steps: int, sigma: float, drift: float = 0.0, seed: int) -> Market:
    """A market along a geometric Brownian motion, as events; units as in `paths`."""
    moves = gbm_moves(_random(seed), steps, days=setting.days, sigma=sigma, drift=drift)
    return market_along(
        setting, np.cumsum(moves), f"gbm, sigma {sigma:g} per root day, seed {seed}"
    )


def jumps(
    setting: Setting, *, steps: int, sigma: float, jumps: Jumps, drift: float = 0.0, seed: int
) -> Market:
    """A market along Merton's jump diffusion, as events; units as in `paths`."""
    moves = jump_moves(
        _random(seed), steps, days=setting.days, sigma=sigma, jumps=jumps, drift=drift
    )
    name = f"jumps, sigma {sigma:g} per root day and {jumps.per_day:g} jumps a day, seed {seed}"
    return market_along(setting, np.cumsum(moves), name)


def heston(
    setting: Setting, *, steps: int, heston: Heston, drift: float = 0.0, seed: int
) -> Market:
    """A market along Heston's stochastic volatility, as events; units as in `paths`."""
    moves = heston_moves(_random(seed), steps, days=setting.days, heston=heston, drift=drift)
    name = f"heston, variance {heston.mean:g} a day, seed {seed}"
    return market_along(setting, np.cumsum(moves), name)


def arbitraged(
    setting: Setting, *, steps: int, sigma: float, drift: float = 0.0, seed: int
) -> Market:
    """A market that only arbitrage moves, against a geometric Brownian motion outside.

    A step whose price outside stays within the pool's fee leaves no event but the noise.
    """
    moves = gbm_moves(_random(seed), steps, days=setting.days, sigma=sigma, drift=drift)
    pool = within_fees(np.cumsum(moves), setting.pool.fee_pips / _PIPS)
    name = f"arbitraged gbm, sigma {sigma:g} per root day, seed {seed}"
    return market_along(setting, pool, name)


def market_along(setting: Setting, path: LogPrices, name: str) -> Market:
    """The events of a pool that takes this path, with the state it starts from.

    `path` has, after each step, the logarithm of the price over that at the start. Raises
    ValueError where it leaves the prices that a pool can have, or nothing happens.
    """
    return Market(
        name=name,
        chain_id=setting.pool.token0.chain_id,
        pool=setting.pool,
        rows=_events(setting, _sqrt_prices(setting, path)),
        start=_start(setting),
        notes=("This market is generated; its liquidity is the same at every price.",),
    )


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _start(setting: Setting) -> PoolState:
    spacing, liquidity = setting.pool.tick_spacing, setting.liquidity
    edges = ((min_usable_tick(spacing), liquidity), (max_usable_tick(spacing), -liquidity))
    return PoolState(
        sqrt_price_x96=sqrt_price_at_tick(setting.tick),
        tick=setting.tick,
        liquidity=Liquidity(liquidity),
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        fee_protocol=0,
        ticks=tuple(
            TickState(tick=tick, liquidity_gross=liquidity, liquidity_net=net)
            for tick, net in edges
        ),
        known=TickRange(MIN_TICK, MAX_TICK),
    )


def _sqrt_prices(setting: Setting, path: LogPrices) -> list[SqrtPriceX96]:
    """The path's prices after each step, rounded down from floats; the start's is exact."""
    start, spacing = sqrt_price_at_tick(setting.tick), setting.pool.tick_spacing
    low = sqrt_price_at_tick(min_usable_tick(spacing))
    high = sqrt_price_at_tick(max_usable_tick(spacing))
    with np.errstate(over="ignore"):
        prices = float(start) * np.exp(path / 2)
    if not ((prices > float(low)) & (prices < float(high))).all():
        raise ValueError(
            "the path leaves the prices that a pool can have; take less volatility, or fewer steps"
        )
    at_start = float(start)
    return [start if price == at_start else SqrtPriceX96(int(price)) for price in prices.tolist()]


def _events(setting: Setting, targets: Sequence[SqrtPriceX96]) -> Events:
    """What the steps do to the pool, some at a time, so that little is held beside the events."""
    key = setting.pool
    pool = Pool.from_state(_start(setting), key.fee_pips, key.tick_spacing)
    parts = [
        _part(setting, pool, first, targets[first : first + _STEPS_AT_ONCE])
        for first in range(0, len(targets), _STEPS_AT_ONCE)
    ]
    if not sum(map(len, parts)):
        raise ValueError("no step of the path moves the pool; take more steps, or add noise")
    return joined_events(parts)


def _part(setting: Setting, pool: Pool, first: int, targets: Sequence[SqrtPriceX96]) -> Events:
    """The events of the steps from `first` on; a leg that moves nothing is no event."""
    legs = _legs(setting, targets)
    done = follow(pool, legs)
    kept = done.amounts0.any(axis=1) | done.amounts1.any(axis=1)
    step: NDArray[np.int64] = first + legs.rows[kept]
    return Events(
        block=_FIRST_BLOCK + step,
        time=setting.begins + setting.step_s * step,
        kind=np.full(len(step), SWAP, np.uint8),
        amount0=np.ascontiguousarray(done.amounts0[kept][:, :2]),
        amount1=np.ascontiguousarray(done.amounts1[kept][:, :2]),
        sqrt_price=done.prices[kept],
        liquidity=done.liquidities[kept],
        tick=done.ticks[kept].astype(np.int32),
        changes={},
        senders=Senders.unknown(len(step)),
    )


def _legs(setting: Setting, targets: Sequence[SqrtPriceX96]) -> Legs:
    """Of each step: to its price, and the noise where there is any."""
    to = to_limbs(targets, 3)
    if not setting.noise0 and not setting.noise1:
        return _interleaved(((TO, 0, to),))
    ends = to_limbs([MIN_SQRT_PRICE + 1, MAX_SQRT_PRICE - 1], 3)
    lowest, highest = (np.broadcast_to(end, to.shape) for end in ends)
    return _interleaved(
        (
            (TO, 0, to),
            (SELL0, setting.noise0, lowest),
            (SELL1, setting.noise1, highest),
            (TO, 0, to),
        )
    )


def _interleaved(parts: tuple[tuple[int, int, Rows], ...]) -> Legs:
    """One leg of each part in turn, for every step; a part is a kind, an amount and its prices."""
    steps, count = len(parts[0][2]), len(parts)
    return Legs(
        kinds=np.tile(np.array([kind for kind, _, _ in parts], np.int8), steps),
        rows=np.repeat(np.arange(steps, dtype=np.int64), count),
        amounts=np.tile(to_limbs([amount for _, amount, _ in parts], 2), (steps, 1)),
        prices=np.stack([prices for _, _, prices in parts], axis=1).reshape(-1, 3),
        gained=np.zeros((steps * count, 2), np.uint64),
    )
