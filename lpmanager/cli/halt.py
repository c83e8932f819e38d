"""`lpm halt`: nothing more is signed for a campaign until `lpm resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from lpmanager.cli.campaigns import CampaignNames, chosen, wall_clock
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath, load_settings

Reason = Annotated[str, typer.Option("--reason", help="Shown wherever the halt is.")]


def halt(
    campaigns: CampaignNames = None,
    config: ConfigPath = DEFAULT_CONFIG,
    reason: Reason = "halted by hand",
) -> None:
    """Stop signing, at once and until `lpm resume`. A run need not be stopped for it.

    It needs no RPC, no key and no lock. What was sent before may still be mined. What the owner of
    a vault orders by `lpm vault` goes on.
    """
    from lpmanager.cli.output import note
    from lpmanager.ledger.diary import Diary
    from lpmanager.ledger.store import Ledger

    settings = load_settings(config)
    names = chosen(settings, campaigns)
    engine = Ledger.open(settings.store).engine
    for name in names:
        Diary(engine, name).halt(reason, wall_clock())
        note(f"{name} is halted: nothing more is signed for it until `lpm resume {name}`")
    engine.dispose()
