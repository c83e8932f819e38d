"""The hedge band that follows from a risk aversion."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from lpmanager.hedge.band import imbalance_half_width
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import ONE
from lpmanager.risk.limits import Limits

_PIPS = 1_000_000


def hedge_limits(view: View, limits: Limits) -> Limits:
    """The limits with the band of `risk_aversion` in the place of `hedge_band`, at most 1.

    As they are where none is given. What a trade costs is taken to be the pool's fee.
    """
    inventory, quote = view.inventory, view.snapshot.quote
    aversion = limits.appetite.risk_aversion
    if aversion is None or inventory.value <= 0:
        return limits
    half_width = imbalance_half_width(
        gamma=inventory.exposure.gamma,
        price=float(inventory.price.per_whole),
        value=float(inventory.value) / 10**quote.decimals,
        target_weight=float(limits.target_weight),
        cost=view.snapshot.pool.fee_pips / _PIPS,
        relative_risk_aversion=float(aversion),
    )
    return replace(limits, hedge_band=min(Fraction(half_width), ONE))
