"""`lpm resume`: lift the halt of a campaign, after a person has looked."""

from __future__ import annotations

from typing import Annotated

import typer

from lpmanager.cli.campaigns import chosen, wall_clock
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath, load_settings
from lpmanager.errors import UsageError

CampaignName = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Which campaign.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def resume(campaign: CampaignName, config: ConfigPath = DEFAULT_CONFIG, yes: Yes = False) -> None:
    """Let a halted campaign run again. Its books are left as they are.

    Where they still do not close, the next cycle halts it again.
    """
    from lpmanager.cli.output import note
    from lpmanager.ledger.journal import Diary
    from lpmanager.ledger.store import Ledger

    settings = load_settings(config)
    (name,) = chosen(settings, [campaign])
    reason = Diary(Ledger.read(settings.store).engine, name).halted()
    if reason is None:
        raise UsageError(f"campaign {name} is not halted")
    note(f"{name} is halted: {reason}")
    if not yes:
        typer.confirm("Have you looked into this, and may it run again?", abort=True, err=True)
    engine = Ledger.open(settings.store).engine
    Diary(engine, name).resume(wall_clock())
    engine.dispose()
    note(f"{name} runs again from the next cycle on")
