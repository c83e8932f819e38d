"""Gas of one full rebalance (burn, collect, swap, mint): the vault against the ways without one.

Run: make bench. Each way starts from the same pool, the same range with the same fees, swaps the
same amount and opens the same new range, on the published bytecode, on anvil. A way without a vault
is counted twice: with allowances that stand for good, as the usual bots leave them, and with exact
ones that are taken back, as the wallet's executor leaves none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from lpmanager.abi import Function
from lpmanager.amm import sqrt_price_at_tick
from lpmanager.chain.artifacts import own_artifact
from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.deploy import Deployment, MarketSpec, created_address, deploy, fund
from lpmanager.model import (
    Amount,
    Amounts,
    Mint,
    PoolKey,
    SqrtPriceX96,
    Swap,
    SwapPurpose,
    TickRange,
    VaultBounds,
)
from lpmanager.venues import erc20, liquidity_vault
from lpmanager.venues.liquidity_vault import Rebalance
from lpmanager.venues.uniswap_v3 import UniswapV3

BEGINS_AT = 1_700_000_000
NEVER = 2**63
EVERYTHING = 2**256 - 1
GOAL = 0.60

#: About 5,000 USDC for a WETH, USDC being token0.
PRICE = sqrt_price_at_tick(191_140)
OLD, NEW = TickRange(190_140, 192_140), TickRange(190_240, 192_240)
WIDE = TickRange(-887_220, 887_220)
OTHERS_LIQUIDITY = 10**18
DEPOSIT = (100_000 * 10**6, 20 * 10**18)
SOLD = 1_000 * 10**6
FLOW = ((True, 50_000 * 10**6), (False, 10 * 10**18)) * 4

_DECREASE = Function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))")
_BURN = Function("burn(uint256)")
_TRADE = Function("swap(address,bool,int256,uint160)")
_ADD = Function("mint(address,int24,int24,uint128)")
_TRANSFER = Function("transfer(address,uint256)")
_LOWEST, _HIGHEST = 4295128739, 1461446703485210103287273052203988822378723970342


@dataclass
class Desk:
    """A market with a history, and an account of its own that has `DEPOSIT`."""

    backend: Backend
    controls: Controls
    deployment: Deployment
    account: str
    now: int = BEGINS_AT
    spent: list[int] = field(default_factory=list)

    @property
    def pool(self) -> PoolKey:
        return self.deployment.pool

    @property
    def venue(self) -> UniswapV3:
        d = self.deployment
        return UniswapV3(
            factory=d.factory,
            position_manager=d.position_manager,
            swap_router=d.swap_router,
            quoter=d.quoter,
            tick_lens=d.tick_lens,
            swap_router_has_deadline=True,
        )

    def send(self, to: str | None, data: bytes, sender: str | None = None) -> int:
        """The gas of a transaction, a minute after the last one."""
        self.now += 60
        self.controls.set_next_timestamp(self.now)
        done = self.controls.execute(sender or self.account, to, data, what="a step of the bench")
        return done.gas_used

    def pay(self, to: str | None, data: bytes) -> None:
        """A transaction of the rebalance that is measured."""
        self.spent.append(self.send(to, data))

    def holds(self) -> Amounts:
        node = self.controls.node
        tokens = (self.pool.token0.address, self.pool.token1.address)
        calls = [erc20.balance_of(token, self.account) for token in tokens]
        return self.pool.amounts(*node.call_many(calls, node.head()))

    def trade(self) -> None:
        """What others do: swaps that pay fees, and end where they began but for these."""
        for zero_for_one, amount in FLOW:
            limit = _LOWEST + 1 if zero_for_one else _HIGHEST - 1
            data = _TRADE.encode(self.pool.address, zero_for_one, amount, limit)
            self.send(self.deployment.flow_trader, data)


def a_desk(backend: Backend) -> Desk:
    spec = MarketSpec(token0="USDC", fee_pips=500, sqrt_price_x96=PRICE, oracle_slots=100)
    deployment = deploy(backend, spec)
    desk = Desk(backend, Controls(backend), deployment, backend.accounts[1])
    desk.now = desk.controls.node.head().timestamp
    trader, pool = deployment.flow_trader, deployment.pool
    desk.send(trader, _ADD.encode(pool.address, WIDE.lower, WIDE.upper, OTHERS_LIQUIDITY))
    fund(backend, deployment, desk.account, pool.amounts(*DEPOSIT))
    return desk


@dataclass(frozen=True)
class Allowing:
    """How the periphery comes to be allowed to take tokens."""

    once: Callable[[Desk], None]
    before: Callable[[Desk, str, int, int], None]
    after: Callable[[Desk, str], None]


def allow_for_good(desk: Desk) -> None:
    for spender in (desk.venue.swap_router, desk.venue.position_manager):
        for token in (desk.pool.token0, desk.pool.token1):
            desk.send(token.address, erc20.approve(spender, EVERYTHING))


def allow_exactly(desk: Desk, spender: str, raw0: int, raw1: int) -> None:
    for token, raw in ((desk.pool.token0, raw0), (desk.pool.token1, raw1)):
        if raw:
            desk.pay(token.address, erc20.approve(spender, raw))


def take_back(desk: Desk, spender: str) -> None:
    node = desk.controls.node
    for token in (desk.pool.token0, desk.pool.token1):
        left = erc20.allowance(token.address, desk.account, spender)
        if node.call(left, node.head()):
            desk.pay(token.address, erc20.approve(spender, 0))


STANDING = Allowing(allow_for_good, lambda *_: None, lambda *_: None)
EXACT = Allowing(lambda _: None, allow_exactly, take_back)


def in_steps(desk: Desk, allowing: Allowing) -> None:
    """Each step a transaction: decrease, collect, burn the NFT, swap, mint."""
    token_id, liquidity = open_by_manager(desk)
    allowing.once(desk)
    desk.trade()
    manager = desk.venue.position_manager
    desk.pay(manager, _DECREASE.encode((token_id, liquidity, 1, 1, NEVER)))
    desk.pay(manager, desk.venue.collect(token_id, desk.account))
    desk.pay(manager, _BURN.encode(token_id))
    swap_and_mint(desk, allowing)


def in_multicalls(desk: Desk, allowing: Allowing) -> None:
    """As few transactions as the periphery allows: it cannot swap and mint in one."""
    token_id, liquidity = open_by_manager(desk)
    allowing.once(desk)
    desk.trade()
    minimum = desk.pool.amounts(1, 1)
    data = desk.venue.withdraw(token_id, liquidity, minimum, desk.account, NEVER)
    desk.pay(desk.venue.position_manager, data)
    swap_and_mint(desk, allowing)


def by_vault(desk: Desk) -> None:
    """All in one transaction."""
    pool, least = desk.pool, desk.pool.amounts(1, 1)
    vault = a_vault(desk)
    for token, raw in zip((pool.token0, pool.token1), desk.holds().raw, strict=True):
        desk.send(token.address, _TRANSFER.encode(vault, raw))
    first = Mint(range=OLD, desired=pool.amounts(*DEPOSIT), minimum=least)
    nothing = pool.amounts(0, 0)
    opening = Rebalance(keep=0, burn_minimum=nothing, swap=None, mints=(first,))
    desk.send(vault, liquidity_vault.rebalance(0, opening, NEVER))
    desk.trade()
    swap = Swap(
        purpose=SwapPurpose.RERANGE,
        amount_in=Amount(pool.token0, SOLD),
        expected_out=Amount(pool.token1, 1),
        minimum_out=Amount(pool.token1, 1),
        sqrt_price_limit_x96=SqrtPriceX96(_LOWEST + 1),
    )
    second = Mint(range=NEW, desired=pool.amounts(2**128, 2**128), minimum=least)
    order = Rebalance(keep=0, burn_minimum=least, swap=swap, mints=(second,))
    desk.pay(vault, liquidity_vault.rebalance(1, order, NEVER))


def a_vault(desk: Desk) -> str:
    """A vault whose operator the account is, with bounds as loose as the contract lets them be."""
    sender = desk.account
    bounds = VaultBounds(
        twap_window_s=60,
        max_deviation_ticks=200,
        min_width_ticks=10,
        max_move_ticks=10_000,
        cooldown_s=60,
        max_loss_per_call_pips=50_000,
        max_loss_per_day_pips=50_000,
    )
    places = desk.deployment.factory, desk.pool.address, sender, sender, sender
    arguments = *places, liquidity_vault.bounds_words(bounds)
    code = own_artifact("LiquidityVault").creation(liquidity_vault.CONSTRUCTOR, arguments)
    nonce = desk.controls.nonce(sender)
    desk.send(None, code)
    return created_address(sender, nonce)


def open_by_manager(desk: Desk) -> tuple[int, int]:
    """The id and the liquidity of the account's position."""
    manager, node = desk.venue.position_manager, desk.controls.node
    allow_for_good(desk)
    held, least = desk.holds(), desk.pool.amounts(1, 1)
    desk.send(manager, desk.venue.mint(desk.pool, OLD, held, least, desk.account, NEVER))
    for spender in (desk.venue.swap_router, manager):
        for token in (desk.pool.token0, desk.pool.token1):
            desk.send(token.address, erc20.approve(spender, 0))
    token_id = node.call(desk.venue.position_id(desk.account, 0), node.head())
    return token_id, node.call(desk.venue.position(token_id), node.head()).liquidity


