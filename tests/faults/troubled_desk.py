"""A campaign that runs live on anvil through RPCs that lie, and what the chain says it did."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from empty_store import put_empty_store
from eth_account import Account
from eth_utils.crypto import keccak
from faults.fault_proxy import (
    SEND,
    Fault,
    FaultProxy,
    Json,
    fault_proxy,
    newest_time,
    upstream,
)
from vault_world import deploy_vault
from whole_intents import whole_intents

from lpmanager.amm import sqrt_price_at_tick
from lpmanager.chain.node import Question
from lpmanager.config import load
from lpmanager.cycle import Campaign, run_cycle
from lpmanager.desk.campaigns import open_campaign
from lpmanager.desk.markets import open_market
from lpmanager.desk.nodes import open_node
from lpmanager.desk.signing import open_custody
from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.configuration import write_configuration
from lpmanager.devnet.deploy import Deployment, MarketSpec, deploy, fund
from lpmanager.devnet.flow_generated import GeneratedFlow, generated_flow
from lpmanager.devnet.market import Market
from lpmanager.devnet.orders import AddLiquidity, KeepWithin, Order, Trade
from lpmanager.errors import ChainError
from lpmanager.execution.fees import FeePolicy
from lpmanager.execution.intent import Intent
from lpmanager.execution.moves import Pace
from lpmanager.execution.sender import SendPolicy
from lpmanager.execution.signer import signer_from_clear_key
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.model import Hold, Liquidity, SqrtPriceX96, TickRange
from lpmanager.settings import Settings
from lpmanager.venues import erc20, liquidity_vault, uniswap_v3
from lpmanager.venues.uniswap_v3 import ManagedPosition, position_in_pool, slot0

ETHER = 10**18
BLOCK_TIME_S = 12
COINS = 10 * ETHER
TIMEOUT_S = 1.0
_GENESIS = 1_700_000_000
_BLOCKS_AT_ONCE = 50
_START = SqrtPriceX96(1662995104975155420368771254341874)
_KEY = keccak(text="troubled")
_ACCOUNT = str(Account.from_key(_KEY).address)
#: Of the dev accounts one that does nothing else.
_OWNER = 3
NAME = "main"

#: Where nothing happens meanwhile: to re-range, to hedge, to see that nothing is left to do, and
#: one to spare.
_MOST_CYCLES = 4
_MOST_PLANS_OF_A_VAULT = 2
_A_WHILE_S = 5 * BLOCK_TIME_S

TERMS = """\
policy = "fixed_width"
[campaigns.main.options]
half_width_ticks = 600
deploy = "0.8"
[campaigns.main.limits]
max_swap_cost_per_day = "1000"
plan_ttl_s = "10m"
min_interval_s = 0
history_s = "45m"
hedge_band = "0.4"
"""

#: A block is mined as soon as there is a transaction, so waiting is short.
_PATIENCE = SendPolicy(
    timeout_s=0.5,
    poll_s=0.01,
    confirmations=1,
    fees=FeePolicy(cap=10**12),
    pace=Pace(bump_after_s=10 * BLOCK_TIME_S),
)


@dataclass(frozen=True)
class Stage:
    """A market on anvil in simulated time, twelve seconds a block, set back before each run.

    `vault` holds the tokens and positions in the account's place, where there is one.
    """

    backend: Backend
    deployment: Deployment
    upstream: Callable[[Sequence[Json]], list[Json]]
    vault: str | None = None
    runs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def controls(self) -> Controls:
        return Controls(self.backend)

    @property
    def account(self) -> str:
        return _ACCOUNT

    @property
    def holder(self) -> str:
        return self.vault or self.account

    @property
    def owner(self) -> str:
        """Whose the vault is."""
        return self.backend.accounts[_OWNER]

    def now(self) -> int:
        """The clock of a run, which looks at it more often than at anything else."""
        return newest_time(self.upstream)

    def native_spent(self) -> int:
        """Of the coins that the account was given, in wei."""
        return COINS - int(self.ask("eth_getBalance", self.account, "latest"), 16)

    def price(self) -> SqrtPriceX96:
        node = self.controls.node
        return node.call(slot0(self.deployment.pool.address), node.head()).sqrt_price_x96

    def signed_elsewhere(self, nonce: int, max_fee: int) -> str:
        """A transaction of the account, which does nothing, that its key signed in other hands."""
        fields = {
            "type": 2,
            "chainId": self.backend.chain_id,
            "nonce": nonce,
            "to": self.account,
            "value": 0,
            "data": b"stranger",
            "gas": 100_000,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": max_fee,
        }
        return "0x" + bytes(Account.sign_transaction(fields, _KEY).raw_transaction).hex()

    def ask(self, method: str, *params: Any) -> Any:
        return self.controls.node.ask(Question(method, list(params), lambda told: told))

    def move_price(self, ticks: int, blocks: int) -> None:
        """The market goes so many ticks up and trades there for so many blocks."""
        pool, node = self.deployment.pool, self.controls.node
        there = node.call(uniswap_v3.slot0(pool.address), node.head()).tick + ticks
        low, high = sqrt_price_at_tick(there), sqrt_price_at_tick(there + 1)
        both_ways: tuple[Order, Order] = (
            Trade(zero_for_one=True, raw_in=3 * 10**9),
            Trade(zero_for_one=False, raw_in=10**18),
        )
        orders = (KeepWithin(low=low, high=high), *both_ways * (blocks // 2))
        for order in orders:
            trader = self.deployment.flow_trader
            data = order.calldata(pool.address)
            self.controls.execute(self.backend.accounts[1], trader, data, what="a trade")


@contextmanager
def a_stage(*, in_vault: bool = False) -> Iterator[Stage]:
    """Deployed, traded on for forty minutes, and an account, or its vault, with 50,000 USDC and
    22 WETH."""
    with ExitStack() as open_now:
        backend = open_now.enter_context(AnvilBackend(Fresh(genesis_timestamp=_GENESIS)))
        assert backend.rpc_url is not None
        ask = open_now.enter_context(upstream(backend.rpc_url))
        spec = MarketSpec(token0="USDC", fee_pips=500, sqrt_price_x96=_START, oracle_slots=200)
        deployment = deploy(backend, spec)
        flow = GeneratedFlow(
            seed=5,
            start_timestamp=_GENESIS + 1_000,
            block_time_s=40,
            blocks=60,
            start_sqrt_price_x96=_START,
            fee_pips=500,
            volatility=0.022,
            jumps_per_day=0.0,
            jump_volatility=0.0,
            noise_trades_per_block=1.0,
            noise_median_raw1=20 * ETHER,
            noise_spread=1.0,
        )
        market = Market(backend, deployment, generated_flow(flow))
        for lower, upper in ((-887_270, 887_270), (195_000, 203_000)):
            market.provide(
                [AddLiquidity(range=TickRange(lower, upper), liquidity=Liquidity(ETHER))]
            )
        market.advance_until(10**12)
        vault = None
        if in_vault:
            owner = backend.accounts[_OWNER]
            vault = deploy_vault(backend, deployment, owner=owner, operator=_ACCOUNT)
        stage = Stage(backend, deployment, ask, vault)
        fund(backend, deployment, stage.holder, deployment.pool.amounts(50_000 * 10**6, 22 * ETHER))
        operator = backend.accounts[0]
        stage.controls.execute(operator, stage.account, b"", value=COINS, what="coins")
        stage.ask("anvil_setBlockTimestampInterval", BLOCK_TIME_S)
        yield stage


#: A stage, by whether a vault holds the tokens.
StageOf = Callable[[bool], Stage]


@contextmanager
def both_stages() -> Iterator[StageOf]:
    """Each is made when it is first asked for."""
    with ExitStack() as open_now:
        yield cache(lambda in_vault: open_now.enter_context(a_stage(in_vault=in_vault)))


@contextmanager
def a_run(
    stage: Stage,
    folder: Path,
    rpc_count: int,
    seed: int,
    *,
    timeout_s: float = TIMEOUT_S,
    terms: str = TERMS,
) -> Iterator[Run]:
    """The stage as it was at first, for one run through so many RPCs of the same node.

    Where the folder has a store the run goes on with that.
    """
    before = stage.ask("evm_snapshot")
    # anvil forgets the states of blocks it has seen before, so no two runs may have one in common.
    stage.controls.mine(stage.now() + next(stage.runs))
    url = stage.backend.rpc_url
    assert url is not None
    with ExitStack() as open_now:
        rpcs = [open_now.enter_context(fault_proxy(url, seed)) for _ in range(rpc_count)]
        path = write_configuration(
            folder,
            stage.deployment,
            account=stage.account,
            campaign=NAME,
            policy=terms,
            every_s=1,
            block_time_s=BLOCK_TIME_S,
            rpc_url=" ".join(rpc.url for rpc in rpcs),
            private_key="0x" + _KEY.hex(),
        )
        if stage.vault is not None:
            held = f'[campaigns.{NAME}]\ncustody = "vault"\nvault = "{stage.vault}"\n'
            path.write_text(path.read_text().replace(f"[campaigns.{NAME}]\n", held))
        with path.open("a") as file:
            file.write(f'\n[rpc]\ntimeout_s = "{timeout_s}"\n')
        settings = load(path)
        store = folder / "lpmanager.db"
        if not store.exists():
            put_empty_store(store)
        run = Run(stage, settings, Ledger.open(settings.store), rpcs)
        open_now.callback(lambda: run.ledger.engine.dispose())
        try:
            yield run
        finally:
            stage.ask("evm_revert", before)


def the_campaign(
    settings: Settings, ledger: Ledger, clock: Callable[[], int], sending: SendPolicy = _PATIENCE
) -> Campaign:
    """The run's campaign, able to sign."""
    node = open_node(settings, settings.chain_of(NAME), clock)
    market = open_market(settings, NAME, node, clock)
    signer = signer_from_clear_key("0x" + _KEY.hex(), devnet=True)
    custody = open_custody(NAME, market, ledger, signer, sending, lambda: False)
    return open_campaign(settings, NAME, market, ledger, custody)


