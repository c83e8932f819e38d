"""What `lpm demo` and `lpm simulate` share: playing a scene with a progress bar, and its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Event

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lpmanager.cli.campaigns import INTERRUPTED
from lpmanager.cli.output import print_json
from lpmanager.cli.story import tell
from lpmanager.cycle import Cycle
from lpmanager.devnet.manager import hire
from lpmanager.devnet.scenes import Scene
from lpmanager.devnet.simulation import simulate
from lpmanager.devnet.summary import Summary, summarise, summary_json
from lpmanager.errors import BooksDoNotClose


def play(scene: Scene, every_s: int, block_count: int, stop: Event) -> tuple[Summary, float]:
    """Simulate the scene to its end; what it came to, and the seconds the market and the manager
    took. Leaves with 130 where a signal asked to stop: the step in hand was finished."""
    with (
        hire(scene.backend, scene.settings, scene.campaign, scene.signer, stop.is_set) as campaign,
        _progress() as progress,
    ):
        task = progress.add_task("simulating", total=block_count, price="-")

        def show(cycle: Cycle) -> None:
            price = f"{float(cycle.snapshot.price.per_whole):,.2f}"
            progress.update(task, completed=scene.market.report.blocks, price=price)

        began = time.perf_counter()
        simulation = simulate(scene.market, campaign, every_s, show, stop.is_set)
        took = time.perf_counter() - began
        if stop.is_set():
            raise typer.Exit(INTERRUPTED)
        return summarise(simulation, campaign), took


def present(summary: Summary, more: Mapping[str, object], *, as_json: bool) -> None:
    """Print the summary. Raises BooksDoNotClose after it where the books do not."""
    if as_json:
        print_json({**more, **summary_json(summary)})
    else:
        tell(summary)
    if not summary.reconciled:
        raise BooksDoNotClose(
            "the chain's balances at the end are not those of the books; see `reconciled`"
        )


def _progress() -> Progress:
    """On stderr, and only where somebody watches."""
    screen = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,}/{task.total:,} blocks  price {task.fields[price]}"),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )
