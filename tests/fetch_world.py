"""A pool of real contracts with two days of history, and nodes that tell it as real ones do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from devnet_world import World, a_world
from market_builders import senders_of

from lpmanager.amm.fast.packing import from_limbs
from lpmanager.backtest.markets.market import Events
from lpmanager.backtest.store.fetching import Fetched, Window, fetch
from lpmanager.backtest.store.shelf import RowKind, Shelf, events_of, read_day
from lpmanager.chain.node import Node
from lpmanager.chain.transport import Request, RpcError
from lpmanager.model import PoolKey

DAY_S = 86_400
LOGS = "eth_getLogs"
CALL = "eth_call"
#: Blocks behind which the tests' chain is at rest.
CONFIRMATIONS = 6

Answers = list[Any | RpcError]


@cache
def _past() -> World:
    """Trades both ways across the edges of three ranges, some of whose liquidity comes and goes,
    in two UTC days."""
    with a_world() as world:
        owner = world.backend.accounts[3]
        world.provide(198_000, 199_300, 3 * 10**16)
        first = world.mint(owner, "[198900, 199500)", 10**9, 10**18)
        for raw, zero_for_one in ((10**11, True), (9 * 10**19, False), (2 * 10**11, True)):
            world.trade(raw, zero_for_one=zero_for_one)
        world.pass_time(DAY_S)
        second = world.mint(owner, "[190000, 199010)", 10**6, 3 * 10**18)
        for raw, zero_for_one in ((6 * 10**19, False), (10**10, True), (5 * 10**18, False)):
            world.trade(raw, zero_for_one=zero_for_one)
        world.collect(owner, first)
        liquidity = world.node.call(world.venue.position(second), world.node.head()).liquidity
        world.close(owner, second, liquidity)
        world.trade(10**9, zero_for_one=True)
        return world


def a_past() -> World:
    """A chain of the test's own with that history."""
    return deepcopy(_past())


@dataclass
class Told:
    """A node that tells a world's chain, counts what it is asked, and may say something else.

    `refuse` is asked about each request and its number, and gives an answer of its own, or None;
    `change` is handed what was answered to it.
    """

    world: World
    refuse: Callable[[str, list[Any], int], Any] = lambda _method, _params, _number: None
    change: Callable[[str, Any], Any] = lambda _method, answer: answer
    asked: list[Request] = field(default_factory=list)

    def request_many(self, requests: Sequence[Request]) -> Answers:
        answers: Answers = []
        for method, params in requests:
            self.asked.append((method, params))
            own = self.refuse(method, params, len(self.asked))
            if own is None:
                (told,) = self.world.backend.transport.request_many([(method, params)])
                own = told if isinstance(told, RpcError) else self.change(method, told)
            answers.append(own)
        return answers

    @property
    def node(self) -> Node:
        return Node(self, self.world.backend.chain_id)

    def ranges(self) -> list[tuple[int, int]]:
        """The ranges of blocks whose logs were asked for."""
        return [
            (int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16))
            for method, params in self.asked
            if method == LOGS
        ]


def at_most(blocks: int, refusal: RpcError) -> Callable[[str, list[Any], int], RpcError | None]:
    """Refuses logs of more blocks than that."""

    def refuse(method: str, params: list[Any], _number: int) -> RpcError | None:
        if method != LOGS:
            return None
        first, last = (int(params[0][key], 16) for key in ("fromBlock", "toBlock"))
        return refusal if last - first + 1 > blocks else None

    return refuse


TOO_WIDE = RpcError(-32600, "block range is too wide", None)


def a_shelf(root: Path, pool: PoolKey) -> Shelf:
    chain_id = pool.token0.chain_id
    return Shelf(root=root, chain_id=chain_id, pool=pool.address, kind=RowKind.EVENTS)


def fetched(
    told: Told,
    root: Path,
    *,
    first: int | None = None,
    last: int | None = None,
    stop_asked: Callable[[], bool] = lambda: False,
) -> Fetched:
    """Fetch the world's pool into a store, as the node tells it."""
    pool = told.world.pool
    return fetch(
        told.node,
        pool,
        a_shelf(root, pool),
        Window(first=first, last=last),
        CONFIRMATIONS,
        lambda _done, _total, _events: None,
        stop_asked,
    )


def files(root: Path) -> dict[str, bytes]:
    """Everything in a store, by its path."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in _all(root)
        if not path.name.startswith(".lock")
    }


def _all(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file())


def contents(root: Path, pool: PoolKey) -> list[Any]:
    """What a store knows of each day, in whichever pieces it was fetched."""
    shelf = a_shelf(root, pool)
    days = [read_day(shelf, date) for date in shelf.dates()]
    told: list[Any] = [
        (d.date, d.start, d.end, d.origin, d.whole, rows_of(events_of(shelf, d.date))) for d in days
    ]
    if not days:
        return [None]
    first, last = days[0].blocks, days[-1].blocks
    return [*told, (first and first.first, last and (last.last, last.final))]


def rows_of(events: Events) -> list[tuple[Any, ...]]:
    """Every column of each row, numbers as integers."""
    changes = (events.changes.get(row) for row in range(len(events)))
    return list(
        zip(
            events.block.tolist(),
            events.time.tolist(),
            events.kind.tolist(),
            from_limbs(events.amount0, signed=True),
            from_limbs(events.amount1, signed=True),
            (c and (c.range.lower, c.range.upper, c.liquidity, c.owner) for c in changes),
            senders_of(events.senders),
            zip(
                from_limbs(events.sqrt_price),
                events.tick.tolist(),
                from_limbs(events.liquidity),
                strict=True,
            ),
            strict=True,
        )
    )
