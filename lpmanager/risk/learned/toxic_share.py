"""The toxic share of the flow by periods, and who forecast it best: values alone, which need no
library. `toxicity` learns it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPeriods:
    """Flow by periods of `period_s` seconds, the newest last, which ended at `ends` (Unix s): the
    share of its volume that was toxic, in [0, 1]; the volume, and the realised variance, either in
    any one unit.

    A share is known once the markouts of its swaps are: the last `unknown` periods have theirs only
    later, and no forecast from here looks at them.
    """

    toxic_shares: tuple[float, ...]
    volumes: tuple[float, ...]
    variances: tuple[float, ...]
    period_s: int
    ends: int
    unknown: int = 1

    def __post_init__(self) -> None:
        lengths = {len(self.toxic_shares), len(self.volumes), len(self.variances)}
        if len(lengths) != 1 or self.unknown < 0:
            raise ValueError(f"needed are as many shares, volumes and variances, found {lengths}")
        if self.period_s < 1 or self.ends < 0:
            raise ValueError(
                f"needed are periods of at least 1 s and an end after 1970, found {self.period_s} "
                f"and {self.ends}"
            )
        if not all(0 <= each <= 1 for each in self.toxic_shares):
            raise ValueError("a toxic share is in [0, 1]")
        if not all(0 <= each < math.inf for each in (*self.volumes, *self.variances)):
            raise ValueError("volumes and variances are finite and not negative")

    def __len__(self) -> int:
        return len(self.toxic_shares)

    def newest(self, count: int) -> FlowPeriods:
        """The last `count` periods, or all where they are fewer."""
        if count < 1:
            raise ValueError(f"at least 1 period is taken, found {count}")
        return replace(
            self,
            toxic_shares=self.toxic_shares[-count:],
            volumes=self.volumes[-count:],
            variances=self.variances[-count:],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityContest:
    """Mean squared errors out of sample over `scored` periods; `next_share` is the learned forecast
    of the period to come, `next_faded` that of the fading mean. ValueError where that cannot be."""

    learned: float
    ewma: float
    scored: int
    next_share: float
    next_faded: float

    def __post_init__(self) -> None:
        for name, value in (
            ("a mean squared error", self.learned),
            ("a mean squared error", self.ewma),
            ("a toxic share", self.next_share),
            ("a toxic share", self.next_faded),
        ):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} of shares is in [0, 1], found {value}")
        if self.scored < 1:
            raise ValueError(f"a contest scores at least 1 period, found {self.scored}")

    @property
    def learned_wins(self) -> bool:
        """Only then is the learned forecast to be used."""
        return self.learned < self.ewma

    @property
    def share_believed(self) -> float:
        """The forecast of whichever was better."""
        return self.next_share if self.learned_wins else self.next_faded

    @property
    def learned_share(self) -> float | Missing:
        """The learned forecast while it beats the fading mean, or why it is not used."""
        if self.learned_wins:
            return self.next_share
        return Missing(
            f"what is learned is not used: its mean squared error over {self.scored} periods that "
            f"it had not seen is {self.learned:.4f}, that of the fading mean {self.ewma:.4f}"
        )
