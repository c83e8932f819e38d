"""Where a simulation takes place: a pool on an embedded chain, its market, and a manager's desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import assert_never

from lpmanager.chain.node import Node
from lpmanager.config import load
from lpmanager.desk.markets import configured_pool
from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.backend import Backend
from lpmanager.devnet.backend_names import BackendName
from lpmanager.devnet.configuration import write_configuration
from lpmanager.devnet.deploy import MarketSpec, deploy, fund
from lpmanager.devnet.flow_generated import Habits, generated_flow, habitual_flow
from lpmanager.devnet.forked import deal, fork_manager, set_up_trader
from lpmanager.devnet.funds import funds_in
from lpmanager.devnet.manager import MANAGER_KEY, dev_manager
from lpmanager.devnet.market import Market, Place
from lpmanager.devnet.scripts import FEE_PIPS, Script
from lpmanager.devnet.tester import EthTesterBackend
from lpmanager.execution.signer import Signer
from lpmanager.model import Liquidity, SqrtPriceX96
from lpmanager.model.units import DAY_S
from lpmanager.settings import AccountTable, Settings
from lpmanager.venues import uniswap_v3

#: Observations the pool's oracle can keep: enough for its TWAP whatever the blocks' times.
_ORACLE_SLOTS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A market on a running chain, and the manager who is to work in it: settings and key."""

    backend: Backend
    settings: Settings
    campaign: str
    market: Market
    place: Place
    signer: Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the manager is given: a campaign's name, its table from the policy on (TOML), how often
    to look, and tokens by symbol."""

    campaign: str
    table: str
    every_s: int
    funds: Mapping[str, str]


def new_chain(name: BackendName, script: Script) -> Backend:
    """A chain that begins a day before the script's first block, so that there is history."""
    genesis = script.opening - DAY_S
    match name:
        case BackendName.ANVIL:
            return AnvilBackend(Fresh(genesis_timestamp=genesis))
        case BackendName.ETH_TESTER:
            return EthTesterBackend(genesis)
        case _ as never:
            assert_never(never)


def new_scene(backend: Backend, folder: Path, script: Script, job: Job) -> Scene:
    """Deploy everything on an empty chain, pay the manager, and write its files into `folder`."""
    spec = MarketSpec(
        token0="USDC",
        fee_pips=FEE_PIPS,
        sqrt_price_x96=script.start_sqrt_price_x96,
        oracle_slots=_ORACLE_SLOTS,
    )
    deployment = deploy(backend, spec)
    signer = dev_manager()
    fund(backend, deployment, signer.address, funds_in(deployment.pool, job.funds))
    market = Market(backend, deployment, islice(script.blocks, script.block_count))
    market.provide(script.profile)
    path = write_configuration(
        folder,
        deployment,
        account=signer.address,
        campaign=job.campaign,
        policy=job.table,
        every_s=job.every_s,
        block_time_s=script.block_time_s,
        rpc_url=backend.rpc_url,
        private_key=MANAGER_KEY,
    )
    return Scene(
        backend=backend,
        settings=load(path),
        campaign=job.campaign,
        market=market,
        place=deployment,
        signer=signer,
    )


def forked_scene(
    backend: Backend,
    folder: Path,
    settings: Settings,
    campaign: str,
    funds: Mapping[str, str],
    habits: Habits,
) -> Scene:
    """The campaign's pool on a fork, as it stands, with made-up flow around its price.

    The manager is a new account paid with `funds`, all of which belongs to the campaign; its books
    begin empty in `folder`.
    """
    node = Node(backend.transport, backend.chain_id)
    chain, table = settings.chain_of(campaign), settings.campaigns[campaign]
    node.check_chain()
    pool = configured_pool(table, chain, node)
    place, signer = set_up_trader(backend, pool), fork_manager(backend)
    deal(backend, signer.address, funds_in(pool, funds))
    head = node.head()
    slot0, liquidity = node.call_many(
        [uniswap_v3.slot0(pool.address), uniswap_v3.liquidity(pool.address)], head
    )
    flow = habitual_flow(
        habits,
        start_timestamp=head.timestamp + habits.block_time_s,
        start_sqrt_price_x96=SqrtPriceX96(slot0.sqrt_price_x96),
        liquidity=Liquidity(liquidity),
        fee_pips=pool.fee_pips,
    )
    store = f"sqlite:///{folder / 'lpmanager.db'}"
    return Scene(
        backend=backend,
        settings=_for_manager(settings, campaign, signer.address, store),
        campaign=campaign,
        market=Market(backend, place, generated_flow(flow)),
        place=place,
        signer=signer,
    )


def _for_manager(settings: Settings, campaign: str, account: str, store: str) -> Settings:
    """The campaign alone, for another account: with its own books, and with all that it holds."""
    table = settings.campaigns[campaign].model_copy(update={"positions": None, "budget": None})
    changed = {
        "store": store,
        "account": AccountTable(address=account),
        "campaigns": {campaign: table},
    }
    return settings.model_copy(update=changed)
