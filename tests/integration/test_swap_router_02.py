"""Base, BNB and Sepolia have only SwapRouter02, whose deadline is in its multicall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lpmanager.chain.artifacts import read_artifact
from lpmanager.chain.node import Node
from lpmanager.chain.presets import presets
from lpmanager.devnet.backend import Controls
from lpmanager.devnet.deploy import Deployment, MarketSpec, created_address, deploy, fund
from lpmanager.devnet.market import Market
from lpmanager.devnet.orders import AddLiquidity
from lpmanager.devnet.tester import EthTesterBackend
from lpmanager.errors import TransactionFailed
from lpmanager.execution.calldata import main_call
from lpmanager.model import Amount, Liquidity, SqrtPriceX96, Swap, SwapPurpose, TickRange
from lpmanager.venues import erc20
from lpmanager.venues.uniswap_v3 import UniswapV3

GENESIS = 1_700_000_000
PRICE = SqrtPriceX96(1662995104975155420368771254341874)
ARTIFACT = (
    Path(__file__).parents[2]
    / "contracts/node_modules/@uniswap/swap-router-contracts"
    / "artifacts/contracts/SwapRouter02.sol/SwapRouter02.json"
)


class World:
    """A devnet whose swap router is the real SwapRouter02, and an account with tokens."""

    def __init__(self, backend: EthTesterBackend) -> None:
        spec = MarketSpec(token0="USDC", fee_pips=500, sqrt_price_x96=PRICE, oracle_slots=1)
        deployed = deploy(backend, spec)
        Market(backend, deployed, []).provide(
            [AddLiquidity(range=TickRange(198000, 200000), liquidity=Liquidity(10**18))]
        )
        self.controls = Controls(backend)
        self.node = Node(backend.transport, backend.chain_id)
        self.account = backend.accounts[3]
        self.pool = deployed.pool
        self.venue = self._venue(backend, deployed)
        fund(backend, deployed, self.account, self.pool.amounts(10**9, 0))

    def _venue(self, backend: EthTesterBackend, deployed: Deployment) -> UniswapV3:
        creator = backend.accounts[4]
        arguments = (
            "0x" + "00" * 20,
            deployed.factory,
            deployed.position_manager,
            deployed.wrapped_native,
        )
        creation = read_artifact(ARTIFACT).creation(("address",) * 4, arguments)
        router = created_address(creator, self.controls.nonce(creator))
        self.controls.execute(creator, None, creation, what="deploy SwapRouter02")
        return UniswapV3(
            factory=deployed.factory,
            position_manager=deployed.position_manager,
            swap_router=router,
            quoter=deployed.quoter,
            tick_lens=deployed.tick_lens,
            swap_router_has_deadline=False,
        )

    def swap(self, raw_in: int) -> Swap:
        return Swap(
            purpose=SwapPurpose.HEDGE,
            amount_in=Amount(self.pool.token0, raw_in),
            expected_out=Amount(self.pool.token1, 1),
            minimum_out=Amount(self.pool.token1, 1),
            sqrt_price_limit_x96=SqrtPriceX96(PRICE - 10**30),
        )

    def send(self, action: Swap, deadline: int) -> None:
        token = action.amount_in.token.address
        allow = erc20.approve(self.venue.swap_router, action.amount_in.raw)
        self.controls.execute(self.account, token, allow, what="approve")
        call = main_call(action, self.venue, self.pool, self.account, deadline)
        self.controls.execute(self.account, call.to, call.data, what=call.what)

    def received(self) -> int:
        balance = erc20.balance_of(self.pool.token1.address, self.account)
        return self.node.call(balance, self.node.head())


@pytest.fixture
def world() -> Iterator[World]:
    with EthTesterBackend(GENESIS) as backend:
        yield World(backend)


def test_the_real_router_takes_our_swap(world: World) -> None:
    world.send(world.swap(10**9), deadline=world.node.head().timestamp + 60)
    assert world.received() > 0


def test_a_swap_past_its_deadline_is_refused(world: World) -> None:
    with pytest.raises(TransactionFailed):
        world.send(world.swap(10**9), deadline=world.node.head().timestamp - 1)
    assert world.received() == 0


def test_the_other_routers_calldata_would_not_pass(world: World) -> None:
    world.venue = replace(world.venue, swap_router_has_deadline=True)
    with pytest.raises(TransactionFailed):
        world.send(world.swap(10**9), deadline=world.node.head().timestamp + 60)


def test_presets_say_which_router_they_have() -> None:
    with_02 = {name for name, c in presets().items() if not c.uniswap_v3.swap_router_has_deadline}
    assert with_02 == {"base", "bnb", "sepolia"}
