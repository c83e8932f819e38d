"""What a hedge is measured by: the band around the wanted mix, and that mix itself."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from lpmanager.hedge.band import weight_half_width
from lpmanager.hedge.least_cvar import least_cvar_weight
from lpmanager.model import Gate
from lpmanager.rebalancer.at_stake import stake_now
from lpmanager.rebalancer.day_of import day_of
from lpmanager.rebalancer.judging import Asked, judged
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import ONE, HedgeTo
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing
from lpmanager.risk.tomorrow import CONFIDENCE, HORIZON_S, returns_tomorrow

_PIPS = 1_000_000


def hedge_limits(view: View, limits: Limits) -> Limits:
    """The limits with the target weight of the hedge, and with the band of `risk_aversion` in the
    place of `hedge_band`, at most 1.

    As they are where the appetite asks for neither. What a trade costs is taken to be the pool's
    fee. Where the weight of least CVaR cannot be told the target stays; a gate tells why.
    """
    wanted = least_cvar_target(view, limits)
    if wanted is not None and not isinstance(wanted, Missing):
        limits = replace(limits, target_weight=Fraction(wanted))
    return _with_band(view, limits)


def least_cvar_target(view: View, limits: Limits) -> float | Missing | None:
    """The base token's share that leaves the least CVaR; None where the appetite does not ask for
    it."""
    appetite, outlook = limits.appetite, view.outlook
    if appetite.hedges_to is not HedgeTo.LEAST_CVAR:
        return None
    if isinstance(outlook, Missing):
        return outlook
    model = day_of(view, outlook, appetite)
    returns = model if isinstance(model, Missing) else returns_tomorrow(model)
    if isinstance(returns, Missing):
        return returns
    return least_cvar_weight(
        stake_now(view, outlook),
        wanted=float(view.inventory.target_weight),
        returns=returns,
        horizon_s=HORIZON_S,
        confidence=CONFIDENCE,
    )


def hedge_gates(view: View, limits: Limits) -> tuple[Gate, ...]:
    """Whether the weight that a hedge should trade to is known."""
    wanted = least_cvar_target(view, limits)
    if wanted is None:
        return ()
    asked = Asked("least CVaR", "known", "the base token's share after a hedge")
    return judged(asked, wanted, lambda found: (True, f"{found:.1%}"), limits.appetite)


def _with_band(view: View, limits: Limits) -> Limits:
    inventory, quote = view.inventory, view.snapshot.quote
    aversion, wanted = limits.appetite.risk_aversion, limits.target_weight
    if aversion is None or inventory.value <= 0:
        return limits
    half_width = weight_half_width(
        gamma=inventory.exposure.gamma,
        price=float(inventory.price.per_whole),
        value=float(inventory.value) / 10**quote.decimals,
        target_weight=float(wanted),
        cost=view.snapshot.pool.fee_pips / _PIPS,
        relative_risk_aversion=float(aversion),
    )
    most = max(wanted, 1 - wanted)  # the distance that is an imbalance of 1
    return replace(limits, hedge_band=min(Fraction(half_width) / most, ONE))
