"""The pool's oracle: a ring of observations, in the contract's wrapping arithmetic.

Formulas: Oracle of the core contracts. A tick cumulative is the sum of tick x seconds, in int56;
seconds per liquidity are Q128, in uint160; times are Unix seconds modulo 2**32.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lpmanager.amm.reverts import PoolRevert

Q32 = 2**32
Q160 = 2**160
_Q55, _Q56 = 2**55, 2**56


class Observation(NamedTuple):
    """The sums as they stood at `time`."""

    time: int
    tick_cumulative: int
    seconds_per_liquidity_x128: int


class Present(NamedTuple):
    """What the sums grow by since the last observation: the tick and liquidity since then."""

    time: int
    tick: int
    liquidity: int


#: What the contract writes into slots that the ring has grown by, to pay for them early.
_RESERVED = Observation(1, 0, 0)


def wrap_int56(value: int) -> int:
    """`value` as int56 keeps it."""
    return (value + _Q55) % _Q56 - _Q55


class Oracle:
    """The ring. Slots that were never written are not in `observations`."""

    __slots__ = ("cardinality", "cardinality_next", "index", "observations")

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.index = 0
        self.cardinality = 0
        self.cardinality_next = 0

    def copy(self) -> Oracle:
        """An independent oracle with the same observations."""
        twin = Oracle()
        twin.observations = self.observations.copy()
        twin.index, twin.cardinality = self.index, self.cardinality
        twin.cardinality_next = self.cardinality_next
        return twin

    def initialize(self, time: int) -> None:
        """Write the first observation."""
        self.observations = [Observation(time, 0, 0)]
        self.cardinality = self.cardinality_next = 1

    def grow(self, cardinality_next: int) -> None:
        """Make room for more observations, to be used once the ring comes round."""
        self.cardinality_next = max(self.cardinality_next, cardinality_next)

    def write(self, present: Present) -> None:
        """Note the sums, once a block: before the tick or the active liquidity changes."""
        last = self.observations[self.index]
        if last.time == present.time:
            return
        if self.cardinality_next > self.cardinality and self.index == self.cardinality - 1:
            self.cardinality = self.cardinality_next
        self.index = (self.index + 1) % self.cardinality
        # Slots fill in order, so a slot that is not there yet is the next one.
        self.observations[self.index : self.index + 1] = [_grown(last, present)]

    def latest(self, present: Present) -> Observation:
        """The sums now."""
        last = self.observations[self.index]
        return last if last.time == present.time else _grown(last, present)

    def at_all(self, seconds_agos: Iterable[int], present: Present) -> list[Observation]:
        """The sums so many seconds ago, each interpolated between observations.

        Raises PoolRevert: I before the first observation, even where nothing is asked; OLD where
        the oracle does not reach back that far.
        """
        if not self.observations:
            raise PoolRevert("I")
        return [self._at(seconds_ago, present) for seconds_ago in seconds_agos]

    def _at(self, seconds_ago: int, present: Present) -> Observation:
        if seconds_ago == 0:
            return self.latest(present)
        target = (present.time - seconds_ago) % Q32
        before, after = self._around(target, present)
        if target == before.time:
            return before
        if target == after.time:
            return after
        return _between(before, after, target)

    def _around(self, target: int, present: Present) -> tuple[Observation, Observation]:
        newest = self.observations[self.index]
        if _not_after(newest.time, target, present.time):
            if newest.time == target:
                return newest, newest
            return newest, _grown(newest, present._replace(time=target))
        following = (self.index + 1) % self.cardinality
        oldest = self.observations[following if following < len(self.observations) else 0]
        if not _not_after(oldest.time, target, present.time):
            raise PoolRevert("OLD")
        return self._search(target, present.time)

    def _search(self, target: int, now: int) -> tuple[Observation, Observation]:
        """The neighbouring observations around a time that the ring covers, by bisection."""
        low = (self.index + 1) % self.cardinality
        high = low + self.cardinality - 1
        while True:
            middle = (low + high) // 2
            slot = middle % self.cardinality
            if slot >= len(self.observations):
                low = middle + 1
                continue
            before, after = self.observations[slot], self._slot((middle + 1) % self.cardinality)
            starts = _not_after(before.time, target, now)
            if starts and _not_after(target, after.time, now):
                return before, after
            low, high = (middle + 1, high) if starts else (low, middle - 1)

    def _slot(self, slot: int) -> Observation:
        """A slot of the ring; one that waits for its first observation holds time 1."""
        return self.observations[slot] if slot < len(self.observations) else _RESERVED


def _grown(last: Observation, present: Present) -> Observation:
    seconds = (present.time - last.time) % Q32
    return Observation(
        present.time,
        wrap_int56(last.tick_cumulative + present.tick * seconds),
        (last.seconds_per_liquidity_x128 + (seconds << 128) // max(present.liquidity, 1)) % Q160,
    )


def _between(before: Observation, after: Observation, target: int) -> Observation:
    span, part = (after.time - before.time) % Q32, (target - before.time) % Q32
    ticks = wrap_int56(after.tick_cumulative - before.tick_cumulative)
    # The contract divides first, towards zero.
    mean = ticks // span if ticks >= 0 else -(-ticks // span)
    liquidity = (after.seconds_per_liquidity_x128 - before.seconds_per_liquidity_x128) % Q160
    return Observation(
        target,
        wrap_int56(before.tick_cumulative + mean * part),
        (before.seconds_per_liquidity_x128 + liquidity * part // span) % Q160,
    )


def _not_after(a: int, b: int, now: int) -> bool:
    """Whether time `a` is at or before `b`, both at most 2**32 s before `now`."""
    return (a if a > now else a + Q32) <= (b if b > now else b + Q32)
