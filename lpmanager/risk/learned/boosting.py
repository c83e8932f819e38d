"""Boosted trees, as all that is learned here uses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import ThreadpoolController

Rows = NDArray[np.float64]

_ROUNDS = 100
_RATE = 0.05
_LEAVES = 8
_LEAST_IN_LEAF = 20
#: The newest part of the history, on which it is seen how many rounds are enough.
_HELD_OUT = 0.25
#: The thread pools of what is imported above; to look for them takes longer than a forecast. Trees
#: this small only wait for one another on more than one core.
_POOLS = ThreadpoolController()


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosted:
    """A model, and by how much targets were above its forecasts where it had not seen them."""

    model: Any
    held_out_errors: Rows

    def predict(self, rows: Rows) -> Rows:
        """What the model says of each row."""
        with _POOLS.limit(limits=1):
            return np.asarray(self.model.predict(rows), dtype=np.float64)


def fit_boosted(rows: Rows, targets: Rows, purge: int) -> Boosted:
    """Least squares on all rows, with as many rounds as did best on the newest quarter.

    `purge` rows before that quarter are left out while it is looked at: their targets or windows
    overlap with it. Same rows, same model: nothing is drawn.
    """
    begins = int(len(rows) * (1 - _HELD_OUT))
    known = max(begins - purge, 1)
    with _POOLS.limit(limits=1):
        trial = _model(_ROUNDS).fit(rows[:known], targets[:known])
        errors = [targets[begins:] - each for each in trial.staged_predict(rows[begins:])]
        best = int(np.argmin([float(np.mean(each**2)) for each in errors]))
        return Boosted(
            model=_model(best + 1).fit(rows, targets), held_out_errors=np.asarray(errors[best])
        )


def _model(rounds: int) -> Any:
    return HistGradientBoostingRegressor(
        learning_rate=_RATE,
        max_iter=rounds,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=_LEAST_IN_LEAF,
        early_stopping=False,
        random_state=0,
    )
