"""What a Snapshot costs through the lens, by batched calls and call by call, on anvil.

Run: make bench. One pool with 200 initialized ticks around its price, read for accounts that hold
1, 10, 100 and 1,000 positions in it. All three ways read the same Snapshot, or the run ends.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from lpmanager.abi import Function
from lpmanager.amm import sqrt_price_at_tick
from lpmanager.chain.node import Node
from lpmanager.chain.reader import Reader
from lpmanager.chain.sighting import Watch
from lpmanager.chain.transport import Transport
from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.backend import Controls
from lpmanager.devnet.deploy import Deployment, MarketSpec, deploy, fund
from lpmanager.devnet.orders import AddLiquidity, Order, Trade
from lpmanager.model import NATIVE, Liquidity, Snapshot, TickRange, Token, TokenCheck
from lpmanager.venues import erc20
from lpmanager.venues.uniswap_v3 import UniswapV3

RESULTS = Path(__file__).parent / "results" / "lens.txt"
GENESIS, TICK, SPACING = 1_700_000_000, 199_000, 10
TICKS, POSITIONS, ROUNDS = 200, (1, 10, 100, 1_000), 7
MINTS_AT_ONCE = 20
GOAL_CALLS_UP_TO, GOAL_RATIO = 100, 20

_MULTICALL = Function("multicall(bytes[])")


class OneByOne:
    """A transport without batches."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        return [self._inner.request_many([request])[0] for request in requests]


