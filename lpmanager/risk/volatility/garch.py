"""Variance that follows shocks and fades back: GARCH(1,1) with Student's t (Bollerslev 1986, 1987).

Needs arch, which fits it; the filter is a line of its own, so that a forecast costs no fit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from arch import arch_model

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.garch_model import Garch

#: Fewer returns than this leave the three coefficients of the variance undetermined.
MINIMUM_RETURNS = 200

#: Steps of the search after which there is nothing to be found.
_MOST_STEPS = 200

#: Returns whose deviation is a smaller part of the largest differ by rounding alone.
_ALIKE = 1e-9


def fit_garch(returns: Sequence[float]) -> Garch | Missing:
    """GARCH by maximum likelihood on these returns, the newest last.

    Missing where they are too few, hardly move, or do not determine it. Raises ValueError for a
    return that is not a finite number.
    """
    values = np.asarray(returns, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a return is not a finite number")
    if len(values) < MINIMUM_RETURNS:
        return Missing(f"GARCH needs {MINIMUM_RETURNS} returns, found {len(values)}")
    moved = int(np.count_nonzero(values))
    if 2 * moved < len(values):
        return Missing(
            f"GARCH needs a price that moves in half of the periods; it stood still in "
            f"{len(values) - moved} of {len(values)}"
        )
    # the search converges on numbers near 1
    scale = float(values.std())
    if scale <= _ALIKE * float(np.abs(values).max()):
        return Missing(f"GARCH needs returns that differ; all {len(values)} are {values[0]:g}")
    model = arch_model(values / scale, mean="Constant", vol="GARCH", p=1, q=1, dist="t")
    found = model.fit(disp="off", show_warning=False, options={"maxiter": _MOST_STEPS})
    mean, constant, shock, persistence, freedom = (float(value) for value in found.params)
    if found.convergence_flag != 0 or constant <= 0:
        return Missing(
            f"GARCH was not found in {len(values)} returns: the search ended with flag "
            f"{found.convergence_flag} at a constant of {constant:.3g}"
        )
    return Garch(
        mean=mean * scale,
        constant=constant * scale**2,
        shock=shock,
        persistence=persistence,
        freedom=freedom,
        start=scale**2,
    )
