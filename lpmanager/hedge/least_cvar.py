"""The mix of tokens that falls least behind the wanted mix on the worst days."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lpmanager.hedge.static import least_cvar_hedge
from lpmanager.risk.missing import Missing
from lpmanager.risk.stake import Stake, historical_results


def least_cvar_weight(
    stake: Stake, *, wanted: float, returns: Sequence[float], horizon_s: int, confidence: float
) -> float | Missing:
    """The base token's share of the value, in [0, 1], to have now so that after one of `returns`
    (of the log price, over the horizon, equally likely) the mean of the worst shortfalls is least.

    A shortfall is what the campaign, with the fees of the way, is worth less than `wanted` of its
    value put into the base token, and the rest into the quote token, would be. Against quote tokens
    alone the least would always be to sell everything. Where ranges turn into one token by a small
    move, and into the other by a large one, more of the first is kept than their mix says.

    Missing where nothing is held, or there are too few returns for a tail.
    """
    price, worth = stake.sqrt_price**2, stake.value(stake.sqrt_price)
    if worth <= 0:
        return Missing("the campaign holds nothing to hedge")
    prices = [price * math.exp(each) for each in returns]
    gains = historical_results(stake, returns, horizon_s)
    mix = [wanted * worth * (other / price - 1) for other in prices]
    short = least_cvar_hedge(
        price=price,
        value=0.0,
        prices=prices,
        values=[ours - theirs for ours, theirs in zip(gains, mix, strict=True)],
        confidence=confidence,
    )
    if isinstance(short, Missing):
        return short
    held = stake.base_at(stake.sqrt_price)
    return min(max((held - short) * price / worth, 0.0), 1.0)
