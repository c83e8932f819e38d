"""How the value of holdings answers to the price: delta and gamma, in closed form.

Estimates in floats and whole tokens. With P the quote tokens for one base token, L the liquidity
in whole-token units and [a, b] the range in P, a position is worth
V = L * (2 sqrt(P) - sqrt(a) - P / sqrt(b)) inside it, so that
delta = dV/dP = L * (1 / sqrt(P) - 1 / sqrt(b)), which is the base token it holds, and
gamma = d2V/dP2 = -L / 2 * P ** -1.5. Swapping the pool's two tokens leaves these forms as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.amm import range_bounds
from lpmanager.model import Amount, PoolKey, Position, SqrtPriceX96, Token
from lpmanager.model.price import Q96


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """`delta` in whole base tokens; `gamma` is its change for a rise of the price by 1."""

    delta: float
    gamma: float

    def __add__(self, other: Exposure) -> Exposure:
        return Exposure(delta=self.delta + other.delta, gamma=self.gamma + other.gamma)


def range_exposure(
    *, liquidity: float, sqrt_price: float, sqrt_lower: float, sqrt_upper: float
) -> Exposure:
    """Exposure of liquidity in a range, all in whole-token units of quote per base.

    Gamma jumps at the range's edges; on an edge itself it is taken as outside, 0.
    """
    clamped = min(max(sqrt_price, sqrt_lower), sqrt_upper)
    inside = sqrt_lower < sqrt_price < sqrt_upper
    return Exposure(
        delta=liquidity * (1 / clamped - 1 / sqrt_upper),
        gamma=-liquidity / 2 * sqrt_price**-3 if inside else 0.0,
    )


def position_exposure(
    pool: PoolKey, quote: Token, sqrt_price_x96: SqrtPriceX96, position: Position
) -> Exposure:
    """Exposure of a position's principal, whichever of the pool's tokens is the quote."""
    edges = sorted(_sqrt_quote_per_base(pool, quote, x96) for x96 in range_bounds(position.range))
    return range_exposure(
        liquidity=position.liquidity / 10 ** ((pool.token0.decimals + pool.token1.decimals) / 2),
        sqrt_price=_sqrt_quote_per_base(pool, quote, sqrt_price_x96),
        sqrt_lower=edges[0],
        sqrt_upper=edges[1],
    )


def held_exposure(base: Amount) -> Exposure:
    """Exposure of base tokens that just lie there."""
    return Exposure(delta=base.raw / 10**base.token.decimals, gamma=0.0)


def _sqrt_quote_per_base(pool: PoolKey, quote: Token, sqrt_price_x96: SqrtPriceX96) -> float:
    scale = 10 ** ((pool.token0.decimals - pool.token1.decimals) / 2)
    token1_per_token0 = sqrt_price_x96 / Q96 * scale
    return token1_per_token0 if quote == pool.token1 else 1 / token1_per_token0
