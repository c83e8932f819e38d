"""Whether the price jumped: moves too large for the volatility around them.

Warning: both tests compare with steps in which the price moved as usual. Where it stood still in
many steps (few trades, or steps too short), ordinary moves look like jumps; they say nothing then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.returns import unfit
from lpmanager.risk.search import Search
from lpmanager.risk.volatility.realised import STEP_S

#: Six hours of five minutes: what "the volatility around" a return is measured on.
WINDOW = 72

#: How often, in a market without jumps, a test may still find one.
SIGNIFICANCE = 0.01

#: Fewer returns than this, and a test finds jumps where there are none.
MINIMUM_RETURNS = 48

_MAX_STILL_SHARE = 1 / 3

#: E|Z| and E|Z|**(4/3) of a standard normal Z.
_MEAN_ABS = math.sqrt(2 / math.pi)
_MEAN_FOUR_THIRDS = 2 ** (2 / 3) * math.gamma(7 / 6) / math.gamma(1 / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpTest:
    """`share` of the variance that came by jumps, in [0, 1]. `statistic` is standard normal where
    there were none, and `p_value` the chance of as large a one then."""

    share: float
    statistic: float
    p_value: float


def ratio_jump_test(returns: Sequence[float], step_s: int = STEP_S) -> JumpTest | Missing:
    """Whether there were jumps in all of the returns together: the ratio test of bipower to
    realised variance (Barndorff-Nielsen and Shephard 2006), with tripower quarticity and its floor
    (Huang and Tauchen 2005)."""
    missing = _untestable("the ratio test for jumps", returns, step_s, MINIMUM_RETURNS)
    if missing is not None:
        return missing
    count, sizes = len(returns), [abs(change) for change in returns]
    realised = math.fsum(size * size for size in sizes)
    bipower = _MEAN_ABS**-2 * count / (count - 1) * _products(sizes)
    powers = [size ** (4 / 3) for size in sizes]
    triples = math.fsum(a * b * c for a, b, c in zip(powers, powers[1:], powers[2:], strict=False))
    quarticity = _MEAN_FOUR_THIRDS**-3 * count**2 / (count - 2) * triples
    if bipower == 0:
        return Missing("the ratio test for jumps needs two moves in a row, found none")
    spread = (math.pi**2 / 4 + math.pi - 5) / count * max(1.0, quarticity / bipower**2)
    statistic = (1 - bipower / realised) / math.sqrt(spread)
    return JumpTest(
        share=max(0.0, 1 - bipower / realised),
        statistic=statistic,
        p_value=0.5 * math.erfc(statistic / math.sqrt(2)),
    )


def jumps_in(
    returns: Sequence[float],
    step_s: int = STEP_S,
    *,
    window: int = WINDOW,
    significance: float = SIGNIFICANCE,
) -> tuple[int, ...] | Missing:
    """Which returns are jumps, by their place (Lee and Mykland 2008).

    Each is compared with the bipower variation of the `window` - 1 returns before it, so the
    first of them are not tested; `significance` is the chance to find any where there is none.
    """
    if window < 3:
        raise ValueError(f"a window must hold at least 3 returns, found {window}")
    needed = max(MINIMUM_RETURNS, 2 * window)
    missing = _untestable("the search for jumps", returns, step_s, needed)
    if missing is not None:
        return missing
    bound = largest_usual_move(len(returns) - window + 1, significance)
    sizes = [abs(change) for change in returns]
    products = [before * after for before, after in pairwise(sizes)]
    found = []
    for place in range(window - 1, len(sizes)):
        mean = math.fsum(products[place - window + 1 : place - 1]) / (window - 2)
        if sizes[place] > bound * math.sqrt(mean):
            found.append(place)
    return tuple(found)


def largest_usual_move(tested: int, significance: float) -> float:
    """The size that none of so many returns exceeds without a jump but with the chance
    `significance`, in roots of mean bipower products (Lee and Mykland 2008, lemma 1)."""
    if tested < 2 or not 0 < significance < 1:
        raise ValueError(f"cannot test {tested} returns at a significance of {significance}")
    root = math.sqrt(2 * math.log(tested))
    centre = (root - (math.log(math.pi) + math.log(math.log(tested))) / (2 * root)) / _MEAN_ABS
    return centre - math.log(-math.log(1 - significance)) / (_MEAN_ABS * root)


def history_for_jumps_s(pause_s: int) -> int:
    """Seconds of history in which every jump of the last `pause_s` seconds is tested: those before
    are what the first of them is compared with. More where the first price came late."""
    return max(pause_s + WINDOW * STEP_S, 2 * WINDOW * STEP_S)


def search_for_jump(
    path: PricePath,
    step_s: int = STEP_S,
    *,
    window: int = WINDOW,
    significance: float = SIGNIFICANCE,
) -> Search | Missing:
    """How long before the end of the path the last step with a jump ended: 0 says that the jump
    was in the very last one."""
    returns = path.returns(step_s)
    found = jumps_in(returns, step_s, window=window, significance=significance)
    if isinstance(found, Missing):
        return found
    return Search(
        last_s=(len(returns) - 1 - found[-1]) * step_s if found else None,
        within_s=(len(returns) - window + 1) * step_s,
        history_s=len(returns) * step_s,
    )


def _untestable(test: str, returns: Sequence[float], step_s: int, needed: int) -> Missing | None:
    missing = unfit(test, returns, step_s, needed)
    if missing is not None:
        return missing
    still = sum(change == 0 for change in returns)
    if still > _MAX_STILL_SHARE * len(returns):
        return Missing(
            f"{test} needs a price that moves in two of three steps of {step_s} s; it stood still "
            f"in {still} of {len(returns)}"
        )
    return None


def _products(sizes: Sequence[float]) -> float:
    return math.fsum(before * after for before, after in pairwise(sizes))
