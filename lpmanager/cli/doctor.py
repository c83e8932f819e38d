"""`lpm doctor`: is everything in place before money moves?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpmanager.cli.campaigns import CampaignNames, chosen, wall_clock
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.errors import ChainError, UsageError

if TYPE_CHECKING:
    from lpmanager.doctor.repair import Repair
    from lpmanager.settings import Settings

ShowRepair = Annotated[
    bool, typer.Option("--repair", help="Show what would be done about a damaged journal.")
]
Yes = Annotated[bool, typer.Option("--yes", help="With --repair: do it.")]
UsedUp = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CHAIN:ACCOUNT:NONCE",
        help="With --repair, where it asks for that: you have used this nonce up.",
    ),
]


def doctor(
    campaigns: CampaignNames = None,
    config: ConfigPath = DEFAULT_CONFIG,
    repair: ShowRepair = False,
    yes: Yes = False,
    used_up: UsedUp = None,
    as_json: AsJson = False,
) -> None:
    """Check machine, keys, RPCs, chain, pool, tokens and wallet. Exit code 4 where anything is
    wrong.

    --repair shows what would be done about a journal whose rows are not as they were written, and
    does it with --yes: the journal is moved aside, and a new one begins with the transactions that
    are still to be settled. Exit code 4 while it is damaged.
    """
    settings = load_settings(config)
    if repair:
        _mend(settings, frozenset(used_up or ()), really=yes, as_json=as_json)
    elif yes or used_up:
        raise UsageError(f"{'--yes' if yes else '--used-up'} goes with --repair")
    else:
        _examine(settings, chosen(settings, campaigns), as_json=as_json)


def _examine(settings: Settings, names: list[str], *, as_json: bool) -> None:
    from lpmanager.cli.output import note, print_json, print_table
    from lpmanager.doctor import examine

    checks = examine(settings, names, wall_clock)
    failed = [check for check in checks if not check.passed]
    if as_json:
        print_json({"healthy": not failed, "checks": [asdict(check) for check in checks]})
    else:
        rows = [(c.subject, c.name, "ok" if c.passed else "WRONG", c.found) for c in checks]
        print_table("doctor", ("of", "what", "is", "found"), rows)
        for check in checks:
            if check.paste:
                typer.echo(check.paste)
    if failed:
        note(f"{len(failed)} of {len(checks)} checks failed")
        raise typer.Exit(ChainError.exit_code)
    note(f"all {len(checks)} checks passed")


def _mend(settings: Settings, used_up: frozenset[str], *, really: bool, as_json: bool) -> None:
    from lpmanager.cli.output import note, print_json
    from lpmanager.doctor.repair import carry_out, plan_repair

    repair = plan_repair(settings, wall_clock, used_up)
    if really and repair is not None and not repair.obstacles:
        repair = carry_out(settings, wall_clock, used_up)
    if as_json:
        print_json(_repair_json(repair))
    elif repair is not None:
        _print_repair(repair)
    if repair is None:
        note("the journal is whole: nothing to repair")
    elif repair.done:
        note(
            f"done: the old journal is in {repair.aside}. The next live run sees through what is "
            "kept; what else was mined and is not booked counts as changed by hand"
        )
    else:
        note("nothing was changed" + ("" if repair.obstacles else "; add --yes to do it"))
        raise typer.Exit(ChainError.exit_code)


def _print_repair(repair: Repair) -> None:
    from lpmanager.cli.output import print_table

    damage = repair.damage
    bad = [(str(number), why) for number, why in sorted(damage.bad.items())]
    print_table(f"journal: {len(damage.rows)} rows, {len(bad)} bad", ("row", "which"), bad)
    steps = [
        ("all rows are moved to", str(repair.aside)),
        ("a new journal begins with", f"{len(damage.kept)} rows, of transactions to settle"),
        *(("but first", obstacle) for obstacle in repair.obstacles),
    ]
    print_table("repair", ("", ""), steps)


def _repair_json(repair: Repair | None) -> dict[str, Any]:
    if repair is None:
        return {"whole": True, "done": False}
    damage = repair.damage
    return {
        "whole": False,
        "rows": len(damage.rows),
        "bad": {str(number): why for number, why in sorted(damage.bad.items())},
        "kept": sorted({row["intent"] for row in damage.kept}),
        "aside": str(repair.aside),
        "obstacles": list(repair.obstacles),
        "done": repair.done,
    }
