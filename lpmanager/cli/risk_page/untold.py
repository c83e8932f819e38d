"""A picture that cannot be drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """What stands in a picture's place: what it would have shown, and why it is not known."""

    title: str
    reason: str
