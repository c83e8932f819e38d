"""A devnet with the real contracts, and an account that provides liquidity on it."""

from __future__ import annotations

import atexit
import itertools
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from eth_account import Account
from eth_utils.crypto import keccak

from lpmanager.abi import Function
from lpmanager.amm import sqrt_price_at_tick
from lpmanager.chain.node import Node, Question, Receipt
from lpmanager.chain.pools import find_pool, read_pool
from lpmanager.chain.reader import Reader
from lpmanager.chain.sighting import Watch
from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.deploy import Deployment, MarketSpec, deploy, fund
from lpmanager.devnet.orders import AddLiquidity, Follow, Trade
from lpmanager.devnet.tester import EthTesterBackend
from lpmanager.model import (
    NATIVE,
    Liquidity,
    PoolKey,
    Snapshot,
    SqrtPriceX96,
    TickRange,
    Token,
    TokenCheck,
)
from lpmanager.venues import erc20
from lpmanager.venues.uniswap_v3 import INCREASE_EVENT, UniswapV3

GENESIS = 1_700_000_000
#: 199,000: about 2,277 USDC for one WETH
TICK = 199_000
PRICE = sqrt_price_at_tick(TICK)
ETHER = 10**18
_COLLECT = Function("collect((uint256,address,uint128,uint128))", "(uint256,uint256)")
_CREATE_POOL = Function("createPool(address,address,uint24)")
_INITIALIZE = Function("initialize(uint160)")
_SEND_NFT = Function("transferFrom(address,address,uint256)")
ALL = 2**128 - 1
#: An opening that has checked the tokens, so lately that no reading does so again.
CHECKED = TokenCheck(checked_at=2**40, refused=None)
#: anvil keeps the states of the newest 128 blocks, those that were taken back among them. With so
#: many in all uses, what a test may ask of those before is still there.
_MOST_BLOCKS = 40


