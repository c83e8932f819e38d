"""Value at risk, and the mean loss beyond it, of equally likely results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lpmanager.risk.missing import Missing

#: Rounding errors of `confidence` times a number of results are far below this.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class TailLoss:
    """What may be lost, in the unit of the results; a loss is positive, a gain negative.

    `value_at_risk`: with probability `confidence` the loss is not above it. `cvar`: the mean of the
    worst 1 - `confidence` of all results, never below `value_at_risk`. `results`: how many there
    were.
    """

    confidence: float
    value_at_risk: float
    cvar: float
    results: int


def tail_loss(results: Sequence[float], confidence: float = 0.95) -> TailLoss | Missing:
    """VaR and CVaR of equally likely results (gains positive, any unit).

    Rockafellar and Uryasev, "Optimization of conditional value-at-risk" (2000): CVaR is the least
    of a + E[max(loss - a, 0)] / (1 - confidence) over a, which VaR attains. So a result on the
    border of the tail counts by the part of it that is inside. Missing where the tail has not a
    single whole result, or where one of them is no number. ValueError where `confidence` is not in
    (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence is in (0, 1), found {confidence}")
    count = len(results)
    needed = math.ceil(1 / (1 - confidence) - _ROUNDING)
    if count < needed:
        tail = f"the worst {1 - confidence:.3g} of all results"
        return Missing(f"{tail} needs {needed} results to be one of them, found {count}")
    if not all(map(math.isfinite, results)):
        at = next(i for i, result in enumerate(results) if not math.isfinite(result))
        return Missing(f"result {at} of {count} is no finite number: {results[at]}")
    losses = sorted(-result for result in results)
    rank = math.ceil(confidence * count - _ROUNDING)
    value_at_risk = losses[rank - 1]
    beyond = math.fsum(loss - value_at_risk for loss in losses[rank:])
    return TailLoss(
        confidence=confidence,
        value_at_risk=value_at_risk,
        cvar=value_at_risk + beyond / ((1 - confidence) * count),
        results=count,
    )
