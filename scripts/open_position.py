"""Open a position by hand: scripts/open_position.py CAMPAIGN --lower=-600 --upper=600 [--live]

All of the campaign's wallet goes into the range, after the swap that makes the tokens fit.
"""

from typing import Annotated

import typer

from lpmanager.cli.by_hand import do_by_hand, run_script
from lpmanager.cli.campaigns import Live, Wait
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
    wait: Wait = 0.0,
) -> None:
    try:
        span = TickRange(lower, upper)
    except ValueError as error:
        raise UsageError(str(error)) from error
    do_by_hand(config, campaign, lambda n, v, lim: open_plan(n, v, span, lim), live=live, wait=wait)


run_script(app, "open_position.py")
