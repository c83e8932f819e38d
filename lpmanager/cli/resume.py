"""`lpm resume`: lift the halts of campaigns, after a person has looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.campaigns import chosen, wall_clock
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath, load_settings
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.ledger.diary import Halt
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

    Where they still do not close, the next cycle halts it again. Only what was shown is lifted:
    where another halt came meanwhile, it is told and stands.
    """
    from lpmanager.cli.output import note
    from lpmanager.ledger.diary import Diary
    from lpmanager.ledger.store import Ledger

    settings = load_settings(config)
    shown = _halted(settings, campaigns)
    if not yes:
        typer.confirm("Have you looked into this, and may it run again?", abort=True, err=True)
    engine = Ledger.open(settings.store).engine
    left = False
    for name, halts in shown.items():
        diary = Diary(engine, name)
        diary.resume(halts, wall_clock())
        reason = diary.halted()
        if reason is None:
            note(f"{name} runs again from the next cycle on")
        else:
            note(f"{name} was halted anew meanwhile: {reason}; `lpm resume {name}` lifts that too")
            left = True
    engine.dispose()
    if left:
        raise typer.Exit(1)


def _halted(settings: Settings, named: Sequence[str] | None) -> dict[str, tuple[Halt, ...]]:
    """The halts of those among the campaigns named, or among all, that have any; each is told.

    Raises UsageError where one that was named is not halted, or none is.
    """
    from lpmanager.cli.output import note
    from lpmanager.ledger.diary import Diary
    from lpmanager.ledger.store import Ledger

    engine = Ledger.read(settings.store).engine
    standing = {name: Diary(engine, name).standing() for name in chosen(settings, named)}
    running = [name for name, halts in standing.items() if not halts]
    if named and running:
        raise UsageError(f"campaign {running[0]} is not halted")
    halted = {name: halts for name, halts in standing.items() if halts}
    if not halted:
        raise UsageError("no campaign is halted")
    for name, halts in halted.items():
        for halt in halts:
            note(f"{name} is halted: {halt.reason}")
    return halted
