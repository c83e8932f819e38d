"""A gate on an estimate: what it asks, and what becomes of it where the estimate is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from lpmanager.model import Gate
from lpmanager.risk.appetite import Appetite, WhereMissing
from lpmanager.risk.missing import Missing

T = TypeVar("T")


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
    """The gate, by what `judge` says of the estimate: whether it passes, and what was measured."""
    if not isinstance(estimate, Missing):
        passed, measured = judge(estimate)
        return (gate_of(asked, passed=passed, measured=measured),)
    if appetite.where_missing is WhereMissing.IGNORE:
        return ()
    unknown = gate_of(asked, passed=False, measured="unknown")
    return (replace(unknown, reason=f"{asked.reason}: {estimate.reason}"),)


def pause_gate(
    asked: Asked, since: int | Missing | None, pause_s: int, appetite: Appetite
) -> tuple[Gate, ...]:
    """Whether so many seconds have passed `since` what is paused after; None where it never was."""
    if since is None:
        return (gate_of(asked, passed=True, measured="none found"),)
    return judged(asked, since, lambda found: (found >= pause_s, f"{found} s ago"), appetite)


def gate_of(asked: Asked, *, passed: bool, measured: str) -> Gate:
    """The gate, once it is known."""
    return Gate(
        name=asked.name,
        passed=passed,
        measured=measured,
        limit=asked.limit,
        reason=asked.reason,
    )
