"""Loss-versus-rebalancing (LVR): what arbitrage takes from liquidity while the price moves.

Milionis, Moallemi, Roughgarden and Zhang 2022 (arXiv 2208.06046), and with fees and blocks 2023
(arXiv 2305.14604). Variance rates are of the log price per second, rates per second. Rates of money
are in the unit in which `liquidity * sqrt_price` is: raw token1 for the pool's raw numbers; raw
token0 where 1 / sqrt_price is given for the price; whole quote tokens for whole-token numbers.
"""

from __future__ import annotations

import math

from lpmanager.risk.missing import Missing
from lpmanager.risk.plain import require_above_0, require_not_below_0


def lvr_rate(
    *,
    liquidity: float,
    sqrt_price: float,
    sqrt_lower: float,
    sqrt_upper: float,
    variance_rate: float,
) -> float:
    """What liquidity in a range loses a second: L * variance * sqrt(P) / 4 inside, 0 outside.

    On an edge itself it counts as outside. Raises ValueError for a price that is not above 0,
    an inverted range, or liquidity or variance below 0.
    """
    require_above_0(sqrt_price=sqrt_price)
    require_not_below_0(liquidity=liquidity, variance_rate=variance_rate, sqrt_lower=sqrt_lower)
    if not sqrt_lower < sqrt_upper:
        raise ValueError(f"inverted range: {sqrt_lower} must be below {sqrt_upper}")
    if not sqrt_lower < sqrt_price < sqrt_upper:
        return 0.0
    return liquidity * break_even_fee_rate(sqrt_price, variance_rate)


def break_even_fee_rate(sqrt_price: float, variance_rate: float) -> float:
    """The fees a second and unit of active liquidity that just pay for its LVR.

    The width of a range is not in it: fees and LVR are both of the liquidity that is active.
    """
    require_above_0(sqrt_price=sqrt_price)
    require_not_below_0(variance_rate=variance_rate)
    return variance_rate * sqrt_price / 4


def arbitrage_probability(*, fee: float, variance_rate: float, block_s: float) -> float | Missing:
    """The share of blocks in which the price has moved far enough for arbitrage to pay the fee; of
    LVR, the share that arbitrage keeps. The rest comes back to the providers as fees.

    1 / (1 + sqrt(2 / block) * fee / sigma), for blocks that come at random, `block_s` seconds apart
    on average; `fee` is a fraction of what is swapped. Missing where the price does not move.
    """
    require_above_0(block_s=block_s)
    require_not_below_0(fee=fee, variance_rate=variance_rate)
    if variance_rate == 0:
        return Missing("the probability of arbitrage needs a price that moves, its variance is 0")
    return 1 / (1 + math.sqrt(2 / block_s / variance_rate) * fee)


def fee_to_lvr(fee_rate: float, lvr: float) -> float | Missing:
    """Fees over LVR, both a second in one unit: below 1, liquidity is not paid for its risk.

    Missing where nothing is lost: no liquidity is active, or the price does not move.
    """
    require_not_below_0(fee_rate=fee_rate, lvr=lvr)
    if lvr == 0:
        return Missing("fees over LVR needs LVR above 0: no liquidity is active, or nothing moves")
    return fee_rate / lvr
