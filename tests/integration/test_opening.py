"""What a run opens once and keeps, and what of the chain it looks at again in every cycle."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import pytest
from faults.fault_proxy import BLOCK, CHAIN_ID, Fault, FaultProxy, fault_proxy
from live_desk import ETHER, Desk, a_devnet, give_tokens
from sqlalchemy import select

from lpmanager.cli.campaigns import Opener, dry, signing
from lpmanager.config import load
from lpmanager.cycle import run_cycle
from lpmanager.desk.signing import lock_paths
from lpmanager.errors import ChainError, RpcUnavailable, UsageError, WrongChain
from lpmanager.execution.intent import Intent
from lpmanager.ledger import tables as t
from lpmanager.ledger.store import Ledger

#: Asked once of each pool, when its market is opened.
CODE = "eth_getCode"


def proxied(desk: Desk) -> AbstractContextManager[FaultProxy]:
    """A proxy before the devnet's RPC."""
    url = desk.devnet.backend.rpc_url
    assert url is not None
    return fault_proxy(url, 1)


@contextmanager
def behind(desk: Desk, *proxies: FaultProxy) -> Iterator[Opener]:
    """Opens the desk's campaign live, by these RPCs."""
    env = desk.folder / ".env"
    lines = [line for line in env.read_text().splitlines() if "RPC" not in line]
    env.write_text("\n".join([*lines, f"LPM_RPC_URL={' '.join(p.url for p in proxies)}"]))
    with signing(load(desk.config), ["main"], lambda: False, 0.0) as open_campaign:
        desk.devnet.refresh()
        yield open_campaign


def cycle(desk: Desk, open_campaign: Opener) -> None:
    desk.devnet.refresh()
    run_cycle(open_campaign("main"))


def asked(rpc: FaultProxy, method: str) -> int:
    return sum(seen.method == method for seen in rpc.log)


def journal_rows(desk: Desk) -> list[str]:
    ledger = Ledger.read(f"sqlite:///{desk.folder / 'lpmanager.db'}")
    with ledger.engine.connect() as connection:
        return list(connection.execute(select(t.journal.c.digest)).scalars())


@pytest.mark.parametrize("how", [["run"], ["run", "--live"]])
def test_a_timetable_opens_its_market_once(desk: Desk, how: list[str]) -> None:
    desk.devnet.refresh()
    with proxied(desk) as rpc:
        process = desk.start(*how, LPM_RPC_URL=rpc.url)
        assert process.stderr is not None
        lines = [json.loads(process.stderr.readline()) for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert [line["event"] for line in lines] == ["cycle"] * 3
        assert asked(rpc, CODE) == 1


def test_nothing_is_signed_once_the_locks_file_is_deleted(desk: Desk) -> None:
    """Another lpm may hold the new one."""
    settings = load(desk.config)
    (lock,) = lock_paths(settings, settings.chain_of("main"), desk.account)
    with proxied(desk) as rpc, behind(desk, rpc) as open_campaign:
        lock.unlink()
        with pytest.raises(UsageError, match="was deleted"):
            cycle(desk, open_campaign)
    assert desk.devnet.controls.nonce(desk.account) == 0
    assert open_intents(desk) == []


def open_intents(desk: Desk) -> list[Intent]:
    ledger = Ledger.read(f"sqlite:///{desk.folder / 'lpmanager.db'}")
    return ledger.journal(desk.devnet.backend.chain_id).open_intents(desk.account)


def test_a_live_cycle_that_holds_costs_a_look_at_the_head_and_a_round_of_reads(desk: Desk) -> None:
    with proxied(desk) as rpc, behind(desk, rpc) as open_campaign:
        for _ in range(2):
            cycle(desk, open_campaign)
        before = len({seen.post for seen in rpc.log})
        cycle(desk, open_campaign)
        assert len({seen.post for seen in rpc.log}) - before == 2


def test_a_market_that_could_not_be_opened_is_opened_by_the_next_cycle(desk: Desk) -> None:
    with proxied(desk) as rpc, behind(desk, rpc) as open_campaign:
        rpc.inject(Fault.TOO_MANY, CODE)
        with pytest.raises(RpcUnavailable):
            cycle(desk, open_campaign)
        rpc.heal()
        cycle(desk, open_campaign)
        opened = asked(rpc, CODE)
        cycle(desk, open_campaign)
        assert asked(rpc, CODE) == opened


def test_a_lie_about_the_chains_first_block_is_not_kept(desk: Desk) -> None:
    with proxied(desk) as rpc, behind(desk, rpc) as open_campaign:
        rpc.inject(Fault.OTHER_BLOCK, times=2)  # a look at the head, and the first block
        with pytest.raises(WrongChain, match="another chain of the same id"):
            cycle(desk, open_campaign)
        cycle(desk, open_campaign)


@pytest.mark.parametrize("live", [False, True])
def test_an_rpc_that_failed_is_left_alone_in_the_next_cycles_too(desk: Desk, live: bool) -> None:
    desk.edit("[account]", "[rpc]\nquorum = 1\n[account]")
    with proxied(desk) as bad, proxied(desk) as good, behind(desk, bad, good) as open_live:
        bad.inject(Fault.SERVER_ERROR)
        open_campaign = open_live if live else dry(load(desk.config))
        cycle(desk, open_campaign)
        asked_at_first = bad.struck(Fault.SERVER_ERROR)
        for _ in range(2):
            cycle(desk, open_campaign)
        assert bad.struck(Fault.SERVER_ERROR) == asked_at_first > 0


@pytest.mark.parametrize(
    ("fault", "method", "error", "said"),
    [
        (Fault.WRONG_CHAIN, CHAIN_ID, WrongChain, "serves chain"),
        (Fault.OTHER_BLOCK, BLOCK, WrongChain, "another chain of the same id"),
        (Fault.OLD_HEAD, BLOCK, ChainError, "s old by this machine's clock"),
    ],
)
def test_each_cycle_looks_whether_it_still_is_the_chain(
    desk: Desk, fault: Fault, method: str, error: type[ChainError], said: str
) -> None:
    with proxied(desk) as rpc, behind(desk, rpc) as open_campaign:
        cycle(desk, open_campaign)
        rpc.inject(fault, method, blocks=10**6)
        with pytest.raises(error, match=said):
            cycle(desk, open_campaign)
        rpc.heal()
        cycle(desk, open_campaign)


def test_a_store_that_was_used_on_one_chain_is_refused_on_another_of_the_same_id(
    desk: Desk,
) -> None:
    assert desk.lpm("run", "--once", "--live").returncode == 0
    before = journal_rows(desk)
    with a_devnet() as other:
        elsewhere = replace(desk, devnet=other)
        other.give_native(desk.account, 10 * ETHER)
        give_tokens(elsewhere, 50_000 * 10**6, 22 * ETHER)
        url = other.backend.rpc_url
        assert url is not None
        for command in (["run", "--once", "--live"], ["run", "--once"], ["status"]):
            refused = elsewhere.lpm(*command, LPM_RPC_URL=url)
            assert refused.returncode == 4
            assert "another chain of the same id" in refused.stderr
        examined = elsewhere.lpm("doctor", "--json", LPM_RPC_URL=url)
        assert examined.returncode == 4
        assert "another chain of the same id" in examined.stdout
        assert other.controls.nonce(desk.account) == 0
    assert journal_rows(desk) == before
    assert desk.lpm("run", "--once", "--live").returncode == 0
