"""Heston's model fitted to past realised variances, where nobody quotes options.

The integrated variance of a period decays in its autocovariance as the variance itself does
(Barndorff-Nielsen and Shephard, "Econometric analysis of realized volatility", 2002), and the noise
of measuring it is in none of these moments but the variance of the sample, which is not used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pvariance

from lpmanager.model.units import DAY_S
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.periods import Periods

#: Fewer periods tell next to nothing about a second autocovariance.
MINIMUM_PERIODS = 200
#: A variance whose deviation is a smaller share of its mean is constant for whoever uses the model;
#: the rounding of prices makes less than a millionth.
_LEAST_DEVIATION = 1e-3
#: Autocovariances nearer to 0 than so many standard errors may be chance.
_ERRORS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HestonMoments:
    """`model` starts at the variance of the newest period.

    `correlation_found` is what the moments said before it was put into [-1, 1]; far outside, the
    history is too short to tell it.
    """

    model: Heston
    correlation_found: float
    periods: int


def heston_from_moments(periods: Periods) -> HestonMoments | Missing:
    """The parameters whose first moments are those of past periods, of the price in quote tokens.

    With x the variance rate of a period of D days and c1, c2 its autocovariances one and two
    periods apart: exp(-reversion D) = c2 / c1; the variance of the variance is c1 over
    ((1 - exp(-reversion D)) / (reversion D))^2, and is mean vol_of_vol^2 / (2 reversion). The
    correlation comes from the covariance of a period's return with the variance of the next.

    Missing where there are too few periods, where the variance is constant, and where it does not
    cluster by more than chance: without any, an autocovariance of n numbers has the standard error
    of their variance over sqrt(n) (Bartlett 1946).
    """
    if len(periods) < MINIMUM_PERIODS:
        return Missing(
            f"Heston's moments need {MINIMUM_PERIODS} periods of {periods.period_s} s, found "
            f"{len(periods)}"
        )
    days = periods.period_s / DAY_S
    rates = [variance / days for variance in periods.variances]
    mean = fmean(rates)
    near, far = _covariance(rates, rates, 1), _covariance(rates, rates, 2)
    whole = pvariance(rates)
    if whole <= (_LEAST_DEVIATION * mean) ** 2:
        return Missing(
            f"the variance of {len(periods)} periods is the same to a thousandth, so that there is "
            "no volatility of it to find"
        )
    chance = _ERRORS * whole / math.sqrt(len(rates))
    if not chance < far < near:
        return Missing(
            f"the variance of {len(periods)} periods does not cluster as Heston's does: its "
            f"autocovariance is {near:.3g} one period apart and {far:.3g} two apart; the first "
            f"must be above the second, and both must be above {chance:.3g} to be no chance"
        )
    turn = -math.log(far / near)
    reversion = turn / days
    spread = near * (turn / -math.expm1(-turn)) ** 2
    vol_of_vol = math.sqrt(2 * reversion * spread / mean)
    # the return holds half of its own variance, which the next period's goes with
    leverage = _covariance(periods.returns, rates, 1) + days * near / 2
    shape = math.expm1(-turn) ** 2 / (reversion**2 * days)
    found = leverage / (mean * vol_of_vol * shape)
    model = Heston(
        start=rates[-1],
        mean=mean,
        reversion=reversion,
        vol_of_vol=vol_of_vol,
        correlation=min(max(found, -1.0), 1.0),
    )
    return HestonMoments(model=model, correlation_found=found, periods=len(periods))


def _covariance(earlier: Sequence[float], later: Sequence[float], lag: int) -> float:
    """Of each number with that `lag` places after it in the other row."""
    mean_earlier, mean_later = fmean(earlier), fmean(later)
    pairs = zip(earlier[:-lag], later[lag:], strict=True)
    return fmean((a - mean_earlier) * (b - mean_later) for a, b in pairs)
