"""What other tokens do, on average, when some move. Needs the extra `quant`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Below this an eigenvalue is not told from 0, and the matrix cannot be inverted.
_LEAST_EIGENVALUE = 1e-8
_MENDED_EIGENVALUE = 1e-6
_ROUNDS_A_TOKEN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A correlation matrix that was none: its least eigenvalue, and by how much the cell changed
    most that was changed most."""

    least_eigenvalue: float
    largest_change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """Relative moves of all tokens; `repair` where the correlations had to be mended."""

    moves: Mapping[str, float]
    repair: Repair | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """Tokens, the deviations of their moves over some time, and their correlations.

    Raises ValueError for what is no such thing, but for a matrix that is only not positive
    definite: `nearest` mends that.
    """

    tokens: tuple[str, ...]
    deviations: tuple[float, ...]
    correlations: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        count = len(self.tokens)
        matrix = np.asarray(self.correlations, dtype=np.float64)
        if len(set(self.tokens)) != count or len(self.deviations) != count:
            raise ValueError(f"each of {self.tokens} needs one deviation, found {self.deviations}")
        if matrix.shape != (count, count):
            raise ValueError(f"{count} tokens need {count} x {count} correlations: {matrix.shape}")
        for name, deviation in zip(self.tokens, self.deviations, strict=True):
            if not 0 < deviation < math.inf:
                raise ValueError(f"the deviation of {name} must be positive, found {deviation}")
        if not (np.isfinite(matrix).all() and (np.abs(matrix) <= 1).all()):
            raise ValueError(f"correlations are in [-1, 1], found {matrix.tolist()}")
        if not (np.array_equal(matrix, matrix.T) and (np.diagonal(matrix) == 1).all()):
            raise ValueError(
                f"correlations are symmetric, with 1 to oneself; found {matrix.tolist()}"
            )


def correlated_shock(dependence: Dependence, given: Mapping[str, float]) -> Shock:
    """The expected moves of all tokens when those `given` move as they are told to.

    E[r | r_S = z] = C[., S] inv(C[S, S]) z with the covariances C, as of jointly normal moves. Of
    one token given that is beta z. It is worked out in deviations, with the correlations in the
    place of C: however far deviations are apart, these can be inverted. Raises ValueError for a
    token that is not known.
    """
    unknown = sorted(set(given) - set(dependence.tokens))
    if unknown:
        raise ValueError(
            f"unknown: {', '.join(unknown)}; correlations are of {', '.join(dependence.tokens)}"
        )
    if not all(map(math.isfinite, given.values())):
        raise ValueError(f"moves are finite numbers, found {dict(given)}")
    matrix, repair = nearest(np.asarray(dependence.correlations, dtype=np.float64))
    if not given:
        return Shock(moves=dict.fromkeys(dependence.tokens, 0.0), repair=repair)
    scale = np.asarray(dependence.deviations)
    told = [dependence.tokens.index(name) for name in given]
    z = np.array(list(given.values())) / scale[told]
    moves = scale * (matrix[:, told] @ np.linalg.solve(matrix[np.ix_(told, told)], z))
    found = dict(zip(dependence.tokens, moves.tolist(), strict=True))
    return Shock(moves=found | dict(given), repair=repair)


def nearest(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], Repair | None]:
    """The matrix itself, or the nearest correlation matrix where it is not positive definite."""
    least = float(np.linalg.eigvalsh(matrix)[0]) if len(matrix) else 1.0
    if least >= _LEAST_EIGENVALUE:
        return matrix, None
    # takes a second to load, and only a matrix that is none needs it
    from statsmodels.stats.correlation_tools import corr_clipped, corr_nearest
    from statsmodels.tools.sm_exceptions import IterationLimitWarning

    with warnings.catch_warnings():
        # what is left after so many rounds is small, and clipped
        warnings.simplefilter("ignore", IterationLimitWarning)
        near = corr_nearest(matrix, threshold=_MENDED_EIGENVALUE, n_fact=_ROUNDS_A_TOKEN)
    mended = np.asarray(corr_clipped(near, threshold=_MENDED_EIGENVALUE))
    change = float(np.abs(mended - matrix).max())
    return mended, Repair(least_eigenvalue=least, largest_change=change)
