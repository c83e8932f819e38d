"""The proxy itself: it lies as told, and its mempool is as strict as geth's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from faults.fault_proxy import Fault, FaultProxy, fault_proxy

from lpmanager.chain.node import (
    Node,
    balance_question,
    chain_id_question,
    pending_nonce_question,
    receipt_question,
)
from lpmanager.chain.transport import HttpTransport
from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.backend import CHAIN_ID, Controls
from lpmanager.errors import ChainError, MaybeSent, RpcUnavailable

GWEI = 10**9
#: Of the second dev account. Warning: the key is public.
KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


@pytest.fixture(scope="module")
def backend() -> Iterator[AnvilBackend]:
    with AnvilBackend(Fresh(genesis_timestamp=1_700_000_000)) as running:
        Controls(running).mine(1_700_000_100)
        yield running


@pytest.fixture
def proxy(backend: AnvilBackend) -> Iterator[FaultProxy]:
    assert backend.rpc_url is not None
    with fault_proxy(backend.rpc_url, seed=1) as running:
        yield running


def node(proxy: FaultProxy, patience_s: float = 10.0) -> Node:
    return Node(HttpTransport(proxy.url, patience_s), CHAIN_ID)


def send(proxy: FaultProxy, nonce: int, max_fee: int, tip: int, *, patience_s: float = 10.0) -> str:
    """The hash of a signed transaction that was handed over."""
    signed = Account.from_key(KEY).sign_transaction(
        {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": nonce,
            "to": "0x" + "77" * 20,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": tip,
        }
    )
    node(proxy, patience_s).send_raw(bytes(signed.raw_transaction))
    return "0x" + bytes(signed.hash).hex()


def nonce(proxy: FaultProxy) -> int:
    return node(proxy).ask(pending_nonce_question(str(Account.from_key(KEY).address)))


def test_a_replacement_must_offer_a_tenth_more_of_both(
    backend: AnvilBackend, proxy: FaultProxy
) -> None:
    controls, n = Controls(backend), nonce(proxy)
    controls.set_automine(False)
    try:
        send(proxy, n, 100 * GWEI, 10 * GWEI)
        for max_fee, tip in ((105, 11), (110, 10), (200, 10), (100, 20), (109, 11)):
            with pytest.raises(MaybeSent, match="replacement transaction underpriced"):
                send(proxy, n, max_fee * GWEI, tip * GWEI)
        with pytest.raises(MaybeSent, match="already known"):
            send(proxy, n, 100 * GWEI, 10 * GWEI)
        replaced = send(proxy, n, 110 * GWEI, 11 * GWEI)
        controls.mine(controls.node.head().timestamp + 1)
    finally:
        controls.set_automine(True)
    receipt = node(proxy).ask(receipt_question(replaced))
    assert receipt is not None
    with pytest.raises(MaybeSent, match=f"nonce too low: next nonce {n + 1}, tx nonce {n}"):
        send(proxy, n, 200 * GWEI, 20 * GWEI)


@pytest.mark.parametrize(
    "fault", [Fault.STALL_BEFORE, Fault.TOO_MANY], ids=lambda fault: fault.name.lower()
)
def test_what_fails_before_the_node_never_gets_there(proxy: FaultProxy, fault: Fault) -> None:
    n = nonce(proxy)
    proxy.inject(fault, "eth_sendRawTransaction", times=1)
    with pytest.raises(MaybeSent):
        send(proxy, n, 100 * GWEI, GWEI, patience_s=0.5)
    assert nonce(proxy) == n


def test_what_is_forgotten_is_taken_as_it_seems_and_never_gets_there(proxy: FaultProxy) -> None:
    n = nonce(proxy)
    proxy.inject(Fault.FORGOTTEN, times=1)
    tx_hash = send(proxy, n, 100 * GWEI, GWEI)
    assert nonce(proxy) == n
    (told,) = [seen.answer for seen in proxy.log if seen.method == "eth_sendRawTransaction"]
    assert told["result"] == tx_hash
    assert send(proxy, n, 100 * GWEI, GWEI) == tx_hash
    assert nonce(proxy) == n + 1


@pytest.mark.parametrize(
    "fault",
    [Fault.STALL_AFTER, Fault.SERVER_ERROR, Fault.RESET, Fault.CUT_JSON, Fault.HTML],
    ids=lambda fault: fault.name.lower(),
)
def test_what_fails_after_the_node_got_there(proxy: FaultProxy, fault: Fault) -> None:
    n = nonce(proxy)
    proxy.inject(fault, "eth_sendRawTransaction", times=1)
    with pytest.raises(MaybeSent):
        send(proxy, n, 100 * GWEI, GWEI, patience_s=0.5)
    assert nonce(proxy) == n + 1
    assert proxy.struck(fault) == 1


def test_another_hash_is_told_and_changes_nothing(proxy: FaultProxy) -> None:
    n = nonce(proxy)
    proxy.inject(Fault.WRONG_HASH)
    tx_hash = send(proxy, n, 100 * GWEI, GWEI)
    assert nonce(proxy) == n + 1
    assert proxy.hashes_sent() == [tx_hash]


def test_faults_begin_and_end_when_told(proxy: FaultProxy) -> None:
    proxy.inject(Fault.WRONG_CHAIN, after=1, times=2)
    found = [node(proxy).ask(chain_id_question()) for _ in range(4)]
    assert found == [CHAIN_ID, 1, 1, CHAIN_ID]
    proxy.inject(Fault.WRONG_CHAIN)
    assert node(proxy).ask(chain_id_question()) == 1
    proxy.heal()
    assert node(proxy).ask(chain_id_question()) == CHAIN_ID


def test_chance_falls_the_same_for_the_same_seed(backend: AnvilBackend) -> None:
    assert backend.rpc_url is not None
    runs: list[list[Any]] = []
    for seed in (7, 7, 8):
        with fault_proxy(backend.rpc_url, seed) as proxy:
            proxy.inject(Fault.WRONG_CHAIN, chance=0.5)
            runs.append([node(proxy).ask(chain_id_question()) for _ in range(20)])
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {1, CHAIN_ID}


def test_a_node_behind_knows_nothing_newer(backend: AnvilBackend, proxy: FaultProxy) -> None:
    controls, account = Controls(backend), backend.accounts[3]
    for _ in range(12):
        controls.execute(account, account, b"", what="nothing")
    head = controls.node.head()
    proxy.inject(Fault.OLD_HEAD, blocks=10)
    old = node(proxy)
    assert old.head() == controls.node.block(head.number - 10)
    assert old.ask(pending_nonce_question(account)) == controls.nonce(account) - 10
    with pytest.raises(ChainError, match="does not know the block"):
        old.block(head.number - 9)
    with pytest.raises(ChainError, match="header not found"):
        old.ask(balance_question(account, head))
    earlier = controls.node.block(head.number - 10)
    asked = balance_question(account, earlier)
    assert old.ask(asked) == controls.node.ask(asked)


def test_other_blocks_are_other_ones_and_always_the_same(
    backend: AnvilBackend, proxy: FaultProxy
) -> None:
    honest = Controls(backend).node.head()
    proxy.inject(Fault.OTHER_BLOCK)
    assert node(proxy).head().hash == node(proxy).head().hash != honest.hash


def test_a_tall_head_is_ahead_of_the_chain_and_all_below_is_true(
    backend: AnvilBackend, proxy: FaultProxy
) -> None:
    honest = Controls(backend).node.head()
    proxy.inject(Fault.TALL_HEAD, blocks=10**9)
    tall = node(proxy)
    head = tall.head()
    assert (head.number, head.timestamp) == (honest.number + 10**9, honest.timestamp)
    assert tall.block(honest.number) == honest
    with pytest.raises(ChainError):
        tall.ask(balance_question(backend.accounts[0], head))


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault.WRONG_ID, "mixes up its answers"),
        (Fault.NO_RESULT, "not JSON-RPC"),
        (Fault.SHORT_BATCH, "got 1 answers"),
    ],
    ids=["wrong_id", "no_result", "short_batch"],
)
def test_a_malformed_batch_is_told_as_such(proxy: FaultProxy, fault: Fault, why: str) -> None:
    proxy.inject(fault)
    with pytest.raises(RpcUnavailable, match=why):
        node(proxy).ask_many([chain_id_question(), chain_id_question()])
