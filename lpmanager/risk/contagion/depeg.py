"""Is a token off its peg, and for long enough to believe it?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Peg:
    """A token that should be worth `value` of the token `against`, in which its readings are.

    It is off its peg where it was further away than the share `tolerance`, below or above, for
    `for_s` seconds: of two tokens alone nothing tells which one failed.
    """

    token: str
    against: str
    value: float
    tolerance: float
    for_s: int

    def __post_init__(self) -> None:
        if not (0 < self.value < math.inf and 0 < self.tolerance < 1 and self.for_s >= 0):
            raise ValueError(
                f"a peg has a positive value, a tolerance in (0, 1) and a time; found {self}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The price of a token at a time (Unix seconds)."""

    time: int
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PegState:
    """`deviation` is the newest reading's, as a share of the peg."""

    peg: Peg
    deviation: float
    failing: bool


def peg_state(readings: Sequence[Reading], peg: Peg, now: int) -> PegState | Missing:
    """How a token stands to its peg at `now`; readings after that are not looked at.

    A price holds from its reading to the next. Failing: no price that held within the last `for_s`
    seconds was near the peg. Missing where the readings do not reach back so far, or one is no
    price.
    """
    past = sorted((each for each in readings if each.time <= now), key=lambda each: each.time)
    begins = now - peg.for_s
    if not past or past[0].time > begins:
        back = f"they reach back {now - past[0].time} s" if past else "there are none"
        return Missing(f"the peg of {peg.token} needs prices of the last {peg.for_s} s; {back}")
    broken = next((e for e in past if not 0 < e.price < math.inf), None)
    if broken is not None:
        return Missing(f"the price of {peg.token} at {broken.time} is no price: {broken.price}")
    first = max(i for i, each in enumerate(past) if each.time <= begins)
    deviations = [each.price / peg.value - 1 for each in past[first:]]
    failing = all(abs(each) > peg.tolerance for each in deviations)
    return PegState(peg=peg, deviation=deviations[-1], failing=failing)