@dataclass
class World:
    """The chain, its pool of USDC (token0) and WETH, and what others can do there."""

    backend: Backend
    deployment: Deployment
    controls: Controls = field(init=False)
    node: Node = field(init=False)

    def __post_init__(self) -> None:
        self.controls = Controls(self.backend)
        self.node = self.controls.node

    @property
    def pool(self) -> PoolKey:
        return self.deployment.pool

    @property
    def native(self) -> Token:
        return Token(chain_id=self.backend.chain_id, address=NATIVE, symbol="ETH", decimals=18)

    @property
    def venue(self) -> UniswapV3:
        made = self.deployment
        return UniswapV3(
            factory=made.factory,
            position_manager=made.position_manager,
            swap_router=made.swap_router,
            quoter=made.quoter,
            tick_lens=made.tick_lens,
            swap_router_has_deadline=True,
        )

    def trade(self, raw_in: int, *, zero_for_one: bool, pool: PoolKey | None = None) -> None:
        """Somebody sells USDC (zero_for_one) or WETH in the pool."""
        order = Trade(zero_for_one=zero_for_one, raw_in=raw_in)
        self._flow(order.calldata((pool or self.pool).address), "trade")

    def follow(self, price: SqrtPriceX96) -> None:
        """Somebody trades until the pool's price is this one."""
        order = Follow(zero_for_one=True, raw_in=1, target=price)
        self._flow(order.calldata(self.pool.address), "follow")

    def provide(self, lower: int, upper: int, liquidity: int, pool: PoolKey | None = None) -> None:
        """Somebody else provides liquidity."""
        order = AddLiquidity(range=TickRange(lower, upper), liquidity=Liquidity(liquidity))
        self._flow(order.calldata((pool or self.pool).address), "provide")

    def pass_time(self, seconds: int) -> None:
        self.controls.mine(self.node.head().timestamp + seconds)

    def new_account(self, name: str, usdc_raw: int, weth_raw: int) -> tuple[str, str]:
        """The address and key of an account made from a name, with tokens and coins for gas."""
        key = keccak(text=name)
        address = str(Account.from_key(key).address)
        self.controls.execute(self.backend.accounts[0], address, b"", value=ETHER, what="coins")
        fund(self.backend, self.deployment, address, self.pool.amounts(usdc_raw, weth_raw))
        return address, "0x" + key.hex()

    def mint(
        self, owner: str, text: str, usdc_raw: int, weth_raw: int, pool: PoolKey | None = None
    ) -> int:
        """Fund a dev account and let it mint a position; the NFT's id."""
        pool = pool or self.pool
        fund(self.backend, self.deployment, owner, self.pool.amounts(usdc_raw, weth_raw))
        manager = self.deployment.position_manager
        for token in (pool.token0, pool.token1):
            self.execute(owner, token.address, erc20.approve(manager, 2**255))
        lower, upper = (int(part) for part in text.strip("[)").split(", "))
        data = self.venue.mint(
            pool,
            TickRange(lower, upper),
            pool.amounts(usdc_raw, weth_raw),
            pool.amounts(0, 0),
            owner,
            2**40,
        )
        receipt = self.execute(owner, manager, data)
        (log,) = [e for e in receipt.logs if e.topics[0] == INCREASE_EVENT.topic]
        return int(log.topics[1], 16)

    def collect(self, owner: str, token_id: int) -> tuple[int, int]:
        """Collect a position's fees; what the pool really paid, by the tokens' balances."""
        before = self.balances(owner)
        manager = self.deployment.position_manager
        self.execute(owner, manager, _COLLECT.encode((token_id, owner, ALL, ALL)))
        after = self.balances(owner)
        return after[0] - before[0], after[1] - before[1]

    def close(self, owner: str, token_id: int, liquidity: int) -> None:
        data = self.venue.withdraw(token_id, liquidity, self.pool.amounts(0, 0), owner, 2**40)
        self.execute(owner, self.deployment.position_manager, data)

    def another_pool(self, fee_pips: int, price: SqrtPriceX96) -> PoolKey:
        """Of the same tokens, in which nobody has traded yet."""
        tokens = (self.pool.token0.address, self.pool.token1.address)
        deployer = self.backend.accounts[0]
        self.execute(deployer, self.deployment.factory, _CREATE_POOL.encode(*tokens, fee_pips))
        address = find_pool(self.node, self.venue, tokens, fee_pips)
        self.execute(deployer, address, _INITIALIZE.encode(price))
        return read_pool(self.node, self.venue, address)

    def give_nft(self, owner: str, to: str, token_id: int) -> None:
        data = _SEND_NFT.encode(owner, to, token_id)
        self.execute(owner, self.deployment.position_manager, data)

    def execute(self, owner: str, to: str, data: bytes) -> Receipt:
        return self.controls.execute(owner, to, data, what="test")

    def balances(self, account: str) -> tuple[int, int]:
        tokens = (self.pool.token0.address, self.pool.token1.address)
        found = self.node.call_many(
            [erc20.balance_of(token, account) for token in tokens], self.node.head()
        )
        return found[0], found[1]

    def watch(self, account: str, **changes: object) -> Watch:
        settings: dict[str, object] = {
            "pool": self.pool,
            "quote": self.pool.token0,
            "native": self.native,
            "wrapped_native": self.deployment.wrapped_native,
            "native_pool": None,
            "account": account,
            "vault": None,
            "positions": None,
            "twap_window_s": 60,
            "history_blocks": 50,
        }
        return Watch(**{**settings, **changes})

    def read(self, account: str, **changes: object) -> Snapshot:
        watch = self.watch(account, **changes)
        return Reader(self.node, self.venue, watch, lambda: 1_700_000_000, CHECKED).read()

    def _flow(self, data: bytes, what: str) -> None:
        self.controls.execute(
            self.backend.accounts[1], self.deployment.flow_trader, data, what=what
        )


@contextmanager
def a_world(
    backend: str = "eth-tester", *, oracle_slots: int = 100, trades: int = 0
) -> Iterator[World]:
    """A pool with others' liquidity from 190,000 to 208,000, whose oracle reaches back a minute. At
    last so many trades were made in it, to and fro."""
    if backend == "anvil":
        with _lent(oracle_slots, trades) as world:
            yield world
    else:
        yield deepcopy(_tester_world(oracle_slots, trades))


@dataclass
class _Kept:
    """A world on anvil that is set back after each use, as starting one and deploying on it takes
    longer than most of what is done there."""

    world: World
    open_now: ExitStack
    head: int = field(init=False)
    base_fee: str = field(init=False)
    snapshot: str = field(init=False)
    blocks: int = 0

    def __post_init__(self) -> None:
        self.head = self.world.node.head().number
        self.base_fee = self._ask("eth_getBlockByNumber", "pending", False)["baseFeePerGas"]

    def lend(self, use: int) -> World:
        """For the use of this number, which no other use has."""
        self.snapshot = self._ask("evm_snapshot")
        # anvil forgets the states of blocks it has seen before: no two uses may have one in common.
        self._ask("anvil_setCoinbase", f"0x{use:040x}")
        return World(self.world.backend, self.world.deployment)

    def set_back(self) -> bool:
        """Whether it is as it was, the states of old blocks too."""
        self.blocks += self.world.node.head().number - self.head
        self._ask("anvil_dropAllTransactions")
        self._ask("evm_revert", self.snapshot)
        self._ask("evm_setIntervalMining", 0)
        self._ask("evm_setAutomine", True)
        self._ask("anvil_setBlockTimestampInterval", 1)
        self._ask("anvil_setNextBlockBaseFeePerGas", self.base_fee)
        return self.blocks <= _MOST_BLOCKS

    def _ask(self, method: str, *params: object) -> Any:
        return self.world.node.ask(Question(method, list(params), lambda told: told))


#: By how they were made.
_idle: defaultdict[tuple[int, int], list[_Kept]] = defaultdict(list)
_uses = itertools.count(1)


@contextmanager
def _lent(oracle_slots: int, trades: int) -> Iterator[World]:
    idle = _idle[oracle_slots, trades]
    kept = idle.pop() if idle else _new_on_anvil(oracle_slots, trades)
    with kept.open_now as ending:
        yield kept.lend(next(_uses))
        if kept.set_back():
            kept.open_now = ending.pop_all()
            idle.append(kept)


def _new_on_anvil(oracle_slots: int, trades: int) -> _Kept:
    with ExitStack() as starting:
        chain = starting.enter_context(AnvilBackend(Fresh(genesis_timestamp=GENESIS)))
        world = _settled(chain, oracle_slots, trades)
        return _Kept(world, starting.pop_all())


@atexit.register
def _end_the_idle() -> None:
    for kept in itertools.chain(*_idle.values()):
        kept.open_now.close()


@cache
def _tester_world(oracle_slots: int, trades: int) -> World:
    """Made once, to be copied: py-evm takes its time to deploy, and a chain in this process is
    nothing but values."""
    return _settled(EthTesterBackend(GENESIS), oracle_slots, trades)


def _settled(chain: Backend, oracle_slots: int, trades: int) -> World:
    spec = MarketSpec(token0="USDC", fee_pips=500, sqrt_price_x96=PRICE, oracle_slots=oracle_slots)
    world = World(chain, deploy(chain, spec))
    world.provide(190_000, 208_000, 10**17)
    for _ in range(3):
        world.trade(10**6, zero_for_one=True)
        world.pass_time(60)
    for turn in range(trades):
        zero_for_one = turn % 2 == 0
        world.pass_time(180)
        world.trade(2 * 10**9 if zero_for_one else 10**18, zero_for_one=zero_for_one)
    return world
