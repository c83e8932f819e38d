"""When volatility changed, in hindsight over a whole history.

Needs ruptures.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
from ruptures import Pelt

from lpmanager.risk.missing import Missing
from lpmanager.risk.returns import unfit

#: Between two changes lie at least so many returns; every fifth return may be one.
MINIMUM_STRETCH = 10
_GRID = 5

#: What another change must improve in twice the log likelihood, in logs of the number of returns.
_PENALTY = 3.0


def changes_in_hindsight(returns: Sequence[float], step_s: int) -> tuple[int, ...] | Missing:
    """The places of the returns with which another variance began, by PELT with a normal cost
    (Killick, Fearnhead and Eckley 2012).

    Warning: it knows the whole history. It explains the past, and decides nothing in a replay.
    """
    missing = unfit("the search for changes", returns, step_s, 2 * MINIMUM_STRETCH)
    if missing is not None:
        return missing
    values = np.asarray(returns, dtype=np.float64)
    with warnings.catch_warnings():
        # it says that it copes with stretches in which the price stood still, which is as wanted
        warnings.filterwarnings("ignore", message="New behaviour", category=UserWarning)
        search = Pelt(model="normal", min_size=MINIMUM_STRETCH, jump=_GRID)
    search.fit((values / np.sqrt(np.mean(values**2))).reshape(-1, 1))
    *places, _ = search.predict(pen=_PENALTY * math.log(len(values)))
    return tuple(places)
