"""`lpm fetch`, typed by a user whose RPC is on the other side of HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from devnet_world import World
from fetch_world import a_past
from live_desk import POLICY, Desk, Devnet, Done
from loopback_rpc import Loopback, loopback

from lpmanager.backtest.store.shelf import find_shelf, read
from lpmanager.chain.transport import RpcError
from lpmanager.cli import fetch as command
from lpmanager.devnet.configuration import write_configuration

Refuse = Callable[[dict[str, Any]], int | None]


@contextmanager
def rpc(world: World, refuse: Refuse) -> Iterator[Loopback]:
    """The world's chain behind a URL; `refuse` may give a request an HTTP status of its own."""

    def one(call: dict[str, Any]) -> dict[str, Any]:
        (told,) = world.backend.transport.request_many([(call["method"], call["params"])])
        frame = {"jsonrpc": "2.0", "id": call["id"]}
        if isinstance(told, RpcError):
            return {**frame, "error": {"code": told.code, "message": told.message}}
        return {**frame, "result": told}

    def answer(posted: Any) -> tuple[int, Any]:
        calls = posted if isinstance(posted, list) else [posted]
        statuses = [status for status in map(refuse, calls) if status is not None]
        if statuses:
            return statuses[0], "no"
        answers = [one(call) for call in calls]
        return 200, answers if isinstance(posted, list) else answers[0]

    with loopback(answer) as served:
        yield served


def willing(_call: dict[str, Any]) -> None:
    return None


class OldChain(Devnet):
    """A chain whose newest block stays what it is."""

    def refresh(self) -> None:
        """Nothing is mined."""


@pytest.fixture(scope="module")
def world() -> World:
    return a_past()


def a_desk(world: World, folder: Path, url: str) -> Desk:
    write_configuration(
        folder,
        world.deployment,
        account=world.backend.accounts[4],
        campaign="main",
        policy=POLICY.replace('"5m"', '"36500d"'),
        every_s=1,
        block_time_s=1,
        rpc_url=url,
        private_key="",
    )
    return Desk(OldChain(world.backend, world.deployment), folder, world.backend.accounts[4], "")


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    with rpc(world, willing) as served:
        yield a_desk(world, tmp_path, served.url)


def refused(done: Done, code: int, *words: str) -> None:
    assert done.returncode == code, done
    (line,) = done.stderr.splitlines()
    for word in words:
        assert word in line


def test_a_campaigns_pool_is_fetched_and_then_gone_on_with(desk: Desk, world: World) -> None:
    first = desk.json("fetch", "--to", "30")["pools"][0]
    then = desk.json("fetch", "main")["pools"][0]
    head = world.node.head().number
    assert (first["last_block"], then["last_block"]) == (30, head)
    assert first["from_creation"]
    assert then["checked_against_pool"]
    market = read(find_shelf(desk.folder / "markets"))
    assert len(market.rows) + 1 == first["new_events"] + then["new_events"]  # and INITIALIZE
    assert market.pool == world.pool


def test_what_was_fetched_is_a_market_to_backtest(desk: Desk, world: World) -> None:
    assert desk.lpm("fetch", "--store", "markets", "--from", "2023-11-14").returncode == 0
    told = desk.json(
        *("backtest", "markets", "--policy", "fixed_width", "--option", "half_width_ticks=600"),
        *("--value", "10000", "--gas-gwei", "20", "--campaign", "main"),  # whose chain is no preset
    )
    assert told["rows"] == len(read(find_shelf(desk.folder / "markets")).rows)


def test_it_is_one_without_a_campaign_too_where_the_file_has_its_chain(desk: Desk) -> None:
    assert desk.lpm("fetch", "--store", "markets", "--from", "2023-11-14").returncode == 0
    strategy = ("--value", "10000", "--gas-gwei", "20")
    policy = ("--policy", "fixed_width", "--option", "half_width_ticks=600")
    assert desk.json("backtest", "markets", *strategy, *policy)["rows"] > 0
    assert desk.json("risk", "--market", "markets", *strategy)["campaigns"]
    (desk.folder / "lpmanager.toml").rename(desk.folder / "other.toml")
    refused(
        desk.lpm("backtest", "markets", *strategy, *policy),
        2,
        "markets: is of chain 31337, which is no preset; name the file that has it: --config FILE",
    )
    asked = ("backtest", "markets", *strategy, *policy, "--config", "other.toml")
    assert desk.json(*asked)["rows"] > 0


def test_a_pool_is_fetched_by_its_address_from_a_day_on(desk: Desk, world: World) -> None:
    done = desk.lpm("fetch", "--pool", world.pool.address, "--from", "2023-11-15", "--store", "s")
    assert done.returncode == 0, done.stderr
    assert str(world.pool) in done.stdout
    assert read(find_shelf(desk.folder / "s")).first >= 1_700_006_400


def test_http_that_refuses_wide_ranges_is_asked_for_fewer(world: World, tmp_path: Path) -> None:
    def refuse(call: dict[str, Any]) -> int | None:
        if call["method"] != "eth_getLogs":
            return None
        first, last = (int(call["params"][0][key], 16) for key in ("fromBlock", "toBlock"))
        return 413 if last - first > 20 else None

    with rpc(world, refuse) as served:
        told = a_desk(world, tmp_path, served.url).json("fetch")["pools"][0]
    assert told["last_block"] == world.node.head().number


def test_what_cannot_be_fetched_is_said_in_a_line(desk: Desk, world: World) -> None:
    pool = world.pool.address
    refused(desk.lpm("fetch", "main", "--pool", pool), 2, "not both")
    refused(desk.lpm("fetch", "--pool", "0x12"), 2, "--pool", "40 hexadecimal")
    refused(desk.lpm("fetch", "other"), 2, "there is no campaign 'other'")
    refused(desk.lpm("fetch", "--from", "yesterday"), 2, "--from", "2024-01-05")
    refused(desk.lpm("fetch", "--from", "2100-01-01"), 2, "has not come yet")
    refused(desk.lpm("fetch", "--from", "30", "--to", "20"), 2, "--to: 20 is before --from 30")
    refused(desk.lpm("fetch", "--to", "1000000"), 2, "is not there yet")
    refused(desk.lpm("fetch", "--pool", world.pool.token0.address), 3, "not a Uniswap v3 pool")
    (desk.folder / "a file").write_text("")
    refused(desk.lpm("fetch", "--store", "a file"), 2, "cannot be written")
    refused(desk.lpm("fetch", LPM_RPC_URL="http://127.0.0.1:1/key"), 4, "no answer")
    assert not list(desk.folder.rglob("*.parquet"))


def test_without_the_extra_it_says_what_to_install(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _name: None)
    refused(desk.lpm("fetch"), 2, "pip install 'lpmanager[backtest]'")


def test_errors_and_results_are_told_apart_for_programs(desk: Desk) -> None:
    done = desk.lpm("fetch", "--to", "1000000", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert told["pools"] == []
    assert "is not there yet" in told["errors"]["main"]
