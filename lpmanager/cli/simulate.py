"""`lpm simulate`: a manager in a recorded market, a made-up one, or on a fork of a real one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.option_texts import assignments, seconds
from lpmanager.cli.options import AsJson, load_settings
from lpmanager.devnet.backend_names import BackendName
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from threading import Event

    from lpmanager.devnet.flow_generated import Habits
    from lpmanager.devnet.scenes import Scene
    from lpmanager.settings import CampaignTable, Settings

_CAMPAIGN = "simulation"

#: 2024-01-05 00:00 UTC, when a made-up market opens.
_OPENING = 1_704_412_800

Flow = Annotated[
    Path | None,
    typer.Option("--flow", help="A recorded day of a USDC/WETH 0.05 % pool: a CSV of its events."),
]
#: In the place of a URL: a key that is typed stands in the list of processes.
_CONFIGURED = "rpc"
Fork = Annotated[
    str | None,
    typer.Option(
        "--fork",
        metavar="rpc|URL",
        help="An RPC whose chain is copied; `rpc` for that of --config, whose key nobody sees.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Take policy and limits from here; with --fork the pool."),
]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help="An option of the policy; repeatable."),
]
Funds = Annotated[
    list[str] | None,
    typer.Option("--funds", metavar='"50000 USDC"', help="What it starts with; repeatable."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is asked for beside the market itself. `funds` is None for the default."""

    config: Path | None
    campaign: str | None
    policy: str | None
    options: Mapping[str, object]
    every_s: int
    funds: Mapping[str, str] | None
    habits: Habits
    as_json: bool


def simulate(
    flow: Flow = None,
    fork: Fork = None,
    block: Annotated[
        int | None, typer.Option("--block", help="With --fork: as of this block.")
    ] = None,
    config: Config = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="Which campaign of --config.")
    ] = None,
    policy: Annotated[str | None, typer.Option("--policy", help="Another policy.")] = None,
    option: Options = None,
    every: Annotated[str, typer.Option("--every", help="How often the manager looks.")] = "10m",
    funds: Funds = None,
    seed: Annotated[int, typer.Option("--seed", help="Of a made-up market.")] = 1,
    blocks: Annotated[
        int, typer.Option("--blocks", min=1, help="Of a made-up market: one a minute.")
    ] = 720,
    volatility: Annotated[
        float, typer.Option("--volatility", min=0.0, help="Of a made-up market, per day.")
    ] = 0.03,
    backend: Annotated[
        BackendName, typer.Option("--backend", help="What runs the chain.")
    ] = BackendName.ANVIL,
    as_json: AsJson = False,
) -> None:
    """Run a manager on an embedded chain with the real contracts, in block time, and close its
    books.

    With --flow every recorded swap, mint and burn is carried out; with --fork the market is made up
    around the price of the configured pool; else in a new pool. In the result, `hodl` is the price
    move of what was deposited.
    """
    from lpmanager.devnet.flow_generated import Habits
    from lpmanager.devnet.funds import parse_funds
    from lpmanager.scheduler import stop_on_signal

    if flow is not None and fork is not None:
        raise UsageError("give --flow or --fork, not both")
    if block is not None and fork is None:
        raise UsageError("--block is for --fork")
    if fork is not None and backend is not BackendName.ANVIL:
        raise UsageError("--fork needs --backend anvil: only it can copy a chain")
    wish = _Wish(
        config=config,
        campaign=campaign,
        policy=policy,
        options=assignments("--option", option or (), "half_width_ticks=300"),
        every_s=seconds("--every", every),
        funds=parse_funds(funds) if funds else None,
        habits=Habits(seed=seed, blocks=blocks, volatility=volatility),
        as_json=as_json,
    )
    with stop_on_signal() as stop, tempfile.TemporaryDirectory(prefix="lpm-simulate-") as folder:
        if fork is None:
            _on_new_chain(flow, backend, wish, Path(folder), stop)
        else:
            _on_fork(fork, block, wish, Path(folder), stop)


def _on_new_chain(
    flow: Path | None, backend: BackendName, wish: _Wish, folder: Path, stop: Event
) -> None:
    from lpmanager.devnet.scenes import Job, new_chain, new_scene
    from lpmanager.devnet.scripts import generated_script, recorded_script
    from lpmanager.devnet.terms import DEFAULT_FUNDS, default_table

    told = None if wish.config is None else _told(wish.config, wish.campaign)
    name = _CAMPAIGN if told is None else told[1]
    script = generated_script(wish.habits, _OPENING) if flow is None else recorded_script(flow)
    job = Job(
        campaign=name,
        table=default_table(name),
        every_s=wish.every_s,
        funds=wish.funds or DEFAULT_FUNDS,
    )
    with new_chain(backend, script) as chain:
        scene = new_scene(chain, folder, script, job)
        terms = (scene.settings if told is None else told[0]).campaigns[name]
        _play(scene, terms, script.block_count, wish, stop)


def _on_fork(url: str, block: int | None, wish: _Wish, folder: Path, stop: Event) -> None:
    from lpmanager.config import rpc_url
    from lpmanager.devnet.anvil import AnvilBackend, Fork
    from lpmanager.devnet.scenes import forked_scene

    if wish.config is None:
        raise UsageError("--fork needs --config: its campaign names the pool")
    settings, name = _told(wish.config, wish.campaign)
    terms = settings.campaigns[name]
    funds = wish.funds or terms.budget
    if funds is None:
        raise UsageError(
            f"campaigns.{name} has no budget, so say what it starts with: --funds '22 WETH'"
        )
    if url == _CONFIGURED:
        url = rpc_url(settings, settings.chain_of(name))
    with AnvilBackend(Fork(url=url, block=block)) as chain:
        scene = forked_scene(chain, folder, settings, name, funds, wish.habits)
        _play(scene, terms, wish.habits.blocks, wish, stop)


def _play(scene: Scene, terms: CampaignTable, block_count: int, wish: _Wish, stop: Event) -> None:
    """Run the manager on these terms, with what was wished changed in them."""
    from lpmanager.cli.playing import play, present
    from lpmanager.devnet.terms import with_policy, with_terms

    terms = with_policy(terms, wish.policy, wish.options)
    settings = with_terms(scene.settings, scene.campaign, terms)
    summary, seconds = play(replace(scene, settings=settings), wish.every_s, block_count, stop)
    more = {
        "backend": scene.backend.name,
        "policy": terms.policy,
        "seconds": round(seconds, 2),
        "swaps_per_second": round(summary.market.swaps / seconds, 1),
    }
    present(summary, more, as_json=wish.as_json)


def _told(config: Path, campaign: str | None) -> tuple[Settings, str]:
    """The settings of a file, and which campaign of it is meant."""
    settings = load_settings(config)
    names = list(settings.campaigns)
    if campaign is None and len(names) == 1:
        return settings, names[0]
    if campaign not in names:
        raise UsageError(f"--campaign: name one of {config}: {', '.join(names)}")
    return settings, campaign
