"""One cycle of a campaign: scripts/rebalance_once.py CAMPAIGN [--live]"""

import typer

from lpmanager.cli.by_hand import run_script
from lpmanager.cli.campaigns import Live, Wait
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath
from lpmanager.cli.run import run

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def rebalance_once(
    campaign: str, config: ConfigPath = DEFAULT_CONFIG, live: Live = False, wait: Wait = 0.0
) -> None:
    run([campaign], config=config, once=True, live=live, wait=wait, as_json=True)


run_script(app, "rebalance_once.py")
