"""The built-in policies in compiled code: each decides as its class in `lpmanager.rebalancer`.

Ticks are integers, and so are these decisions; tests hold each against its Python twin.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from lpmanager.amm.fast.jit import compiled
from lpmanager.backtest.fast.positions import LIQUIDITY, LOWER, UPPER, Held
from lpmanager.errors import UsageError
from lpmanager.model import MAX_TICK, MIN_TICK
from lpmanager.model.units import LOG_TICK
from lpmanager.rebalancer import Policy
from lpmanager.rebalancer.policies import FixedWidth, Passive, VolatilityWidth
from lpmanager.rebalancer.policies.volatility_width import REALISED, WITHOUT_JUMPS

FIXED_WIDTH, PASSIVE, VOLATILITY_WIDTH = range(3)

#: So that a share of any number of ticks is worked out within 63 bits.
_FINEST_SHARE = 10**12


class Strategy(NamedTuple):
    """A policy with its options; an option that it has not is 0.

    The share at which a range is centred again is `recentre` / `recentre_of`.
    """

    kind: int
    half_width: int
    order_width: int
    recentre: int
    recentre_of: int
    horizon_s: int
    min_half_width: int
    max_half_width: int
    deploy: float
    multiplier: float


def strategy_of(policy: Policy) -> Strategy:
    """A policy's options. Raises UsageError for one that has no compiled twin."""
    if not isinstance(policy, FixedWidth | Passive | VolatilityWidth):
        raise UsageError(
            f"the policy {type(policy).__name__} is not compiled: fast mode and sweeps know only "
            "fixed_width, passive and volatility_width; run it by `lpm backtest` in exact mode"
        )
    share = policy.recentre_at
    if share.denominator > _FINEST_SHARE:
        raise UsageError(f"recentre_at: expected at most 12 decimals, found {share}")
    plain = Strategy(
        kind=FIXED_WIDTH,
        half_width=0,
        order_width=0,
        recentre=share.numerator,
        recentre_of=share.denominator,
        horizon_s=0,
        min_half_width=0,
        max_half_width=0,
        deploy=1.0,
        multiplier=0.0,
    )
    if isinstance(policy, FixedWidth):
        return plain._replace(half_width=policy.half_width_ticks, deploy=float(policy.deploy))
    if isinstance(policy, Passive):
        return plain._replace(
            kind=PASSIVE,
            half_width=policy.half_width_ticks,
            order_width=policy.order_width_ticks,
        )
    if policy.forecast == WITHOUT_JUMPS:
        raise UsageError(
            f"forecast: {WITHOUT_JUMPS!r} is not compiled; expected {REALISED!r}, or run it by "
            "`lpm backtest` in exact mode"
        )
    if policy.forecast != REALISED:
        raise UsageError(
            f"forecast: {policy.forecast!r} needs the calibration of a live campaign, which a "
            f"recorded market has none of; expected {REALISED!r}"
        )
    return plain._replace(
        kind=VOLATILITY_WIDTH,
        horizon_s=policy.horizon_s,
        min_half_width=policy.min_half_width_ticks,
        max_half_width=policy.max_half_width_ticks,
        deploy=float(policy.deploy),
        multiplier=float(policy.multiplier),
    )


@compiled
def good_ticks(strategy: Strategy, lower: int, upper: int) -> tuple[int, int]:
    """The ticks [first, behind) at which a held range is still good as the base; none, where it
    never is."""
    half_width = strategy.half_width
    if strategy.kind == VOLATILITY_WIDTH:
        half_width = (upper - lower) // 2
    if upper - lower < 2 * half_width:
        return 0, 0
    centre = (lower + upper) // 2
    reach = strategy.recentre * half_width // strategy.recentre_of
    return max(lower, centre - reach), min(upper, centre + reach + 1)


@compiled
def stands(strategy: Strategy, held: Held, tick: int) -> bool:
    """Whether the policy leaves everything as it is at this tick."""
    widest = 0
    if strategy.kind == VOLATILITY_WIDTH:
        for place in range(held.edges.shape[1]):
            if held.numbers[LIQUIDITY, place] > 0:
                widest = max(widest, held.edges[UPPER, place] - held.edges[LOWER, place])
    for place in range(held.edges.shape[1]):
        lower, upper = held.edges[LOWER, place], held.edges[UPPER, place]
        if held.numbers[LIQUIDITY, place] > 0 and upper - lower >= widest:
            first, behind = good_ticks(strategy, lower, upper)
            if first <= tick < behind:
                return True
    return False


@compiled
def wanted_base(
    strategy: Strategy, tick: int, variance_rate: float, spacing: int
) -> tuple[int, int]:
    """The range [lower, upper) around the price that the policy wants."""
    half_width = strategy.half_width
    if strategy.kind == VOLATILITY_WIDTH:
        deviation = math.sqrt(variance_rate * strategy.horizon_s)
        wish = strategy.multiplier * deviation / LOG_TICK
        ticks = min(wish, float(strategy.max_half_width))
        half_width = max(math.ceil(ticks), strategy.min_half_width)
    lowest, highest = -(-MIN_TICK // spacing) * spacing, MAX_TICK // spacing * spacing
    return (
        max((tick - half_width) // spacing * spacing, lowest),
        min(-(-(tick + half_width) // spacing) * spacing, highest),
    )


@compiled
def wanted_order(strategy: Strategy, tick: int, spacing: int, above: bool) -> tuple[int, int]:
    """The range [lower, upper) of a one-sided order beside the price, a step of the grid away."""
    width = -(-strategy.order_width // spacing) * spacing
    step = tick // spacing * spacing
    if above:
        lower = step + 2 * spacing
        return lower, min(lower + width, MAX_TICK // spacing * spacing)
    upper = step - spacing
    return max(upper - width, -(-MIN_TICK // spacing) * spacing), upper
