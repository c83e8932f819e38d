"""Try a campaign on a private copy of its chain: scripts/simulate_testnet.py CAMPAIGN"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from lpmanager.cli.by_hand import run_script
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath, load_settings
from lpmanager.cli.story import tell
from lpmanager.config import rpc_url
from lpmanager.devnet.anvil import AnvilBackend, Fork
from lpmanager.devnet.flow_generated import Habits
from lpmanager.devnet.funds import parse_funds
from lpmanager.devnet.manager import hire
from lpmanager.devnet.scenes import forked_scene
from lpmanager.devnet.simulation import simulate
from lpmanager.devnet.summary import summarise

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Funds = Annotated[list[str], typer.Option(metavar='"22 WETH"', help="What it starts with.")]


@app.command()
def simulate_testnet(campaign: str, funds: Funds, config: ConfigPath = DEFAULT_CONFIG) -> None:
    settings = load_settings(config)
    copy = Fork(url=rpc_url(settings, settings.chain_of(campaign)), block=None)
    habits = Habits(seed=1, blocks=120, volatility=0.03)
    with AnvilBackend(copy) as chain, tempfile.TemporaryDirectory() as folder:
        scene = forked_scene(chain, Path(folder), settings, campaign, parse_funds(funds), habits)
        with hire(chain, scene.settings, campaign, scene.signer, lambda: False) as manager:
            done = simulate(scene.market, manager, 600, lambda _cycle: None, lambda: False)
            tell(summarise(done, manager))


run_script(app, "simulate_testnet.py")
