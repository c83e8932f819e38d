"""Two regimes of volatility between which the market switches by chance (Hamilton 1989).

Needs statsmodels, which fits them; the filter is `markov_model`'s. Only filtered probabilities are
told: those of a moment given what came before it. Smoothed ones know how the story went on.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

from lpmanager.risk.missing import Missing
from lpmanager.risk.regimes.markov_model import MarkovSwitching
from lpmanager.risk.returns import unfit

#: Fewer returns than this seldom hold both regimes.
MINIMUM_RETURNS = 100

#: A regime that goes on with less of a chance than this, five returns on average, is but a jump.
_LASTS = 0.8


def fit_markov(returns: Sequence[float], step_s: int) -> MarkovSwitching | Missing:
    """Both regimes by maximum likelihood from returns of `step_s` seconds.

    Warning: what it finds comes from all of these returns. In a test on history fit it on what was
    over by then, and filter later returns with it.
    """
    missing = unfit("Markov switching", returns, step_s, MINIMUM_RETURNS)
    if missing is not None:
        return missing
    values = np.asarray(returns, dtype=np.float64)
    scale = float(np.sqrt(np.mean(values**2)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # a search that fails is told by its flag
        warnings.simplefilter("ignore")
        try:
            found = _model(values / scale).fit(disp=False)
        except (np.linalg.LinAlgError, RuntimeError) as error:
            return Missing(f"Markov switching was not found in {len(values)} returns: {error}")
    if not found.mle_retvals["converged"]:
        return Missing(f"Markov switching was not found in {len(values)} returns: no convergence")
    stays0, leaves1, *variances = (float(value) for value in found.params)
    stays = (stays0, 1 - leaves1)
    calm = 0 if variances[0] < variances[1] else 1
    if min(stays) < _LASTS:
        return Missing(
            f"Markov switching needs two regimes that last, and {len(values)} returns show none: "
            f"one goes on with a chance of {min(stays):.2f}, below {_LASTS}"
        )
    if max(stays) >= 1 or min(variances) <= 0:
        return Missing(
            f"Markov switching was not found in {len(values)} returns: one regime never ends, or "
            "its price stands still"
        )
    return MarkovSwitching(
        calm_variance=variances[calm] * scale**2,
        turbulent_variance=variances[1 - calm] * scale**2,
        calm_stays=stays[calm],
        turbulent_stays=stays[1 - calm],
    )


def _model(values: NDArray[np.float64]) -> MarkovRegression:
    return MarkovRegression(values, k_regimes=2, trend="n", switching_variance=True)
