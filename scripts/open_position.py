"""Open a position by hand: scripts/open_position.py CAMPAIGN --lower=-600 --upper=600 [--live]

All of the campaign's wallet goes into the range, after the swap that makes the tokens fit.
"""

from typing import Annotated

import typer

from lpmanager.cli.by_hand import do_by_hand, run_script
from lpmanager.cli.campaigns import Live
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath
from lpmanager.errors import UsageError
from lpmanager.model import TickRange
from lpmanager.rebalancer.by_hand import open_plan

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def open_position(
    campaign: str,
    lower: Annotated[int, typer.Option(help="Lowest tick of the range.")],
    upper: Annotated[int, typer.Option(help="First tick above the range.")],
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
) -> None:
    try:
        wanted = TickRange(lower, upper)
    except ValueError as error:
        raise UsageError(str(error)) from error
    do_by_hand(config, campaign, lambda n, v, limits: open_plan(n, v, wanted, limits), live=live)


run_script(app, "open_position.py")
