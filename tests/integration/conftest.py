"""A devnet with a market on it, and desks of users who point `lpm` at it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_desk import ETHER, Desk, Devnet, give_tokens, new_desk

from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.deploy import MarketSpec, deploy
from lpmanager.devnet.flow_generated import GeneratedFlow, generated_flow
from lpmanager.devnet.market import Market
from lpmanager.devnet.orders import AddLiquidity
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

START = SqrtPriceX96(1662995104975155420368771254341874)
FLOW_BLOCKS = 120
FLOW_BLOCK_TIME_S = 12


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
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


@pytest.fixture
def desk(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """A desk with 50,000 USDC and 22 WETH, and native coin for gas."""
    made = new_desk(devnet, tmp_path, request.node.nodeid)
    devnet.give_native(made.account, 10 * ETHER)
    give_tokens(made, 50_000 * 10**6, 22 * ETHER)
    return made


@pytest.fixture
def poor_desk(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """A desk whose account holds nothing at all."""
    return new_desk(devnet, tmp_path, request.node.nodeid)
