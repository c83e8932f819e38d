"""Two regimes between which the market switches, once they are known: no library is needed to tell
how likely each is now. `markov` fits them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkovSwitching:
    """Returns of mean 0 with one of two variances (of a return, so per step).

    `calm_stays`, `turbulent_stays`: chance that the next return is of the same regime. ValueError
    where that cannot be.
    """

    calm_variance: float
    turbulent_variance: float
    calm_stays: float
    turbulent_stays: float

    def __post_init__(self) -> None:
        if not 0 < self.calm_variance <= self.turbulent_variance < math.inf:
            raise ValueError(
                "variances of regimes must be above 0, the calm one first, found "
                f"{self.calm_variance} and {self.turbulent_variance}"
            )
        for stays in (self.calm_stays, self.turbulent_stays):
            if not 0 < stays < 1:
                raise ValueError(f"the chance to stay must be between 0 and 1, found {stays}")

    @property
    def long_run(self) -> float:
        """The part of all time in which the market is turbulent."""
        return (1 - self.calm_stays) / (2 - self.calm_stays - self.turbulent_stays)

    def after_unseen(self, chance: float, steps: int) -> float:
        """What becomes of a chance of turbulence over so many steps of which nothing is known."""
        fades: float = (self.calm_stays + self.turbulent_stays - 1) ** steps
        return self.long_run + (chance - self.long_run) * fades

    def turbulent_probabilities(
        self, returns: Sequence[float], before: float | None = None
    ) -> tuple[float, ...]:
        """After each return, the filtered chance that the market is turbulent (Hamilton 1989).

        `before` is that chance before the first of them; the long run's where it is not known.
        """
        chance, chances = self.long_run if before is None else before, []
        excess = 1 / self.calm_variance - 1 / self.turbulent_variance
        ratio = math.log(self.calm_variance / self.turbulent_variance)
        for change in returns:
            expected = self.after_unseen(chance, 1)
            evidence = (ratio + change * change * excess) / 2
            chance = expected / (expected + (1 - expected) * math.exp(-evidence))
            chances.append(chance)
        return tuple(chances)
