"""What a unit of gas costs in a backtest: one price throughout, or those that were recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpmanager.backtest.markets.market import Times, utc
from lpmanager.errors import MarketDataError, UsageError

#: How long a recorded price stands. Behind that the record has a gap.
STANDS_S = 3_600


@dataclass(frozen=True, slots=True)
class FixedGasPrice:
    """The same price at all times, in wei."""

    wei: int

    def __post_init__(self) -> None:
        if self.wei < 0:
            raise ValueError(f"a price of gas is at least 0 wei, found {self.wei}")

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report is to say of it: nothing that was not told."""
        return ()

    def at(self, time: int) -> int:
        """Wei for a unit of gas."""
        return self.wei

    def require_whole(self, start: int, end: int) -> None:
        """It is never missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedGasPrices:
    """Prices in `wei` at `times` (Unix seconds, rising); `name` is for errors.

    Each stands until the next, and for `STANDS_S` at most: nothing sees a later one.
    """

    name: str
    times: Times
    wei: NDArray[np.int64]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report is to say of it."""
        return (
            f"A unit of gas costs what {self.name} tells of the last moment at or before a block.",
        )

    def at(self, time: int) -> int:
        """Wei for a unit of gas. Raises MarketDataError where none is recorded for then."""
        row = int(np.searchsorted(self.times, time, "right")) - 1
        if row < 0:
            raise self._missing(
                f"begins at {utc(int(self.times[0]))}, expected a price at or before {utc(time)}"
            )
        if time - self.times[row] > STANDS_S:
            raise self._missing(f"{self._silent_from(row)}, expected a price for {utc(time)}")
        return int(self.wei[row])

    def require_whole(self, start: int, end: int) -> None:
        """Raise MarketDataError where a price is missing anywhere from `start` to `end`."""
        self.at(start)
        first, behind = np.searchsorted(self.times, (start, end), "right")
        told = self.times[first - 1 : behind]
        for row in np.flatnonzero(np.diff(told) > STANDS_S + 1)[:1]:
            self.at(int(told[row]) + STANDS_S + 1)
        self.at(end)

    def _silent_from(self, row: int) -> str:
        last = utc(int(self.times[row]))
        if row + 1 == len(self.times):
            return f"ends at {last}"
        return f"tells nothing from {last} to {utc(int(self.times[row + 1]))}"

    def _missing(self, what: str) -> MarketDataError:
        return MarketDataError(
            f"{self.name}: {what}; a price stands for {STANDS_S // 60} minutes at most: complete "
            "the record, or choose a part of the market that it covers with --from and --to"
        )


GasPrices = FixedGasPrice | RecordedGasPrices


def only_price(gas: GasPrices) -> int:
    """The one price in wei. Raises UsageError for a record, which fast mode cannot follow."""
    if isinstance(gas, RecordedGasPrices):
        raise UsageError(
            f"--gas-prices: fast mode and sweeps take one price of gas, found the record "
            f"{gas.name}; give --gas-gwei, or replay in exact mode"
        )
    return gas.wei