@dataclass(frozen=True)
class Mined:
    """A transaction of the account that the chain holds, and how often it swapped."""

    tx_hash: str
    succeeded: bool
    swaps: int


@dataclass
class Run:
    """One campaign. Each cycle opens its RPCs anew, as the program does."""

    stage: Stage
    settings: Settings
    ledger: Ledger
    rpcs: list[FaultProxy]
    errors: list[str] = field(default_factory=list)
    sending: SendPolicy = _PATIENCE
    _mined: dict[str, list[Mined]] = field(default_factory=dict)

    def restart(self) -> None:
        """Go on as a new process does, with nothing but the store."""
        self.ledger.engine.dispose()
        self.ledger = Ledger.open(self.settings.store)

    def campaign(self) -> Campaign:
        return the_campaign(self.settings, self.ledger, self.stage.now, self.sending)

    def cycle(self) -> bool:
        """One cycle; whether it went as one does without trouble. What else than trouble with the
        chain it raises is raised."""
        try:
            outcome = run_cycle(self.campaign()).outcome
        except ChainError as error:
            self.errors.append(f"{type(error).__name__}: {error}")
            return False
        if outcome is not None and outcome.stopped is not None:
            self.errors.append(outcome.stopped)
            return False
        return True

    def go_on_until_it_holds(self) -> None:
        for _ in range(_MOST_CYCLES):
            if isinstance(run_cycle(self.campaign()).decision, Hold):
                return
        raise AssertionError(f"it does not hold after {_MOST_CYCLES} cycles")

    def come_to_rest(self) -> None:
        """Until it holds for good, on a market that stands still: a vault makes its campaign wait
        between two plans."""
        self.go_on_until_it_holds()
        for _ in range(_MOST_PLANS_OF_A_VAULT):
            self.stage.controls.mine(self.stage.now() + _A_WHILE_S)
            self.go_on_until_it_holds()

    def heal(self) -> None:
        for rpc in self.rpcs:
            rpc.heal()

    def intents(self) -> list[Intent]:
        return whole_intents(self.ledger.engine, self.stage.account, self.stage.backend.chain_id)

    def halted(self) -> str | None:
        return Diary(self.ledger.engine, NAME).halted()

    def signed_after_first(self, fault: Fault) -> list[str]:
        """Hashes that came by for the first time after the fault had struck."""
        (rpc,) = self.rpcs
        struck = next((i for i, s in enumerate(rpc.log) if s.fault is fault), len(rpc.log))
        before = {_hash(s.params[0]) for s in rpc.log[:struck] if s.method == SEND}
        after = [_hash(s.params[0]) for s in rpc.log[struck:] if s.method == SEND]
        return [tx_hash for tx_hash in dict.fromkeys(after) if tx_hash not in before]

    def raw_transactions(self) -> list[str]:
        return [s.params[0] for rpc in self.rpcs for s in rpc.log if s.method == SEND]

    def mined(self) -> list[Mined]:
        """All that the chain holds of the account, oldest first; read once for each head."""
        node, us = self.stage.controls.node, self.stage.account.lower()
        head = node.head()
        if head.hash in self._mined:
            return self._mined[head.hash]
        count = int(self.stage.ask("eth_getTransactionCount", self.stage.account, "latest"), 16)
        to_look_at = range(head.number, -1, -1)
        hashes: list[str] = []
        while len(hashes) < count:
            some, to_look_at = to_look_at[:_BLOCKS_AT_ONCE], to_look_at[_BLOCKS_AT_ONCE:]
            wanted = [("eth_getBlockByNumber", [hex(height), True]) for height in some]
            for block in node.ask_many([Question(*asked, _as_told) for asked in wanted]):
                ours = [one["hash"] for one in block["transactions"] if one["from"] == us]
                hashes += ours[::-1]
        hashes = hashes[::-1]
        receipts = [Question("eth_getTransactionReceipt", [one], _as_told) for one in hashes]
        self._mined = {head.hash: [_mined(receipt) for receipt in node.ask_many(receipts)]}
        return self._mined[head.hash]

    def swaps(self) -> int:
        """How often the account has swapped, by the chain."""
        return sum(one.swaps for one in self.mined())

    def wallet_on_chain(self) -> list[int]:
        pool, node = self.stage.deployment.pool, self.stage.controls.node
        calls = [
            erc20.balance_of(token.address, self.stage.holder)
            for token in (pool.token0, pool.token1)
        ]
        return node.call_many(calls, node.head())

    def wallet_in_books(self) -> list[int]:
        pool, chain_id = self.stage.deployment.pool, self.stage.backend.chain_id
        return [
            self.ledger.wallet_totals(chain_id, self.stage.holder, token.address)
            for token in (pool.token0, pool.token1)
        ]

    def positions_on_chain(self) -> dict[int, int]:
        """Liquidity by position."""
        return {token_id: held.liquidity for token_id, held in self._positions().items()}

    def ranges_on_chain(self) -> list[TickRange]:
        return [held.range for held in self._positions().values()]

    def _positions(self) -> dict[int, ManagedPosition]:
        vault = self.stage.vault
        return self._nfts() if vault is None else self._ranges_of(vault)

    def _ranges_of(self, vault: str) -> dict[int, ManagedPosition]:
        pool, node = self.stage.deployment.pool, self.stage.controls.node
        head = node.head()
        ranges = node.call(liquidity_vault.ranges(vault), head)
        held = node.call_many([position_in_pool(pool, vault, each) for each in ranges], head)
        ids = [liquidity_vault.position_id(vault, each) for each in ranges]
        return dict(zip(ids, held, strict=True))

    def _nfts(self) -> dict[int, ManagedPosition]:
        venue, node = self.settings.chain_of(NAME).uniswap_v3, self.stage.controls.node
        head = node.head()
        count = node.call(venue.position_count(self.stage.account), head)
        ids = node.call_many(
            [venue.position_id(self.stage.account, index) for index in range(count)], head
        )
        held = node.call_many([venue.position(token_id) for token_id in ids], head)
        return dict(zip(ids, held, strict=True))

    def positions_in_books(self) -> dict[int, int]:
        bases = self.ledger.bases(NAME, self.stage.deployment.pool)
        return {token_id: basis.liquidity for token_id, basis in bases.items()}

    def allowances(self) -> set[int]:
        made, node = self.stage.deployment, self.stage.controls.node
        calls = [
            erc20.allowance(token.address, self.stage.holder, spender)
            for token in (made.pool.token0, made.pool.token1)
            for spender in (made.position_manager, made.swap_router)
        ]
        return set(node.call_many(calls, node.head()))


def _as_told(told: Any) -> Any:
    return told


def _mined(receipt: dict[str, Any]) -> Mined:
    return Mined(
        tx_hash=receipt["transactionHash"],
        succeeded=int(receipt["status"], 16) == 1,
        swaps=sum(log["topics"][0] == uniswap_v3.SWAP_EVENT.topic for log in receipt["logs"]),
    )


def _hash(raw: str) -> str:
    return "0x" + keccak(hexstr=raw).hex()
