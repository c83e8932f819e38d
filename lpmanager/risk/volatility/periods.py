"""A price path cut into periods of equal length: what forecasts of volatility are made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Periods of `period_s` seconds, one after the other, the newest last.

    `returns`: change of the log price over each. `variances`: realised variance of each (not a
    rate: the sum of its squared shorter returns).
    """

    period_s: int
    returns: tuple[float, ...]
    variances: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.period_s < 1:
            raise ValueError(f"a period must last at least 1 s, found {self.period_s}")
        if len(self.returns) != len(self.variances):
            raise ValueError(f"{len(self.returns)} returns, but {len(self.variances)} variances")
        if not all(map(math.isfinite, self.returns)):
            raise ValueError("the return of a period is not a finite number")
        if not all(map(math.isfinite, self.variances)) or min(self.variances, default=0.0) < 0:
            raise ValueError("a realised variance is not a finite number of at least 0")

    def __len__(self) -> int:
        return len(self.returns)

    def first(self, count: int) -> Periods:
        """The `count` oldest periods: what was known when the last of them ended."""
        if not 0 <= count <= len(self):
            raise ValueError(f"cannot take {count} of {len(self)} periods")
        return Periods(
            period_s=self.period_s,
            returns=self.returns[:count],
            variances=self.variances[:count],
        )


def periods_of(path: PricePath, *, period_s: int, step_s: int) -> Periods | Missing:
    """Whole periods of a path, the last ending where it ends; variances from returns of `step_s`.

    Raises ValueError where a period is not a whole number of steps.
    """
    if step_s < 1 or period_s % step_s:
        raise ValueError(f"a period of {period_s} s is not a whole number of steps of {step_s} s")
    each = period_s // step_s
    returns = path.returns(step_s)
    whole = [returns[end - each : end] for end in range(len(returns), each - 1, -each)][::-1]
    if not whole:
        return Missing(f"a period needs {each} returns of {step_s} s, found {len(returns)}")
    return Periods(
        period_s=period_s,
        returns=tuple(math.fsum(period) for period in whole),
        variances=tuple(_squares(period) for period in whole),
    )


def _squares(returns: Sequence[float]) -> float:
    return math.fsum(change * change for change in returns)
