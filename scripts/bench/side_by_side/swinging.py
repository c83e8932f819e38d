"""A price that goes at random, 2 % a day, and comes back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEAR, _FAR = 1_500, 3_000
_MOVE_OF_A_DAY, _LOOKS_A_MINUTE = 0.04, 6


def ticks_of_minutes(random: np.random.Generator, count: int) -> NDArray[np.int32]:
    """Six ticks of each minute, never far from 0."""
    steps = random.standard_normal((count, _LOOKS_A_MINUTE)) * _MOVE_OF_A_DAY * 1e4
    way = np.cumsum(steps.ravel() / np.sqrt(1_440 * _LOOKS_A_MINUTE))
    return (_NEAR * np.tanh(way / _FAR)).reshape(count, _LOOKS_A_MINUTE).astype(np.int32)
