"""What an estimate says where it cannot be made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Missing:
    """No estimate: `reason` says what is there, and how much of what is needed.

    It is never a zero or a default: a gate that asks for the estimate is closed, or open where the
    configuration ignores it, and says why.
    """

    reason: str
