"""A circuit breaker: an RPC that fails again and again is left alone for a while."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

#: Failures in a row after which it opens.
_FAILURES = 3

#: Seconds it stays open at first; twice as long after each trial that fails, up to the longest.
_FIRST_REST_S = 5.0
_LONGEST_REST_S = 60.0


class BreakerState(StrEnum):
    """Closed: in use. Open: left alone. Half open: the next request is a trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Counts failures of one RPC. `clock` gives seconds that only ever go forward."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._rest_s = _FIRST_REST_S
        self._open_until = 0.0

    @property
    def state(self) -> BreakerState:
        """Where it stands now."""
        if self._failures < _FAILURES:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._open_until else BreakerState.HALF_OPEN

    def answered(self) -> None:
        """The RPC gave an answer, whatever it says."""
        self._failures = 0
        self._rest_s = _FIRST_REST_S

    def failed(self) -> None:
        """The RPC gave no answer, or one that cannot be used."""
        self._failures += 1
        if self._failures > _FAILURES:
            self._rest_s = min(self._rest_s * 2, _LONGEST_REST_S)
        if self._failures >= _FAILURES:
            self._open_until = self._clock() + self._rest_s

    def foreign(self) -> None:
        """The RPC serves another chain: no further answers are needed to leave it alone."""
        self._failures = _FAILURES
        self._open_until = self._clock() + _LONGEST_REST_S
