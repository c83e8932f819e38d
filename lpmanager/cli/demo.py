"""`lpm demo`: a manager at work on an embedded chain with the real Uniswap v3 contracts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.options import AsJson
from lpmanager.devnet.backend_names import BackendName
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from threading import Event

    from lpmanager.devnet.scenes import Scene
    from lpmanager.devnet.scripts import Script

_CAMPAIGN = "demo"
_EVERY_S = 600

#: One a minute. The default seed's market ends just before a hedge is due, so that whoever keeps
#: the chain has a plan to try: from the next block on, for ten minutes.
_BLOCKS = 691
_VOLATILITY = 0.03

#: 2024-01-05 00:00 UTC. Without --keep the demo's time is the same in every run.
_OPENING = 1_704_412_800

_KEPT = """
The chain and its market go on, a block a minute. RPC URL: {url}
The campaign's files are in {folder}; the key in .env is public, fund it nowhere else.
Try, in another terminal:

  lpm status --config {folder}/lpmanager.toml
  lpm plan --config {folder}/lpmanager.toml --out p.json
  lpm execute p.json --config {folder}/lpmanager.toml --live
  lpm run --once --live --config {folder}/lpmanager.toml
  lpm report --config {folder}/lpmanager.toml

Ctrl-C ends the chain; the files stay.\
"""

Keep = Annotated[
    bool, typer.Option("--keep", help="Leave the chain and its market running until Ctrl-C.")
]
Dir = Annotated[
    Path | None,
    typer.Option("--dir", help="With --keep: a new folder for its files; default ./lpm-demo."),
]
Seed = Annotated[int, typer.Option("--seed", help="Another seed makes up another market.")]


def demo(
    backend: Annotated[
        BackendName, typer.Option("--backend", help="What runs the chain.")
    ] = BackendName.ANVIL,
    keep: Keep = False,
    folder: Dir = None,
    seed: Seed = 2,
    as_json: AsJson = False,
) -> None:
    """Watch a manager run a campaign for eleven hours of block time on an embedded chain.

    The market is made up from a seed: an outside price that drifts and jumps, an arbitrageur who
    trades the pool to it, and noise traders. In the result, `hodl` is the price move of what was
    deposited: what just holding would have gained or lost.
    """
    from lpmanager.scheduler import stop_on_signal

    if keep and backend is not BackendName.ANVIL:
        raise UsageError("--keep needs --backend anvil: nothing outside can reach the other")
    if folder is not None and not keep:
        raise UsageError("--dir is for --keep; without it nothing is left behind")
    with stop_on_signal() as stop, _folder(folder, keep=keep) as place:
        _play(backend, place, seed, stop, keep=keep, as_json=as_json)


def _play(
    backend: BackendName, folder: Path, seed: int, stop: Event, *, keep: bool, as_json: bool
) -> None:
    from lpmanager.cli.playing import play, present
    from lpmanager.devnet.flow_generated import Habits
    from lpmanager.devnet.scenes import Job, new_chain, new_scene
    from lpmanager.devnet.scripts import generated_script
    from lpmanager.devnet.terms import DEFAULT_FUNDS, default_table

    habits = Habits(seed=seed, blocks=_BLOCKS, volatility=_VOLATILITY)
    one_is_left = int(time.time()) - (habits.blocks + 1) * habits.block_time_s
    script = generated_script(habits, one_is_left if keep else _OPENING)
    job = Job(
        campaign=_CAMPAIGN,
        table=default_table(_CAMPAIGN),
        every_s=_EVERY_S,
        funds=DEFAULT_FUNDS,
    )
    with new_chain(backend, script) as chain:
        scene = new_scene(chain, folder, script, job)
        summary, _ = play(scene, _EVERY_S, script.block_count, stop)
        kept = {"rpc_url": chain.rpc_url, "config": str(folder / "lpmanager.toml")} if keep else {}
        present(summary, {"backend": str(backend), **kept}, as_json=as_json)
        if keep:
            _keep(scene, script, folder, stop)


@contextmanager
def _folder(chosen: Path | None, *, keep: bool) -> Iterator[Path]:
    """A new folder that stays, or one that goes again."""
    if not keep:
        with tempfile.TemporaryDirectory(prefix="lpm-demo-") as name:
            yield Path(name)
        return
    folder = chosen or Path("lpm-demo")
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise UsageError(
            f"{folder}: exists already; move it away, or name another with --dir"
        ) from error
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made: {error.strerror}") from error
    yield folder


def _keep(scene: Scene, script: Script, folder: Path, stop: Event) -> None:
    """Let the market go on in wall-clock time until a signal."""
    from lpmanager.devnet.market import Market
    from lpmanager.devnet.simulation import go_on

    market = Market(scene.backend, scene.place, script.blocks)
    market.advance_until(int(time.time()))
    typer.echo(_KEPT.format(url=scene.backend.rpc_url, folder=folder), err=True)
    go_on(market, lambda: int(time.time()), stop.wait)
