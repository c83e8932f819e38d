"""`lpm doctor`: is everything in place before money moves?"""

from __future__ import annotations

from dataclasses import asdict

import typer

from lpmanager.cli.campaigns import CampaignNames, chosen, wall_clock
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.errors import ChainError


def doctor(
    campaigns: CampaignNames = None, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Check machine, chain, pool, tokens and wallet. Exit code 4 where anything is wrong."""
    from lpmanager.cli.output import note, print_json, print_table
    from lpmanager.doctor import examine

    settings = load_settings(config)
    checks = examine(settings, chosen(settings, campaigns), wall_clock)
    failed = [check for check in checks if not check.passed]
    if as_json:
        print_json({"healthy": not failed, "checks": [asdict(check) for check in checks]})
    else:
        rows = [(c.subject, c.name, "ok" if c.passed else "WRONG", c.found) for c in checks]
        print_table("doctor", ("of", "what", "is", "found"), rows)
    if failed:
        note(f"{len(failed)} of {len(checks)} checks failed")
        raise typer.Exit(ChainError.exit_code)
    note(f"all {len(checks)} checks passed")
