"""Is the liquidity in few hands, or at few prices?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lpmanager.risk.missing import Missing
from lpmanager.risk.systems.liquidity_bands import LiquidityBand

_BUCKETS = 20


def herfindahl(amounts: Sequence[float]) -> float | Missing:
    """The sum of squared shares (Herfindahl and Hirschman): 1/n for n equal ones, 1 for one alone.

    Its inverse is the number of equal ones it is like. Missing where there is nothing to share.
    """
    if not all(0 <= each < math.inf for each in amounts):
        raise ValueError(f"amounts are finite and not negative, found {list(amounts)}")
    total = math.fsum(amounts)
    if total == 0:
        return Missing(f"concentration needs something that is held, found 0 of {len(amounts)}")
    return math.fsum((each / total) ** 2 for each in amounts)


def concentration_of_prices(
    bands: Sequence[LiquidityBand], log_price: float, reach: float, buckets: int = _BUCKETS
) -> float | Missing:
    """The Herfindahl index of the liquidity over equal steps of the log price.

    Looked at from `log_price` - `reach` to `log_price` + `reach`: 1 / `buckets` where it is the
    same everywhere, 1 where all is in one step. Missing where nothing is there, or not all of that
    is known.
    """
    if not 0 < reach < math.inf or buckets < 1:
        raise ValueError(f"a reach and some steps are needed, found {reach} and {buckets}")
    first, last = log_price - reach, log_price + reach
    if not bands or first < bands[0].lower or last > bands[-1].upper:
        return Missing(
            f"concentration needs the liquidity of log prices [{first:.4f}, {last:.4f}], and not "
            "all of that is known"
        )
    width = 2 * reach / buckets
    return herfindahl(
        [_within(bands, first + i * width, first + (i + 1) * width) for i in range(buckets)]
    )


def _within(bands: Sequence[LiquidityBand], low: float, high: float) -> float:
    return math.fsum(
        band.liquidity * max(min(high, band.upper) - max(low, band.lower), 0.0) for band in bands
    )
