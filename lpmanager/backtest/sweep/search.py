"""A search instead of a whole grid: optuna proposes strategies by what earlier ones were worth."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from lpmanager.backtest.sweep.axes import Axis, Point
from lpmanager.errors import LpmError, UsageError


def search(
    axes: Sequence[Axis],
    score: Callable[[Point], float],
    trials: int,
    seed: int,
    name: str,
    kept: Path | None,
    progress: Callable[[], None],
) -> list[Point]:
    """The points tried, in their order, so that the score comes to be as large as it can.

    Seeded: the same search tries the same points. With `kept`, an SQLite file, the study `name`,
    which has to tell this search from all others, goes on from the trials that are in it; what it
    proposes then is not what it would have proposed without the stop. Raises LpmError where optuna
    is not installed, UsageError where the file is none of SQLite.
    """
    try:
        import optuna
    except ImportError as error:
        raise LpmError(
            "--optimize needs optuna: pip install 'lpmanager[backtest]', or sweep a grid without it"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(
            study_name=name,
            storage=None if kept is None else f"sqlite:///{os.fspath(kept)}",
            load_if_exists=True,
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=seed),
        )
    except SQLAlchemyError as error:
        raise UsageError(
            f"--keep: {kept} cannot be used for a search, which is kept in SQLite; name another "
            "file than a grid's"
        ) from error

    def point_of(places: dict[str, int]) -> Point:
        return {axis.name: axis.values[places[axis.name]] for axis in axes}

    def tried(trial: optuna.Trial) -> float:
        places = {axis.name: trial.suggest_int(axis.name, 0, len(axis.values) - 1) for axis in axes}
        progress()
        return score(point_of(places))

    finished = [trial for trial in study.trials if trial.state.is_finished()]
    study.optimize(tried, n_trials=max(trials - len(finished), 0))
    return [point_of(trial.params) for trial in study.trials if trial.state.is_finished()]
