"""What a campaign may lose within a day: simulated by a model of that day, and on past days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from lpmanager.risk.cvar import TailLoss, tail_loss
from lpmanager.risk.gap import MAX_SPREAD
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.missing import Missing
from lpmanager.risk.stake import Stake, historical_results

if TYPE_CHECKING:
    from lpmanager.risk.monte_carlo.distribution import Distribution
    from lpmanager.risk.monte_carlo.simulation import Results

HORIZON_S = 86_400

#: The tail is the worst fortieth.
CONFIDENCE = 0.975
#: So many past days are a history. One begins at each hour of them, so that the tail is of eleven.
DAYS_NEEDED = 20

_SEED = 1
_PATHS = 20_000
#: So many returns stand for a day: five of them are its tail. Enough paths to tell them by.
_RETURNS = 200
_PATHS_OF_RETURNS = 2_000

DayModel = float | Heston
"""How the price of a day moves: a driftless log price of this variance per second, or Heston's."""

_NO_LIBRARY = Missing(
    "what may be lost in a day is simulated, and numba or numpy is not installed: "
    "pip install 'lpmanager[backtest]'"
)


def tail_tomorrow(stake: Stake, model: DayModel) -> TailLoss | Missing:
    """Losses over a day in quote tokens: the change of value plus fees less gas, nothing rebalanced
    on the way.

    The same for the same stake: always drawn from the same random numbers. Missing without the
    library that draws them.
    """
    results = _results(stake, model)
    return results if isinstance(results, Missing) else tail_loss(results.tolist(), CONFIDENCE)


def tail_of_days(stake: Stake, days: Sequence[float]) -> TailLoss | Missing:
    """Losses as in `tail_tomorrow`, on days whose moves of the log price (quote per base) are
    known, each as likely as the next. Missing where their tail has not one."""
    return tail_loss(historical_results(stake, days, HORIZON_S), CONFIDENCE)


def distribution_tomorrow(stake: Stake, model: DayModel) -> Distribution | Missing:
    """All of the results whose tail `tail_tomorrow` tells, gains positive; Missing as there."""
    results = _results(stake, model)
    if isinstance(results, Missing):
        return results
    from lpmanager.risk.monte_carlo.distribution import distribution_of

    return distribution_of(results, CONFIDENCE)


def returns_tomorrow(model: DayModel) -> tuple[float, ...] | Missing:
    """Moves of the log price over a day, equally likely and rising: its quantiles in the middle of
    as many equal parts. Exact where it is lognormal, which needs no library; else of the same
    random numbers each time.

    Missing for a price that does not move, and for one too wild to tell.
    """
    if isinstance(model, Heston):
        return _heston_returns(model)
    spread = math.sqrt(model * HORIZON_S)
    if not 0 < spread <= MAX_SPREAD:
        return Missing(f"a day's price whose log spreads by {spread:.3g} says nothing of a tail")
    normal = NormalDist(mu=-(spread**2) / 2, sigma=spread)
    return tuple(normal.inv_cdf((n + 0.5) / _RETURNS) for n in range(_RETURNS))


def _heston_returns(model: Heston) -> tuple[float, ...] | Missing:
    try:
        import numpy as np

        from lpmanager.risk.monte_carlo.simulation import Draw, simulated_returns
    except ImportError:
        return _NO_LIBRARY
    draw = Draw(horizon_s=HORIZON_S, seed=_SEED, paths=_PATHS_OF_RETURNS)
    parts = (np.arange(_RETURNS) + 0.5) / _RETURNS
    return tuple(np.quantile(simulated_returns(model, draw), parts).tolist())


def _results(stake: Stake, model: DayModel) -> Results | Missing:
    try:
        from lpmanager.risk.monte_carlo.simulation import Diffusion, Draw, simulated_results
    except ImportError:
        return _NO_LIBRARY
    draw = Draw(horizon_s=HORIZON_S, seed=_SEED, paths=_PATHS)
    dynamics = model if isinstance(model, Heston) else Diffusion(variance_rate=model)
    return simulated_results(stake, dynamics, draw)
