"""How well market making paid, for a person and for programs: in the words of a backtest."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpmanager.risk.efficiency import Efficiency
    from lpmanager.risk.missing import Missing


def efficiency_rows(found: Efficiency | Missing) -> list[tuple[str, str]]:
    """For a person."""
    from lpmanager.risk.missing import Missing

    if isinstance(found, Missing):
        return [("efficiency", f"unknown: {found.reason}")]

    def told(value: float | Missing, form: str) -> str:
        return f"unknown: {value.reason}" if isinstance(value, Missing) else f"{value:{form}}"

    return [
        ("fee APR, of the mean value", told(found.fee_apr_share, ".1%")),
        ("that net of LVR and gas", told(found.net_fee_apr_share, "+.1%")),
        ("fees / LVR", told(found.fees_per_lvr, ".2f")),
        ("fees of the volume that the pool traded", told(found.fees_per_volume, ".4%")),
        ("time in range, of the time deployed", told(found.in_range_share, ".1%")),
        ("rebalances", f"{found.rebalances:,}"),
        ("rebalances a day", told(found.rebalances_per_day, ".2f")),
    ]


def efficiency_json(found: Efficiency | Missing) -> dict[str, Any]:
    """Numbers by their names; null where unknown, and then why."""
    from lpmanager.risk.efficiency import Efficiency
    from lpmanager.risk.missing import Missing

    names = [field.name for field in fields(Efficiency)]
    values = {name: found if isinstance(found, Missing) else getattr(found, name) for name in names}
    unknown = {name: each.reason for name, each in values.items() if isinstance(each, Missing)}
    return {
        **{name: None if name in unknown else value for name, value in values.items()},
        "unknown": unknown,
    }
