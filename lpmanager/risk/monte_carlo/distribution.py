"""What simulated results say: mean, quantiles, tail losses, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lpmanager.risk.cvar import TailLoss, tail_loss
from lpmanager.risk.missing import Missing
from lpmanager.risk.monte_carlo.simulation import Results

PROBABILITIES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_BINS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Simulated results, in their unit (quote tokens); gains are positive, the tail's losses too.

    `mean_error` and `cvar_error`: one standard error of the simulation, which is not that of the
    model. `quantiles`: (probability, result). `counts[i]` results lie between `edges[i]` and
    `edges[i + 1]`.
    """

    mean: float
    mean_error: float
    deviation: float
    quantiles: tuple[tuple[float, float], ...]
    tail: TailLoss
    cvar_error: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


def distribution_of(
    results: Results,
    confidence: float = 0.95,
    probabilities: Sequence[float] = PROBABILITIES,
) -> Distribution | Missing:
    """The distribution of equally likely results; Missing as in `tail_loss`."""
    tail = tail_loss(results.tolist(), confidence)
    if isinstance(tail, Missing):
        return tail
    root = math.sqrt(len(results))
    deviation = float(results.std())
    beyond = np.maximum(-results - tail.value_at_risk, 0)
    counts, edges = np.histogram(results, bins=_BINS)
    quantiles = np.quantile(results, probabilities)
    return Distribution(
        mean=float(results.mean()),
        mean_error=deviation / root,
        deviation=deviation,
        quantiles=tuple(zip(probabilities, quantiles.tolist(), strict=True)),
        tail=tail,
        cvar_error=float(beyond.std()) / (1 - confidence) / root,
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )
