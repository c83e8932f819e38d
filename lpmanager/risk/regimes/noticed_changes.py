"""When volatility changed, as it was noticed while the returns came in.

Needs river, which takes a second to import: only once there are returns enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec

from lpmanager.risk.missing import Missing
from lpmanager.risk.returns import unfit

#: Returns whose mean size is the unit for those that follow.
WARM_UP = 60


def changes_as_noticed(returns: Sequence[float], step_s: int) -> tuple[int, ...] | Missing:
    """The places of the returns at which a change of volatility had become plain, by ADWIN on
    their sizes (Bifet and Gavalda 2007). Of later returns each place knows nothing.

    The unit of size is the mean of the first 60 returns, so that it is the same for every pair of
    tokens; none of these is a place.
    """
    missing = unfit("the watch for changes", returns, step_s, 2 * WARM_UP)
    if missing is not None:
        return missing
    unit = math.fsum(map(abs, returns[:WARM_UP])) / WARM_UP
    if unit == 0:
        return Missing(
            f"the watch for changes needs a price that moves in the first {WARM_UP} returns of "
            f"{step_s} s; it stood still"
        )
    if find_spec("river") is None:
        return Missing("the watch for changes needs river: pip install 'lpmanager[ml]'")
    from river.drift import ADWIN

    detector = ADWIN()
    noticed = []
    for place, change in enumerate(returns):
        detector.update(abs(change) / unit)
        if detector.drift_detected and place >= WARM_UP:
            noticed.append(place)
    return tuple(noticed)
