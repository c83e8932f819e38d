"""Short builders of replays: terms, worlds of a recorded market, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from builders import a_limits, a_pool

from lpmanager.backtest.markets.gas_prices import FixedGasPrice
from lpmanager.backtest.markets.market import Market
from lpmanager.backtest.markets.synthetic import Setting, gbm
from lpmanager.backtest.replay.exact import Replay
from lpmanager.backtest.replay.tape import tape_of
from lpmanager.backtest.replay.terms import Terms
from lpmanager.backtest.replay.world import World
from lpmanager.model import NATIVE, PoolKey, Token
from lpmanager.rebalancer import Limits, Policy
from lpmanager.rebalancer.policies import FixedWidth

BEGINS = 1_700_000_000
BLOCK_S = Fraction(12)


def some_terms(pool: PoolKey, raw0: int = 10**10, raw1: int = 10**19, **changes: object) -> Terms:
    """Every half hour, at once, with gas that costs next to nothing."""
    plain = Terms(
        deposit=pool.amounts(raw0, raw1),
        quote=pool.token0,
        every_s=1_800,
        trigger_ticks=None,
        latency_blocks=0,
        block_s=BLOCK_S,
        gas=FixedGasPrice(1_000),
        native=Token(chain_id=pool.token0.chain_id, address=NATIVE, symbol="ETH", decimals=18),
        native_price=None,
        wrapped_native=pool.token1,
    )
    return replace(plain, **changes)


def a_walk(*, steps: int = 600, seed: int = 1, sigma: float = 0.05, step_s: int = 60) -> Market:
    """A pool that a random walk moves, with trade beside it."""
    setting = Setting(
        pool=a_pool(),
        begins=BEGINS,
        step_s=step_s,
        tick=200_000,
        liquidity=10**19,
        noise0=10**11,
        noise1=5 * 10**19,
    )
    return gbm(setting, steps=steps, sigma=sigma, seed=seed)


def a_world_of(market: Market, terms: Terms | None = None, limits: Limits | None = None) -> World:
    """Just before the market's first row."""
    told = terms or some_terms(market.pool)
    return World(market, tape_of(market, told.block_s), told, limits or a_limits())


def a_replay(
    market: Market,
    terms: Terms | None = None,
    policy: Policy | None = None,
    limits: Limits | None = None,
) -> Replay:
    """A campaign of a narrow range in the market, at its beginning."""
    told = terms or some_terms(market.pool)
    return Replay(
        market,
        tape_of(market, told.block_s),
        told,
        policy or FixedWidth(half_width_ticks=100),
        limits or a_limits(),
    )
