"""What perfect hindsight was worth to a campaign, and how far its rule stayed behind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lpmanager.risk.lookback import hindsight_price
from lpmanager.risk.missing import Missing
from lpmanager.risk.plain import require_finite, require_not_below_0

#: Prices nearer to each other, in seconds, are left out: what moves between them mostly comes back.
STEP_S = 300
#: Fewer moves than this tell no volatility.
MINIMUM_MOVES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Regret:
    """Both in quote tokens. `hindsight`: the mean gain of whoever knows the highest and the lowest
    price of the whole time beforehand, and sells and buys back once (or the other way round) as
    many base tokens as were put in. `behind`: how much less the campaign gained on holding; below 0
    it gained more.

    Warning: nobody can have the first. Of two rules in one market it tells nothing that their
    results do not; it tells how much of what the market offered a rule took.
    """

    hindsight: float
    behind: float


def regret(
    times: Sequence[int], prices: Sequence[float], *, base: float, gained: float
) -> Regret | Missing:
    """The regret over the time of these prices (Unix s, rising; quote per base token), at the
    volatility that they realised in steps of five minutes or more.

    `base`: whole base tokens that were put in; `gained`: quote tokens more than holding them all
    would have. The price of hindsight is that of two lookback options, `hindsight_price`.
    """
    require_not_below_0(base=base)
    require_finite(gained=gained)
    if base == 0:
        return Missing("no base tokens were put in that could be sold and bought back")
    seen = _apart(times, prices)
    if len(seen) <= MINIMUM_MOVES:
        return Missing(
            f"hindsight needs {MINIMUM_MOVES} moves of the price, {STEP_S} s apart, found "
            f"{max(len(seen) - 1, 0)}"
        )
    (began, first), (ended, _) = seen[0], seen[-1]
    squares = math.fsum(math.log(after / before) ** 2 for (_, before), (_, after) in pairwise(seen))
    seconds = ended - began
    hindsight = base * hindsight_price(
        price=first, variance_rate=squares / seconds, seconds=seconds
    )
    return Regret(hindsight=hindsight, behind=hindsight - gained)


def _apart(times: Sequence[int], prices: Sequence[float]) -> list[tuple[int, float]]:
    """Every price that comes `STEP_S` or more after the one taken before it."""
    seen: list[tuple[int, float]] = []
    for time, price in zip(times, prices, strict=True):
        if not 0 < price < math.inf:
            raise ValueError(f"a price is positive and finite, found {price} at {time}")
        if not seen or time - seen[-1][0] >= STEP_S:
            seen.append((time, price))
    return seen