class Counting:
    """A transport that counts HTTP requests and the contract calls in them."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.http = self.calls = 0

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.http += bool(requests)
        self.calls += sum(method == "eth_call" for method, _ in requests)
        return self._inner.request_many(requests)


class Cost(NamedTuple):
    """Of one reading, the head and what is not of contracts included."""

    http: int
    calls: int
    ms: float


@dataclass(frozen=True)
class Bench:
    """The chain and its pool."""

    backend: AnvilBackend
    deployment: Deployment

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

    def order(self, order: Order) -> None:
        data, trader = order.calldata(self.deployment.pool.address), self.deployment.flow_trader
        Controls(self.backend).execute(self.backend.accounts[1], trader, data, what="order")

    def mint(self, owner: str, count: int) -> None:
        """Positions of an account, between the ticks that are there."""
        pool, manager = self.deployment.pool, self.deployment.position_manager
        controls, each = Controls(self.backend), pool.amounts(10**8, 10**17)
        fund(self.backend, self.deployment, owner, pool.amounts(10**8 * count, 10**17 * count))
        for token in (pool.token0, pool.token1):
            controls.execute(owner, token.address, erc20.approve(manager, 2**255), what="approve")
        half = TICKS // 2
        ranges = [
            TickRange(TICK - SPACING * (1 + i % half), TICK + SPACING * (1 + i * 7 % (half - 1)))
            for i in range(count)
        ]
        mints = [
            self.venue.mint(pool, held, each, pool.amounts(0, 0), owner, 2**40) for held in ranges
        ]
        for start in range(0, count, MINTS_AT_ONCE):
            data = _MULTICALL.encode(mints[start : start + MINTS_AT_ONCE])
            controls.execute(owner, manager, data, what="mint")

    def reader(self, owner: str, transport: Transport, *, by_calls: bool) -> Reader:
        chain_id, pool = self.backend.chain_id, self.deployment.pool
        node = Node(transport, chain_id)
        node.refuses_lens = by_calls
        watch = Watch(
            pool=pool,
            quote=pool.token0,
            native=Token(chain_id=chain_id, address=NATIVE, symbol="ETH", decimals=18),
            wrapped_native=self.deployment.wrapped_native,
            native_pool=None,
            account=owner,
            vault=None,
            positions=None,
            twap_window_s=60,
            history_blocks=50,
        )
        checked = TokenCheck(checked_at=node.head().timestamp, refused=None)
        return Reader(node, self.venue, watch, lambda: GENESIS, checked)


def a_bench(backend: AnvilBackend) -> Bench:
    """A pool with `TICKS` initialized ticks, and some trade through them."""
    price = sqrt_price_at_tick(TICK)
    spec = MarketSpec(token0="USDC", fee_pips=500, sqrt_price_x96=price, oracle_slots=100)
    bench = Bench(backend, deploy(backend, spec))
    for i in range(TICKS // 2):
        held = TickRange(TICK - SPACING * (i + 1), TICK + SPACING * i)
        if i == 0:
            held = TickRange(TICK - SPACING, TICK + SPACING * (TICKS // 2))
        bench.order(AddLiquidity(range=held, liquidity=Liquidity(10**15)))
    return bench


def trade(bench: Bench) -> None:
    for zero_for_one, raw_in in ((True, 10**11), (False, 10**20), (True, 10**11)):
        bench.order(Trade(zero_for_one=zero_for_one, raw_in=raw_in))
        controls = Controls(bench.backend)
        controls.mine(controls.node.head().timestamp + 60)


def measured(read: Callable[[], Snapshot], counting: Counting) -> tuple[Snapshot, Cost]:
    """The median of some readings, after one that shows what there is to read."""
    read()
    took = []
    for _ in range(ROUNDS):
        counting.http = counting.calls = 0
        began = time.perf_counter()
        snapshot = read()
        took.append((time.perf_counter() - began) * 1_000)
    return snapshot, Cost(counting.http, counting.calls, statistics.median(took))


def costs(bench: Bench, owner: str, count: int) -> dict[str, Cost]:
    """What each way costs. Ends the run where they do not see the same."""
    found: dict[str, Cost] = {}
    snapshots = []
    for name, by_calls, batched in (
        ("lens", False, True),
        ("batched calls", True, True),
        ("call by call", True, False),
    ):
        counting = Counting(bench.backend.transport)
        transport: Transport = counting if batched else OneByOne(counting)
        reader = bench.reader(owner, transport, by_calls=by_calls)
        snapshot, found[name] = measured(reader.read, counting)
        snapshots.append(snapshot)
    first = snapshots[0]
    if (len(first.state.ticks), len(first.positions)) != (TICKS, count):
        sys.exit(f"lens: found {len(first.state.ticks)} ticks, {len(first.positions)} positions")
    if any(snapshot != first for snapshot in snapshots):
        sys.exit("lens: the three ways do not read the same")
    return found


def lines(table: dict[int, dict[str, Cost]]) -> Iterator[str]:
    yield f"a snapshot of one pool, {TICKS} initialized ticks, on anvil; median of {ROUNDS}"
    yield f"{datetime.now(UTC):%Y-%m-%d}; HTTP requests and ms include the head, logs and nonce"
    yield ""
    yield f"{'positions':>9}  {'':14}{'HTTP':>8}{'eth_calls':>11}{'ms':>10}{'lens is':>14}"
    for count, found in table.items():
        for name, cost in found.items():
            times = f"{cost.ms / found['lens'].ms:.1f} x faster" if name != "lens" else ""
            row = f"{count:>9,}  {name:14}{cost.http:>8,}{cost.calls:>11,}{cost.ms:>10.1f}"
            yield f"{row}{times:>16}".rstrip()
    yield ""
    most = max(found["lens"].calls for n, found in table.items() if n <= GOAL_CALLS_UP_TO)
    yield goal(f"eth_calls up to {GOAL_CALLS_UP_TO} positions", most, "at most 1", most <= 1)
    at = table[GOAL_CALLS_UP_TO]
    ratio = at["call by call"].ms / at["lens"].ms
    name = f"times as fast as call by call at {GOAL_CALLS_UP_TO}"
    yield goal(name, round(ratio, 1), f"at least {GOAL_RATIO}", ratio >= GOAL_RATIO)


def goal(name: str, figure: float, wanted: str, met: bool) -> str:
    return f"{name:44}{figure:>8}   {wanted}: {'met' if met else 'MISSED'}"


def main() -> None:
    with AnvilBackend(Fresh(genesis_timestamp=GENESIS)) as backend:
        bench = a_bench(backend)
        owners = dict(zip(POSITIONS, backend.accounts[2:], strict=False))
        for count, owner in owners.items():
            bench.mint(owner, count)
        trade(bench)
        table = {count: costs(bench, owner, count) for count, owner in owners.items()}
    text = "\n".join(lines(table)) + "\n"
    sys.stdout.write(text)
    RESULTS.write_text(text, encoding="utf-8")


main()