def swap_and_mint(desk: Desk, allowing: Allowing) -> None:
    pool, venue = desk.pool, desk.venue
    allowing.before(desk, venue.swap_router, SOLD, 0)
    data = venue.swap_exact_input(
        pool.token0.address,
        pool.token1.address,
        pool.fee_pips,
        recipient=desk.account,
        deadline=NEVER,
        raw_in=SOLD,
        minimum_raw_out=1,
        sqrt_price_limit_x96=SqrtPriceX96(_LOWEST + 1),
    )
    desk.pay(venue.swap_router, data)
    held = desk.holds()
    allowing.before(desk, venue.position_manager, *held.raw)
    least = pool.amounts(1, 1)
    desk.pay(venue.position_manager, venue.mint(pool, NEW, held, least, desk.account, NEVER))
    allowing.after(desk, venue.position_manager)


WAYS: dict[str, Callable[[Desk], None]] = {
    "vault": by_vault,
    "separate steps, standing allowances": lambda desk: in_steps(desk, STANDING),
    "separate steps, exact allowances": lambda desk: in_steps(desk, EXACT),
    "multicalls, standing allowances": lambda desk: in_multicalls(desk, STANDING),
    "multicalls, exact allowances": lambda desk: in_multicalls(desk, EXACT),
}


def main() -> None:
    spent = {}
    for name, way in WAYS.items():
        with AnvilBackend(Fresh(genesis_timestamp=BEGINS_AT)) as backend:
            desk = a_desk(backend)
            way(desk)
        spent[name] = desk.spent
    vault = sum(spent["vault"])
    for name, gas in spent.items():
        share = f"{vault / sum(gas):.0%} of it by the vault"
        steps = f"{len(gas)} transactions" if len(gas) > 1 else "1 transaction"
        sys.stdout.write(f"{name:36} {sum(gas):>9,} gas, {steps:15} {share}\n")
    ratio = vault / sum(spent["separate steps, standing allowances"])
    sys.stdout.write(f"goal: at most {GOAL:.0%} of the separate steps, found {ratio:.1%}\n")


main()
