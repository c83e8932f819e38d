"""A gate on an estimate: what it asks, and what becomes of it where the estimate is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from lpmanager.model import Gate
from lpmanager.model.units import HOUR_S
from lpmanager.risk.appetite import Appetite, WhereMissing
from lpmanager.risk.missing import Missing
from lpmanager.risk.search import Search

T = TypeVar("T")

#: A tenth of an hour.
_TENTH_S = HOUR_S // 10
_IGNORED = "ignored: "


@dataclass(frozen=True, slots=True)
class Asked:
    """What a gate asks, before it is known."""

    name: str
    limit: str
    reason: str


def judged(
    asked: Asked,
    estimate: T | Missing,
    judge: Callable[[T], tuple[bool, str]],
    appetite: Appetite,
) -> tuple[Gate, ...]:
    """The gate, by what `judge` says of the estimate: whether it passes, and what was measured.

    Where the appetite ignores what is missing the gate is open, and what was measured says why.
    """
    if not isinstance(estimate, Missing):
        passed, measured = judge(estimate)
        return (gate_of(asked, passed=passed, measured=measured),)
    if appetite.where_missing is WhereMissing.IGNORE:
        return (gate_of(asked, passed=True, measured=f"{_IGNORED}{estimate.reason}"),)
    unknown = gate_of(asked, passed=False, measured="unknown")
    return (replace(unknown, reason=f"{asked.reason}: {estimate.reason}"),)


def pause_gate(
    asked: Asked, found: Search | Missing, pause_s: int, appetite: Appetite, told_by: str = ""
) -> tuple[Gate, ...]:
    """Whether so many seconds have passed since what is paused after; `told_by` follows what was
    measured.

    That none was found tells nothing of a pause that is longer than what could be judged.
    """
    if isinstance(found, Search) and found.last_s is None and found.within_s < pause_s:
        found = _too_short(found, pause_s)

    def judge(search: Search) -> tuple[bool, str]:
        if search.last_s is None:
            return True, f"none found{told_by}"
        return search.last_s >= pause_s, f"{search.last_s} s ago{told_by}"

    return judged(asked, found, judge, appetite)


def _too_short(found: Search, pause_s: int) -> Missing:
    """In tenths of hours, up for what is needed and down for what is there."""
    needed_s = pause_s + found.history_s - found.within_s
    return Missing(
        f"a pause of {pause_s} s needs {-(-needed_s // _TENTH_S) / 10:.1f} h of history, found "
        f"{found.history_s // _TENTH_S / 10:.1f} h"
    )


def is_ignored(gate: Gate) -> bool:
    """Whether the gate is open because what it asks could not be told."""
    return gate.passed and gate.measured.startswith(_IGNORED)


def gate_of(asked: Asked, *, passed: bool, measured: str) -> Gate:
    """The gate, once it is known."""
    return Gate(
        name=asked.name,
        passed=passed,
        measured=measured,
        limit=asked.limit,
        reason=asked.reason,
    )
