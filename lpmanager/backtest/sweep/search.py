"""A search instead of a whole grid: optuna proposes strategies by what earlier ones were worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lpmanager.backtest.sweep.axes import Axis, Point
from lpmanager.errors import LpmError

#: Of each axis, which of its values.
Places = tuple[int, ...]


class WindowSearch:
    """The search of one window, for a score as large as it can be.

    What it proposes follows from the seed, the window's number and the trials so far, and from
    nothing else: optuna's sampler is made anew for each trial. So it does not matter whether the
    trials were made here, or are told by what an earlier run has kept.
    """

    def __init__(self, axes: Sequence[Axis], seed: int, window: int) -> None:
        """Raises LpmError where optuna is not installed."""
        try:
            import optuna
        except ImportError as error:
            raise LpmError(
                "--optimize needs optuna: pip install 'lpmanager[backtest]', or sweep a grid "
                "without it"
            ) from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna
        self._study = optuna.create_study(direction="maximize")
        self._places: dict[str, optuna.distributions.BaseDistribution] = {
            axis.name: optuna.distributions.IntDistribution(0, len(axis.values) - 1)
            for axis in axes
        }
        self._seed = seed, window
        self._tried = 0
        self._asked: optuna.Trial | None = None

    def propose(self) -> Places:
        """What to try next; its score is told by `learn`."""
        seed = np.random.SeedSequence((*self._seed, self._tried)).generate_state(1)[0]
        self._study.sampler = self._optuna.samplers.TPESampler(seed=int(seed))
        self._asked = self._study.ask(self._places)
        return tuple(int(self._asked.params[name]) for name in self._places)

    def learn(self, score: float) -> None:
        """What the last proposal was worth."""
        if self._asked is None:
            raise RuntimeError("a score was told, and nothing was proposed")
        self._study.tell(self._asked, score)
        self._asked, self._tried = None, self._tried + 1

    def remember(self, places: Places, score: float) -> None:
        """A trial of an earlier run."""
        trial = self._optuna.trial.create_trial(
            params=dict(zip(self._places, places, strict=True)),
            distributions=self._places,
            value=score,
        )
        self._study.add_trial(trial)
        self._tried += 1


def point_at(axes: Sequence[Axis], places: Places) -> Point:
    """The values at these places."""
    return {axis.name: axis.values[place] for axis, place in zip(axes, places, strict=True)}
