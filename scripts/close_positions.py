"""Take everything out of a campaign's positions: scripts/close_positions.py CAMPAIGN [--live]"""

import typer

from lpmanager.cli.by_hand import do_by_hand, run_script
from lpmanager.cli.campaigns import Live, Wait
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath
from lpmanager.rebalancer.by_hand import close_plan

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def close_positions(
    campaign: str, config: ConfigPath = DEFAULT_CONFIG, live: Live = False, wait: Wait = 0.0
) -> None:
    do_by_hand(config, campaign, close_plan, live=live, wait=wait)


run_script(app, "close_positions.py")
