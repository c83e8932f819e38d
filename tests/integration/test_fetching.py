"""A pool's events, fetched from a chain with the real contracts: all of them, whatever happens."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from devnet_world import PRICE, TICK, World
from eth_abi.abi import decode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from fetch_world import (
    CALL,
    CONFIRMATIONS,
    DAY_S,
    LOGS,
    TOO_WIDE,
    Told,
    a_past,
    a_shelf,
    at_most,
    contents,
    fetched,
    files,
    rows_of,
)

from lpmanager.backtest.markets.market import BURN, COLLECT, MINT, SWAP, Events, Market
from lpmanager.backtest.store.shelf import only_writer, read, read_day
from lpmanager.chain.node import Question
from lpmanager.chain.transport import RpcError
from lpmanager.errors import ChainError, EventsMissing, MarketDataError, RpcUnavailable, UsageError
from lpmanager.venues import uniswap_v3

#: The pool's events by the words of its own interface, and whether its owner is topic 1.
INTERFACE = {
    "Swap(address,address,int256,int256,uint160,uint128,int24)": (
        SWAP,
        ["int256", "int256", "uint160", "uint128", "int24"],
    ),
    "Mint(address,address,int24,int24,uint128,uint256,uint256)": (
        MINT,
        ["address", "uint128", "uint256", "uint256"],
    ),
    "Burn(address,int24,int24,uint128,uint256,uint256)": (BURN, ["uint128", "uint256", "uint256"]),
    "Collect(address,address,int24,int24,uint128,uint128)": (
        COLLECT,
        ["address", "uint128", "uint128"],
    ),
}
#: What a store knows.
Contents = list[Any]

BY_TOPIC = {"0x" + keccak(text=text).hex(): told for text, told in INTERFACE.items()}


@pytest.fixture(scope="module")
def world() -> World:
    """A history that nobody changes."""
    return a_past()


@pytest.fixture
def growing() -> World:
    """A history of the test's own."""
    return a_past()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What the store knows when nothing goes wrong."""
    root, world = tmp_path_factory.mktemp("whole"), a_past()
    fetched(Told(world), root)
    return contents(root, world.pool)


def market(root: Path, world: World) -> Market:
    return read(a_shelf(root, world.pool))


@cache
def rows_by_receipts() -> list[tuple[Any, ...]]:
    """What all receipts tell of the pool's events."""
    return list(each_row(a_past()))


def each_row(world: World) -> Iterator[tuple[Any, ...]]:
    """Block, time, kind, amounts, range, liquidity, owner and sender of each event, by all
    receipts."""
    for height in range(1, world.node.head().number + 1):
        receipts = world.node.ask(
            Question("eth_getBlockReceipts", [hex(height)], lambda told: told)
        )
        time = world.node.block(height).timestamp
        for log in (log for receipt in receipts for log in receipt["logs"]):
            topic = log["topics"][0]
            if log["address"] != world.pool.address or topic not in BY_TOPIC:
                continue
            kind, types = BY_TOPIC[topic]
            values = decode(types, bytes.fromhex(log["data"][2:]))
            amounts = values[:2] if kind == SWAP else values[-2:]
            change, sender = None, ""
            if kind == SWAP:
                sender = to_checksum_address(bytes.fromhex(log["topics"][1][2:])[-20:])
            if kind in (MINT, BURN):
                owner, lower, upper = (bytes.fromhex(t[2:]) for t in log["topics"][1:])
                change = (
                    decode(["int24"], lower)[0],
                    decode(["int24"], upper)[0],
                    values[-3],
                    to_checksum_address(owner[-20:]),
                )
            yield height, time, kind, *amounts, change, sender


def last_rows(events: Events) -> dict[int, tuple[int, int, int]]:
    """Price, tick and liquidity behind each block's last event."""
    return {block: after for block, *_, after in rows_of(events)}


def test_every_event_is_fetched_as_the_receipts_tell_it(world: World, tmp_path: Path) -> None:
    done = fetched(Told(world), tmp_path)
    rows = market(tmp_path, world).rows
    assert isinstance(rows, Events)
    assert [row[:-1] for row in rows_of(rows)] == rows_by_receipts()
    assert {SWAP, MINT, BURN, COLLECT} == set(rows.kind.tolist())
    assert done.whole
    assert done.checked


def test_after_every_event_the_pool_stands_where_it_says_itself(
    world: World, tmp_path: Path
) -> None:
    fetched(Told(world), tmp_path)
    rows = market(tmp_path, world).rows
    assert isinstance(rows, Events)
    for height, found in last_rows(rows).items():
        slot0, liquidity = world.node.call_many(
            [uniswap_v3.slot0(world.pool.address), uniswap_v3.liquidity(world.pool.address)],
            world.node.block(height),
        )
        assert found == (slot0.sqrt_price_x96, slot0.tick, liquidity)


