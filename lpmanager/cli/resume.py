"""`lpm resume`: lift the halts of campaigns, after a person has looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.campaigns import chosen, wall_clock
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath, load_settings
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.settings import Settings

HaltedNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CAMPAIGN]...", help="Which; all that are halted where none is named."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def resume(
    campaigns: HaltedNames = None, config: ConfigPath = DEFAULT_CONFIG, yes: Yes = False
) -> None:
    """Let halted campaigns run again. Their books are left as they are.

    Where they still do not close, the next cycle halts it again.
    """
    from lpmanager.cli.output import note
    from lpmanager.ledger.diary import Diary
    from lpmanager.ledger.store import Ledger

    settings = load_settings(config)
    names = _halted(settings, campaigns)
    if not yes:
        typer.confirm("Have you looked into this, and may it run again?", abort=True, err=True)
    engine = Ledger.open(settings.store).engine
    for name in names:
        Diary(engine, name).resume(wall_clock())
        note(f"{name} runs again from the next cycle on")
    engine.dispose()


def _halted(settings: Settings, named: Sequence[str] | None) -> list[str]:
    """The halted ones among the campaigns named, or among all; each one's reason is told.

    Raises UsageError where one that was named is not halted, or none is.
    """
    from lpmanager.cli.output import note
    from lpmanager.ledger.diary import Diary
    from lpmanager.ledger.store import Ledger

    engine = Ledger.read(settings.store).engine
    reasons = {name: Diary(engine, name).halted() for name in chosen(settings, named)}
    running = [name for name, reason in reasons.items() if reason is None]
    if named and running:
        raise UsageError(f"campaign {running[0]} is not halted")
    halted = [name for name, reason in reasons.items() if reason is not None]
    if not halted:
        raise UsageError("no campaign is halted")
    for name in halted:
        note(f"{name} is halted: {reasons[name]}")
    return halted
