"""Make a campaign's vault with the default bounds: scripts/deploy_vault.py CAMPAIGN [--live]

Prints its address and, without --live, the transaction in full. `lpm vault deploy` takes bounds.
"""

import typer

from lpmanager.cli.by_hand import run_script
from lpmanager.cli.campaigns import Live, Wait
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath
from lpmanager.cli.vault import deploy

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def deploy_vault(
    campaign: str, config: ConfigPath = DEFAULT_CONFIG, live: Live = False, wait: Wait = 0.0
) -> None:
    deploy(campaign=campaign, config=config, live=live, wait=wait, as_json=True)


run_script(app, "deploy_vault.py")
