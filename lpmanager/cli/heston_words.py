"""Heston's model as the table of a configuration that says so, and for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpmanager.risk.heston.model import Heston


def heston_table(model: Heston, as_of: date) -> str:
    """The lines to paste below a campaign's limits of risk, in years of 365 days."""
    letters = _letters(model)
    lines = [f'{letter} = "{value:.6g}"' for letter, value in letters.items()]
    return "\n".join(["[campaigns.NAME.risk.heston]", *lines, f"as_of = {as_of.isoformat()}"])


def heston_json(model: Heston, as_of: date) -> dict[str, Any]:
    """The same letters as numbers, with the day."""
    return {**_letters(model), "as_of": as_of.isoformat(), "unit": "years of 365 days"}


def _letters(model: Heston) -> dict[str, float]:
    from lpmanager.risk.heston.model import yearly

    return asdict(yearly(model))
