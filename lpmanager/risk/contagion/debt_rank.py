"""How far distress spreads before anybody defaults. Needs the extra `quant`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtRank:
    """`distress` of each node in the end, in [0, 1]; `rank` is the value it has destroyed, as a
    share of all, beyond what the shock itself did."""

    distress: tuple[float, ...]
    rank: float


def debt_rank(
    exposures: Sequence[Sequence[float]],
    equity: Sequence[float],
    shock: Sequence[float],
    value: Sequence[float] | None = None,
) -> DebtRank:
    """Battiston et al., "DebtRank: too central to fail?" (2012).

    `exposures[i][j]` is what j loses if i fails altogether, `equity[j]` what it can lose, in one
    unit; `shock` the distress of each to begin with, in [0, 1]; `value` the weights of the nodes,
    equal where not given. A node passes distress on once, in the round after it got any. Raises
    ValueError for shapes or numbers that cannot be.
    """
    lost, buffer = np.asarray(exposures, dtype=np.float64), np.asarray(equity, dtype=np.float64)
    begins = np.asarray(shock, dtype=np.float64)
    weights = np.ones(len(buffer)) if value is None else np.asarray(value, dtype=np.float64)
    count = len(buffer)
    if lost.shape != (count, count) or begins.shape != (count,) or weights.shape != (count,):
        raise ValueError(
            f"{count} nodes need as many exposures to each, shocks and values; found shapes "
            f"{lost.shape}, {begins.shape} and {weights.shape}"
        )
    if not (np.isfinite(lost).all() and (lost >= 0).all() and np.isfinite(buffer).all()):
        raise ValueError("exposures are finite and not negative, and equity is finite")
    if not ((buffer > 0).all() and ((begins >= 0) & (begins <= 1)).all()):
        raise ValueError(f"equity is positive and a shock in [0, 1]; found {equity} and {shock}")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise ValueError(f"values are finite, not negative and not all 0; found {value}")
    impact = np.minimum(lost / buffer, 1.0)
    distress, active = begins.copy(), begins > 0
    done = np.zeros(count, dtype=bool)
    while active.any():
        arriving = (distress * active) @ impact
        done |= active
        distress = np.minimum(distress + arriving, 1.0)
        active = (arriving > 0) & ~done
    shares = weights / weights.sum()
    return DebtRank(
        distress=tuple(distress.tolist()), rank=float(shares @ distress - shares @ begins)
    )