def test_a_pool_fetched_from_its_creation_begins_without_ticks(
    world: World, tmp_path: Path
) -> None:
    fetched(Told(world), tmp_path)
    start = market(tmp_path, world).start
    assert start is not None
    assert (start.sqrt_price_x96, start.tick, start.liquidity, start.ticks) == (PRICE, TICK, 0, ())


REFUSALS = {
    "Infura": RpcError(-32005, "query returned more than 10000 results", {"limit": 10_000}),
    "Alchemy": RpcError(-32602, "Log response size exceeded. You can make ...", None),
    "geth": RpcError(-32602, "exceed maximum block range: 5000", None),
    "Cloudflare": RpcError(-32047, "'fromBlock'-'toBlock' range too large. Max range: 800", None),
    "BNB Chain": RpcError(-32005, "limit exceeded", None),
    "dRPC": RpcError(35, "ranges over 10000 blocks are not supported on freetier", None),
    "one in no list": RpcError(-1, "non!", None),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_node_that_refuses_many_blocks_at_once_is_asked_for_fewer(
    world: World, tmp_path: Path, whole: Contents, refusal: RpcError
) -> None:
    told = Told(world, refuse=at_most(9, refusal))
    fetched(told, tmp_path)
    assert contents(tmp_path, world.pool) == whole
    widths = [last - first + 1 for first, last in told.ranges()]
    assert widths[0] > 9
    assert sum(width > 9 for width in widths) <= len(widths) / 2


def test_what_is_refused_for_a_single_block_is_told_in_the_nodes_own_words(
    world: World, tmp_path: Path
) -> None:
    told = Told(world, refuse=at_most(0, RpcError(-32602, "a personal token is needed", None)))
    with pytest.raises(ChainError, match="a personal token is needed"):
        fetched(told, tmp_path)


def test_a_window_is_what_falls_within_its_blocks(world: World, tmp_path: Path) -> None:
    expected = rows_by_receipts()
    blocks = sorted({row[0] for row in expected})
    first, last = blocks[4], blocks[-3]
    done = fetched(Told(world), tmp_path, first=first, last=last)
    found = market(tmp_path, world)
    assert isinstance(found.rows, Events)
    assert [row[:-1] for row in rows_of(found.rows)] == [
        row for row in expected if first <= row[0] <= last
    ]
    assert (done.first, done.last, done.whole, done.checked) == (first, last, False, True)
    assert found.start is None


def test_what_the_events_do_not_tell_is_asked_at_the_block_before(
    world: World, tmp_path: Path
) -> None:
    first = first_of(MINT)
    fetched(Told(world), tmp_path, first=first)
    rows = market(tmp_path, world).rows
    assert isinstance(rows, Events)
    assert rows.kind[0] == MINT
    whole_rows = all_rows()
    assert last_rows(rows) == {b: s for b, s in last_rows(whole_rows).items() if b >= first}


def first_of(kind: int, after: int = 25) -> int:
    """The block of the first event of that kind behind a block."""
    return next(row[0] for row in rows_by_receipts() if row[2] == kind and row[0] > after)


@cache
def all_rows() -> Events:
    """The rows of the whole history, fetched without trouble."""
    with tempfile.TemporaryDirectory() as folder:
        world = a_past()
        fetched(Told(world), Path(folder))
        rows = market(Path(folder), world).rows
    assert isinstance(rows, Events)
    return rows


def without_old_state(world: World) -> Told:
    """A node that has only the newest states."""
    recent = world.node.head().number - 2
    gone = RpcError(-32000, "missing trie node", None)

    def refuse(method: str, params: list[Any], _number: int) -> RpcError | None:
        if method not in (CALL, "eth_getCode"):
            return None
        return gone if number_of(world, params[1]["blockHash"]) < recent else None

    return Told(world, refuse=refuse)


def number_of(world: World, block_hash: str) -> int:
    asked = Question("eth_getBlockByHash", [block_hash, False], lambda told: told["number"])
    return int(world.node.ask(asked), 16)


def test_without_old_states_it_is_said_where_one_can_begin(world: World, tmp_path: Path) -> None:
    first = first_of(MINT)
    with pytest.raises(ChainError, match="archive RPC") as refused:
        fetched(without_old_state(world), tmp_path, first=first)
    advised = int(str(refused.value).partition("--from ")[2].partition(",")[0])
    assert advised == first_of(SWAP, after=first)
    fetched(without_old_state(world), tmp_path, first=advised)
    assert market(tmp_path, world).rows.time[0] == world.node.block(advised).timestamp


def test_without_old_states_the_creation_is_not_guessed(world: World, tmp_path: Path) -> None:
    with pytest.raises(ChainError, match="--from"):
        fetched(without_old_state(world), tmp_path)


# ---- interrupted, and going on ----


def dying(number: int) -> Callable[[str, list[Any], int], None]:
    """A node that is gone from its request of that number on; it refuses many blocks at once."""
    picky = at_most(7, TOO_WIDE)

    def refuse(method: str, params: list[Any], asked: int) -> Any:
        if asked >= number:
            raise RpcUnavailable("no answer")
        return picky(method, params, asked)

    return refuse


def test_wherever_it_was_interrupted_the_next_call_goes_on(
    world: World, tmp_path: Path, whole: Contents
) -> None:
    undisturbed = Told(world, refuse=at_most(7, TOO_WIDE))
    fetched(undisturbed, tmp_path / "undisturbed")
    went_on = 0
    for number in range(3, len(undisturbed.asked), 7):
        root = tmp_path / str(number)
        with pytest.raises(RpcUnavailable):
            fetched(Told(world, refuse=dying(number)), root)
        again = Told(world)
        fetched(again, root)
        assert contents(root, world.pool) == whole
        went_on += again.ranges()[0][0] > undisturbed.ranges()[0][0]
    assert went_on > 3


def test_it_stops_between_pieces_and_goes_on_later(
    world: World, tmp_path: Path, whole: Contents
) -> None:
    told = Told(world, refuse=at_most(7, TOO_WIDE))
    done = fetched(told, tmp_path, stop_asked=lambda: True)
    assert done.last < world.node.head().number
    fetched(Told(world), tmp_path)
    assert contents(tmp_path, world.pool) == whole


def test_a_disk_that_is_full_leaves_what_was_there(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched(Told(world), tmp_path, last=25)
    before = files(tmp_path)
    assert before

    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(MarketDataError, match="No space left on device"):
        fetched(Told(world), tmp_path)
    assert files(tmp_path) == before


def test_a_call_with_nothing_new_changes_nothing(world: World, tmp_path: Path) -> None:
    fetched(Told(world), tmp_path)
    before, again = files(tmp_path), Told(world)
    fetched(again, tmp_path)
    assert files(tmp_path) == before
    head = world.node.head().number
    assert again.ranges() == [(head - CONFIRMATIONS + 2, head)]


def test_two_programs_do_not_write_to_the_same_days(world: World, tmp_path: Path) -> None:
    shelf = a_shelf(tmp_path, world.pool)
    with only_writer(shelf), pytest.raises(UsageError, match="another lpm"), only_writer(shelf):
        pass


# ---- reorganisations ----


def another_tail(world: World) -> World:
    """The same chain, whose newest blocks were replaced by others: where one has trades the other
    has none, and only the one that went before reaches the next day."""
    other = a_past()
    assert other.node.head() == world.node.head()
    for raw in (4 * 10**9, 2 * 10**9):
        world.pass_time(DAY_S)
        world.trade(raw, zero_for_one=True)
    for raw in (10**19, 3 * 10**18, 10**18):
        other.trade(raw, zero_for_one=False)
        other.pass_time(12)
    return other


def test_what_was_not_final_is_read_again(growing: World, tmp_path: Path) -> None:
    other = another_tail(growing)
    fetched(Told(growing), tmp_path / "a")
    shelf = a_shelf(tmp_path / "a", growing.pool)
    assert not read_day(shelf, shelf.dates()[-1]).final
    fetched(Told(other), tmp_path / "a")
    fetched(Told(other), tmp_path / "b")
    assert contents(tmp_path / "a", growing.pool) == contents(tmp_path / "b", growing.pool)


def test_a_reorganisation_at_any_moment_is_noticed(growing: World, tmp_path: Path) -> None:
    other = another_tail(growing)
    fetched(Told(other), tmp_path / "other")
    fetched(Told(growing), tmp_path / "world")
    expected = [contents(tmp_path / name, growing.pool) for name in ("world", "other")]
    fetched(Told(growing), tmp_path / "begun", last=growing.node.head().number - CONFIRMATIONS - 1)
    base = files(tmp_path / "begun")
    possible = [rows_up_to(one) for one in expected]
    possible.append(rows_up_to(expected[True], growing.node.head().number))
    seen = set()
    for moment in (*range(2, 44, 3), 1_000):
        root = tmp_path / str(moment)
        for name, content in base.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        told = Told(growing, refuse=at_most(1, TOO_WIDE))

        def turn(_method: str, answer: Any, told: Told = told, moment: int = moment) -> Any:
            if len(told.asked) == moment:
                told.world = other
            return answer

        told.change = turn
        fetched(told, root)
        assert rows_up_to(contents(root, growing.pool)) in possible
        told.change = lambda _method, answer: answer
        fetched(told, root)
        assert contents(root, growing.pool) == expected[told.world is other]
        seen.add(told.world is other)
    assert seen == {True, False}


def rows_up_to(known: Contents, last: int = 10**6) -> list[Any]:
    """All rows of a store whose block is not behind that one."""
    *days, _blocks = known
    return [row for day in days for row in day[-1] if row[0] <= last]


def test_what_was_final_and_is_no_more_stops_it(world: World, tmp_path: Path) -> None:
    fetched(Told(world), tmp_path)
    before = files(tmp_path)

    def lie(method: str, answer: Any) -> Any:
        return answer | {"hash": "0x" + "5a" * 32} if method == "eth_getBlockByNumber" else answer

    with pytest.raises(ChainError, match="was final with hash"):
        fetched(Told(world, change=lie), tmp_path)
    assert files(tmp_path) == before


# ---- nodes that lie ----


def test_a_swap_that_is_left_out_is_noticed_whichever_it_is(
    world: World, tmp_path: Path, whole: Contents
) -> None:
    for block in [row[0] for row in rows_by_receipts() if row[2] == SWAP]:
        root = tmp_path / str(block)

        def hide(method: str, answer: Any, block: int = block) -> Any:
            if method != LOGS:
                return answer
            return [log for log in answer if int(log["blockNumber"], 16) != block]

        with pytest.raises(EventsMissing):
            fetched(Told(world, change=hide, refuse=at_most(5, TOO_WIDE)), root)
        kept = rows_up_to(contents(root, world.pool))
        assert kept == rows_up_to(whole)[: len(kept)]
        assert all(row[0] < block for row in kept)
        fetched(Told(world), root)
        assert contents(root, world.pool) == whole


@pytest.mark.parametrize("wrong", ["twice", "backwards", "stranger", "timestamp"])
def test_logs_that_cannot_be_are_refused(world: World, tmp_path: Path, wrong: str) -> None:
    def spoil(method: str, logs: Any) -> Any:
        if method != LOGS:
            return logs
        match wrong:
            case "twice":
                return [logs[0], *logs]
            case "backwards":
                return logs[::-1]
            case "stranger":
                return [{**logs[0], "topics": ["0x" + "11" * 32]}, *logs[1:]]
            case _:
                return [{**log, "blockTimestamp": "0x1"} for log in logs]

    with pytest.raises(ChainError):
        fetched(Told(world, change=spoil), tmp_path)


def test_times_told_with_the_logs_spare_the_blocks(
    world: World, tmp_path: Path, whole: Contents
) -> None:
    times = {n: world.node.block(n).timestamp for n in range(world.node.head().number + 1)}

    def stamp(method: str, logs: Any) -> Any:
        if method != LOGS:
            return logs
        return [{**g, "blockTimestamp": hex(times[int(g["blockNumber"], 16)])} for g in logs]

    stamped, plain = Told(world, change=stamp), Told(world)
    fetched(stamped, tmp_path)
    fetched(plain, tmp_path / "plain")
    assert contents(tmp_path, world.pool) == whole
    assert len(stamped.asked) < len(plain.asked) - 10


# ---- windows that do not join ----


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [(60, None, "--from"), (2, None, "--from"), (None, 10**6, "is not there yet")],
)
def test_a_window_that_does_not_join_is_refused(
    world: World, tmp_path: Path, first: int | None, last: int | None, words: str
) -> None:
    fetched(Told(world), tmp_path, first=10, last=20)
    before = files(tmp_path)
    with pytest.raises(UsageError, match=words):
        fetched(Told(world), tmp_path, first=first, last=last)
    assert files(tmp_path) == before


def test_windows_that_join_make_one(world: World, tmp_path: Path, whole: Contents) -> None:
    for first, last in ((None, 15), (16, 16), (None, 27), (20, None)):
        fetched(Told(world), tmp_path, first=first, last=last)
    assert contents(tmp_path, world.pool) == whole


def test_days_follow_each_other_without_a_gap(world: World, tmp_path: Path) -> None:
    fetched(Told(world), tmp_path)
    shelf = a_shelf(tmp_path, world.pool)
    days = [read_day(shelf, date) for date in shelf.dates()]
    assert len(days) > 1
    for day, later in pairwise(days):
        assert day.end == later.start
        assert day.blocks is not None
        assert later.blocks is not None
        assert later.blocks.first <= day.blocks.last.number + 1
