"""Desks of users who point `lpm` at a devnet on which a pool has traded."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import structlog
from eth_account import Account
from eth_utils.crypto import keccak

from lpmanager.cli.main import main
from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.configuration import write_configuration
from lpmanager.devnet.deploy import Deployment, MarketSpec, deploy, fund
from lpmanager.devnet.flow_generated import GeneratedFlow, generated_flow
from lpmanager.devnet.market import Market
from lpmanager.devnet.orders import AddLiquidity
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

ETHER = 10**18
START = SqrtPriceX96(1662995104975155420368771254341874)
FLOW_BLOCKS = 120
FLOW_BLOCK_TIME_S = 12

POLICY = """\
policy = "fixed_width"
[campaigns.main.options]
half_width_ticks = 600
deploy = "0.8"
[campaigns.main.limits]
max_swap_cost_per_day = "1000"
max_head_age_s = "5m"
plan_ttl_s = "10m"
min_interval_s = 0
history_s = "30m"
hedge_band = "0.4"
"""


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Devnet:
    """A chain whose pool has traded for a while and whose newest block is of now."""

    backend: Backend
    deployment: Deployment

    @property
    def controls(self) -> Controls:
        return Controls(self.backend)

    def refresh(self) -> None:
        """Mine a block of now: a devnet on which nothing happens grows old."""
        self.controls.mine(max(int(time.time()), self.controls.node.head().timestamp + 1))

    def give_native(self, account: str, wei: int) -> None:
        self.controls.execute(self.backend.accounts[0], account, b"", value=wei, what="native")


@contextlib.contextmanager
def a_devnet() -> Iterator[Devnet]:
    """An anvil with the real contracts, traded on for a while up to now."""
    began = int(time.time()) - 2 * 3600
    with AnvilBackend(Fresh(genesis_timestamp=began)) as backend:
        spec = MarketSpec(token0="USDC", fee_pips=500, sqrt_price_x96=START, oracle_slots=200)
        deployment = deploy(backend, spec)
        flow = GeneratedFlow(
            seed=5,
            start_timestamp=int(time.time()) - FLOW_BLOCKS * FLOW_BLOCK_TIME_S - 60,
            block_time_s=FLOW_BLOCK_TIME_S,
            blocks=FLOW_BLOCKS,
            start_sqrt_price_x96=START,
            fee_pips=500,
            volatility=0.04,
            jumps_per_day=0.0,
            jump_volatility=0.0,
            noise_trades_per_block=2.0,
            noise_median_raw1=20 * ETHER,
            noise_spread=1.0,
        )
        market = Market(backend, deployment, generated_flow(flow))
        for lower, upper in ((-887_270, 887_270), (195_000, 203_000)):
            tick_range = TickRange(lower, upper)
            market.provide([AddLiquidity(range=tick_range, liquidity=Liquidity(ETHER))])
        market.advance_until(int(time.time()))
        yield Devnet(backend, deployment)


@dataclass(frozen=True)
class Desk:
    """A user's folder with a configuration, and an account of their own."""

    devnet: Devnet
    folder: Path
    account: str
    key: str

    @property
    def config(self) -> Path:
        return self.folder / "lpmanager.toml"

    def edit(self, old: str, new: str) -> None:
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))

    def lpm(self, *arguments: str, **variables: str) -> Done:
        """Type `lpm ...` in the folder, on a chain whose newest block is of now."""
        self.devnet.refresh()
        return typed(self.folder, *arguments, **variables)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """As `lpm`, in a process of its own, not waiting for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "lpmanager.cli.main", *arguments],
            cwd=self.folder,
            env=surroundings(variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, *arguments: str) -> Any:
        """What `lpm ... --json` says of the campaign, once it has ended well."""
        done = self.lpm(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def typed(
    folder: Path, *arguments: str, program: Callable[[], object] = main, **variables: str
) -> Done:
    """Type `lpm ...`, or another program, in a folder. This process carries it out: one of its own
    takes a second to start."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, surroundings(variables), clear=True),
        mock.patch.object(sys, "argv", ["lpm", *arguments]),
        mock.patch.object(sys, "path", list(sys.path)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            program()
        except SystemExit as stop:
            code = stop.code
        finally:
            structlog.reset_defaults()
    assert isinstance(code, int)
    return Done(code, out.getvalue(), err.getvalue())


def surroundings(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment without variables of ours, on a terminal 100 columns wide."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("LPM_")}
    return others | {"COLUMNS": "100"} | variables


def give_tokens(desk: Desk, usdc_raw: int, weth_raw: int) -> None:
    deployment = desk.devnet.deployment
    amounts = deployment.pool.amounts(usdc_raw, weth_raw)
    fund(desk.devnet.backend, deployment, desk.account, amounts)


def new_desk(devnet: Devnet, folder: Path, name: str) -> Desk:
    """A folder with a configuration for an account of its own, made from the name."""
    key = keccak(text=name)
    account = str(Account.from_key(key).address)
    assert devnet.backend.rpc_url is not None
    write_configuration(
        folder,
        devnet.deployment,
        account=account,
        campaign="main",
        policy=POLICY,
        every_s=1,
        block_time_s=1,
        rpc_url=devnet.backend.rpc_url,
        private_key="0x" + key.hex(),
    )
    return Desk(devnet=devnet, folder=folder, account=account, key="0x" + key.hex())


def a_funded_desk(devnet: Devnet, folder: Path, name: str) -> Desk:
    """A desk with 50,000 USDC and 22 WETH, and native coin for gas."""
    made = new_desk(devnet, folder, name)
    devnet.give_native(made.account, 10 * ETHER)
    give_tokens(made, 50_000 * 10**6, 22 * ETHER)
    return made
