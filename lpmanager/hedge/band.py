"""How far a hedge may drift before it is worth a trade."""

from __future__ import annotations

import math

from lpmanager.risk.plain import require_above_0, require_finite, require_not_below_0


def no_trade_half_width(*, gamma: float, price: float, cost: float, risk_aversion: float) -> float:
    """Half the width of the band around the wanted delta within which a hedge is left alone, in
    base tokens (Whalley and Wilmott 1997): (3/2 * cost * price * gamma^2 / risk_aversion)^(1/3).

    `gamma` is the change of delta, in base tokens, for a rise of the price by 1; `price` quote for
    one base; `cost` what a trade takes, as a fraction of its value; `risk_aversion` per quote token
    (utility -exp(-risk_aversion * wealth); no interest). An expansion for small costs: it says
    nothing where a trade's cost is fixed, as gas is. Raises ValueError for numbers that cannot be.
    """
    require_above_0(price=price, risk_aversion=risk_aversion)
    require_not_below_0(cost=cost)
    require_finite(gamma=gamma)
    return math.cbrt(1.5 * cost * price * gamma**2 / risk_aversion)


def weight_half_width(
    *,
    gamma: float,
    price: float,
    value: float,
    target_weight: float,
    cost: float,
    relative_risk_aversion: float,
) -> float:
    """The same half-width as a share of the value, by which the base token's share may drift.

    `gamma` is that of all that is held and `value` its worth in quote tokens; `target_weight` is
    the wanted share of the base token. A wanted share is a wanted delta of share * value / price,
    so that what drifts as the price moves is the share: by gamma * price^2 / value + weight *
    (1 - weight) for a rise of the log price by 1, at balance. A risk aversion relative to wealth,
    over a wealth of `value`, is the absolute one that the band is of. Without ranges there is
    still a band, and liquidity over all prices, which balances itself, has none.
    """
    require_above_0(price=price, value=value, relative_risk_aversion=relative_risk_aversion)
    require_not_below_0(target_weight=target_weight)
    drift = gamma * price**2 / value + target_weight * (1 - target_weight)
    half_width = no_trade_half_width(
        gamma=drift * value / price**2,
        price=price,
        cost=cost,
        risk_aversion=relative_risk_aversion / value,
    )
    return half_width * price / value


def traded_to(delta: float, wanted: float, half_width: float) -> float:
    """The delta to trade to: the band's nearer edge where it was left, else the one that is held.

    All in base tokens. Trading to the edge and no further is what makes the band cheap.
    """
    require_not_below_0(half_width=half_width)
    return min(max(delta, wanted - half_width), wanted + half_width)
