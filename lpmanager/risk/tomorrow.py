"""What a campaign may lose within a day: simulated, with the volatility of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lpmanager.risk.cvar import TailLoss, tail_loss
from lpmanager.risk.missing import Missing
from lpmanager.risk.stake import Stake

if TYPE_CHECKING:
    from lpmanager.risk.monte_carlo.distribution import Distribution
    from lpmanager.risk.monte_carlo.simulation import Results

HORIZON_S = 86_400

#: The tail is the worst fortieth.
CONFIDENCE = 0.975

_SEED = 1
_PATHS = 20_000


def tail_tomorrow(stake: Stake, variance_rate: float) -> TailLoss | Missing:
    """Losses over a day of a driftless log price that keeps its variance per second, in quote
    tokens: the change of value plus fees less gas, nothing rebalanced on the way.

    The same for the same stake: always drawn from the same random numbers. Missing without the
    library that draws them.
    """
    results = _results(stake, variance_rate)
    return results if isinstance(results, Missing) else tail_loss(results.tolist(), CONFIDENCE)


def distribution_tomorrow(stake: Stake, variance_rate: float) -> Distribution | Missing:
    """All of the results whose tail `tail_tomorrow` tells, gains positive; Missing as there."""
    results = _results(stake, variance_rate)
    if isinstance(results, Missing):
        return results
    from lpmanager.risk.monte_carlo.distribution import distribution_of

    return distribution_of(results, CONFIDENCE)


def _results(stake: Stake, variance_rate: float) -> Results | Missing:
    try:
        from lpmanager.risk.monte_carlo.simulation import Diffusion, Draw, simulated_results
    except ImportError:
        return Missing(
            "what may be lost in a day is simulated, and numba or numpy is not installed: "
            "pip install 'lpmanager[backtest]'"
        )
    draw = Draw(horizon_s=HORIZON_S, seed=_SEED, paths=_PATHS)
    return simulated_results(stake, Diffusion(variance_rate=variance_rate), draw)
