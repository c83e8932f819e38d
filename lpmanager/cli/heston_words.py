"""Heston's model as the table of a configuration that says so, and for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpmanager.risk.heston.model import Heston


def heston_table(model: Heston, as_of: int) -> str:
    """The lines to paste below a campaign's limits of risk, in years of 365 days; `as_of` in Unix
    seconds."""
    letters = _letters(model)
    lines = [f'{letter} = "{value:.6g}"' for letter, value in letters.items()]
    return "\n".join(["[campaigns.NAME.risk.heston]", *lines, f"as_of = {_instant(as_of)}"])


def heston_json(model: Heston, as_of: int) -> dict[str, Any]:
    """The same letters as numbers, with the time."""
    return {**_letters(model), "as_of": _instant(as_of), "unit": "years of 365 days"}


def _instant(timestamp: int) -> str:
    """To the second: who uses the model earlier would know what came after."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _letters(model: Heston) -> dict[str, float]:
    from lpmanager.risk.heston.model import yearly

    return asdict(yearly(model))
