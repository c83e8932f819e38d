"""A backtest beside what the same deposit would have come to otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lpmanager.backtest.report.run import Numbers, Run
from lpmanager.backtest.report.statistics import (
    Drawdown,
    Figure,
    Unknown,
    from_deposit,
    largest_drawdown,
)


class Way(StrEnum):
    """What could be done with the deposit. The values name the curves of a run."""

    RUN = "value"
    HODL = "hodl"
    FULL_RANGE = "full_range"
    UNTOUCHED = "untouched"


#: What each is called where a person reads.
WAY_WORDS = {
    Way.RUN: "this run",
    Way.HODL: "HODL",
    Way.FULL_RANGE: "full range",
    Way.UNTOUCHED: "first ranges kept",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one way ended. `end_value` and `run_ahead` (how much more the run has) are in whole
    quote tokens; `return_share` is of the deposit."""

    way: Way
    end_value: Figure
    return_share: Figure
    run_ahead: Figure
    drawdown: Drawdown | Unknown


def standings(run: Run) -> tuple[Standing, ...]:
    """The run, and each other way, in the order of `Way`."""
    return tuple(_standing(run, way) for way in Way)


def _standing(run: Run, way: Way) -> Standing:
    values: Numbers = getattr(run.curve, way.value)
    deposit, end = float(run.result["nav_start"]), float(values[-1])
    if not math.isfinite(end):
        never = Unknown("no liquidity was ever placed")
        return Standing(
            way=way, end_value=never, return_share=never, run_ahead=never, drawdown=never
        )
    return Standing(
        way=way,
        end_value=end,
        return_share=end / deposit - 1 if deposit > 0 else Unknown("it started with nothing"),
        run_ahead=float(run.curve.value[-1]) - end,
        drawdown=_drawdown(run, values),
    )


def _drawdown(run: Run, values: Numbers) -> Drawdown | Unknown:
    """From the first known value on: the first ranges come after the start."""
    first = int(np.isfinite(values).argmax())
    if first > 0:
        return largest_drawdown(run.curve.time[first:], values[first:])
    return largest_drawdown(*from_deposit(run, values))
