"""Collect the fees of a campaign's positions: scripts/collect_fees.py CAMPAIGN [--live]"""

import typer

from lpmanager.cli.by_hand import do_by_hand, run_script
from lpmanager.cli.campaigns import Live, Wait
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath
from lpmanager.rebalancer.by_hand import collect_plan

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def collect_fees(
    campaign: str, config: ConfigPath = DEFAULT_CONFIG, live: Live = False, wait: Wait = 0.0
) -> None:
    do_by_hand(config, campaign, collect_plan, live=live, wait=wait)


run_script(app, "collect_fees.py")
