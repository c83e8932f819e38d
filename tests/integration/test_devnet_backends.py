"""Both devnet backends answer as one node would, and leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_utils.crypto import keccak

from lpmanager.abi import ContractCall
from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.node import Node, Receipt, receipt_question
from lpmanager.chain.transport import RpcError
from lpmanager.devnet.anvil import AnvilBackend, Fork, Fresh
from lpmanager.devnet.backend import ACCOUNT_BALANCE, CHAIN_ID, Backend, Controls, transaction
from lpmanager.devnet.tester import EthTesterBackend
from lpmanager.errors import CallReverted, ChainError, RpcUnavailable, TransactionFailed

GENESIS = 1_704_000_000
ROOT = Path(__file__).parents[2]

#: The first key of the public mnemonic.
FIRST_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

REVERT_ONE = "0x600160005260206000fd"
RETURN_ONE = "0x600160005260206000f3"
ONE = "0x" + f"{1:064x}"


@pytest.fixture(params=["eth-tester", "anvil"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    made: Backend = (
        EthTesterBackend(GENESIS)
        if request.param == "eth-tester"
        else AnvilBackend(Fresh(genesis_timestamp=GENESIS))
    )
    with made as running:
        yield running


def ask(backend: Backend, method: str, *params: Any) -> Any:
    return backend.transport.request_many([(method, list(params))])[0]


def pay(backend: Backend, raw: int) -> None:
    Controls(backend).execute(
        backend.accounts[0], backend.accounts[1], b"", value=raw, what="a payment"
    )


def signed_payment(backend: Backend, nonce: int, chain_id: int = CHAIN_ID) -> bytes:
    signed = Account.sign_transaction(
        {
            "chainId": chain_id,
            "nonce": nonce,
            "to": backend.accounts[1],
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": 3 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        },
        FIRST_KEY,
    )
    return bytes(signed.raw_transaction)


def test_the_chain_is_the_one_every_development_tool_knows(backend: Backend) -> None:
    Node(backend.transport, CHAIN_ID).check_chain()
    assert backend.accounts[0] == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert len(backend.accounts) == 10
    balance = ask(backend, "eth_getBalance", backend.accounts[9], "latest")
    assert int(balance, 16) == ACCOUNT_BALANCE * 10**18


def test_each_transaction_is_mined_one_second_after_the_block_before(backend: Backend) -> None:
    controls = Controls(backend)
    controls.mine(GENESIS + 100)
    controls.node.send_raw(signed_payment(backend, nonce=0))
    pay(backend, 1)
    head = controls.node.head()
    assert (head.number, head.timestamp) == (3, GENESIS + 102)


def test_a_raw_transaction_is_mined_by_itself(backend: Backend) -> None:
    node = Node(backend.transport, CHAIN_ID)
    raw = signed_payment(backend, nonce=0)
    node.send_raw(raw)
    receipt = receipt_of(node, "0x" + keccak(raw).hex())
    assert receipt.succeeded
    assert receipt.gas_used == 21_000
    assert receipt.gas_paid == 21_000 * (node.block(1).base_fee + 10**9)


def receipt_of(node: Node, tx_hash: str) -> Receipt:
    """Once it is told: anvil mines after it has answered."""
    give_up = time.monotonic() + 10
    while (receipt := node.ask(receipt_question(tx_hash))) is None:
        assert time.monotonic() < give_up
        time.sleep(0.005)
    return receipt


def test_base_fees_follow_the_same_path() -> None:
    paths = []
    for made in (EthTesterBackend(GENESIS), AnvilBackend(Fresh(genesis_timestamp=GENESIS))):
        with made as running:
            for raw in range(5):
                pay(running, raw)
            node = Controls(running).node
            paths.append([node.block(number).base_fee for number in range(1, 6)])
    assert paths[0] == paths[1]


def test_the_next_block_can_be_told_its_time(backend: Backend) -> None:
    controls = Controls(backend)
    controls.set_next_timestamp(GENESIS + 500)
    pay(backend, 1)
    pay(backend, 1)
    assert controls.node.block(1).timestamp == GENESIS + 500
    assert controls.node.block(2).timestamp == GENESIS + 501


def test_without_automine_transactions_wait_for_one_block(backend: Backend) -> None:
    controls = Controls(backend)
    sender, to = backend.accounts[:2]
    controls.set_automine(False)
    controls.queue([transaction(sender, to, b"", value=1, nonce=nonce) for nonce in range(3)])
    assert controls.node.head().number == 0
    controls.mine(GENESIS + 12)
    controls.set_automine(True)
    assert len(ask(backend, "eth_getBlockReceipts", "latest")) == 3
    assert controls.nonce(sender) == 3


def test_a_call_sees_the_block_it_names(backend: Backend) -> None:
    node = Controls(backend).node
    before = node.head()
    pay(backend, 5)
    account = backend.accounts[1]
    then, now = (
        int(ask(backend, "eth_getBalance", account, {"blockHash": block.hash}), 16)
        for block in (before, node.head())
    )
    assert now - then == 5


def test_a_call_may_carry_creation_code_and_no_address(backend: Backend) -> None:
    head = Controls(backend).node.head()
    assert ask(backend, "eth_call", {"data": RETURN_ONE}, {"blockHash": head.hash}) == ONE


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_a_revert_comes_back_with_its_data(backend: Backend, method: str) -> None:
    error = ask(backend, method, {"data": REVERT_ONE}, "latest")
    assert isinstance(error, RpcError)
    assert (error.code, error.data) == (3, ONE)


def test_a_reverted_transaction_is_mined_and_reported(backend: Backend) -> None:
    with pytest.raises(TransactionFailed, match="nonsense failed"):
        Controls(backend).execute(
            backend.accounts[0], None, bytes.fromhex(REVERT_ONE[2:]), what="nonsense"
        )
    assert Controls(backend).node.head().number == 1


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("eth_call", [{"data": RETURN_ONE}, {"blockHash": "0x" + "12" * 32}], -32001),
        ("eth_call", [{"data": "0xfe"}, "latest"], -32603),
        ("eth_sendRawTransaction", ["0x1234"], -32602),
        ("evm_mine", [{"timestamp": GENESIS - 1, "blocks": 1}], -32602),
        ("eth_conjure", [], -32601),
    ],
)
def test_refusals_have_the_codes_of_a_node(
    backend: Backend, method: str, params: list[Any], code: int
) -> None:
    error = ask(backend, method, *params)
    assert isinstance(error, RpcError)
    assert error.code == code


def test_a_used_nonce_and_an_empty_purse_are_refused(backend: Backend) -> None:
    controls = Controls(backend)
    node = controls.node
    node.send_raw(signed_payment(backend, nonce=0))
    while controls.nonce(backend.accounts[0]) == 0:
        pass  # until it is mined anvil knows the transaction, but not that the nonce is used
    with pytest.raises(ChainError, match="nonce too low"):
        node.send_raw(signed_payment(backend, nonce=0))
    with pytest.raises(ChainError, match="Insufficient funds"):
        pay(backend, ACCOUNT_BALANCE * 10**19)


def test_a_transaction_for_another_chain_is_refused(backend: Backend) -> None:
    controls = Controls(backend)
    with pytest.raises(ChainError, match=r"(?i)chain id"):
        controls.node.send_raw(signed_payment(backend, nonce=0, chain_id=1))
    pay(backend, 1)
    assert controls.node.head().number == 1


def test_a_call_cannot_spend_what_its_sender_lacks(backend: Backend) -> None:
    poor = {"from": "0x" + "12" * 20, "to": backend.accounts[0], "value": "0x1"}
    assert isinstance(ask(backend, "eth_call", poor, "latest"), RpcError)


def test_what_a_node_does_not_know_is_null(backend: Backend) -> None:
    assert ask(backend, "eth_getBlockByNumber", "0x99", False) is None
    assert ask(backend, "eth_getTransactionReceipt", "0x" + "12" * 32) is None


def test_anvil_is_gone_after_its_block() -> None:
    with AnvilBackend(Fresh(genesis_timestamp=GENESIS)) as running:
        transport = running.transport
    with pytest.raises(RpcUnavailable):
        transport.request_many([("eth_chainId", [])])


def test_anvil_dies_with_a_process_that_is_killed_without_warning() -> None:
    script = (
        "import time\n"
        "from lpmanager.devnet.anvil import AnvilBackend, Fresh\n"
        f"with AnvilBackend(Fresh(genesis_timestamp={GENESIS})) as running:\n"
        "    print(running.rpc_url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as owner:
        assert owner.stdout is not None
        port = owner.stdout.readline().strip().rpartition(":")[2]
        os.kill(owner.pid, signal.SIGKILL)
    assert _closes(int(port))


def test_a_fork_continues_a_private_copy() -> None:
    with AnvilBackend(Fresh(genesis_timestamp=GENESIS)) as original:
        pay(original, 5)
        url = original.rpc_url
        assert url is not None
        with AnvilBackend(Fork(url=url, block=None)) as fork:
            pay(fork, 7)
            assert fork.chain_id == CHAIN_ID
            assert Controls(fork).node.head().timestamp == GENESIS + 2
            assert Controls(original).node.head().number == 1


def test_a_fork_of_nothing_says_so() -> None:
    with (
        pytest.raises(ChainError, match=r"anvil did not start: .*refused"),
        AnvilBackend(Fork(url="http://127.0.0.1:1", block=None)),
    ):
        pass


def command_lines() -> str:
    """Of all that runs on this machine."""
    told = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            told.append(file.read_text(errors="replace").replace("\0", " "))
    return "\n".join(told)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="command lines are looked up in /proc")
def test_the_key_in_the_url_of_a_fork_is_in_no_command_line_and_no_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the folder it is started in says of RPCs."""
    (tmp_path / "foundry.toml").write_text(
        '[rpc_endpoints]\nmine = "http://127.0.0.1:1"\nlpm_origin = "http://127.0.0.1:2"\n'
    )
    monkeypatch.chdir(tmp_path)
    key = "0123456789abcdef"
    with AnvilBackend(Fresh(genesis_timestamp=GENESIS)) as original:
        pay(original, 5)
        origin = Fork(url=f"{original.rpc_url}/?apikey={key}", block=1)
        assert key not in repr(origin)
        with AnvilBackend(origin) as fork:
            assert Controls(fork).node.head().number == 1
            assert "--fork-url lpm_origin" in command_lines()
            assert key not in command_lines()
    with (
        pytest.raises(ChainError, match="anvil did not start") as refused,
        AnvilBackend(Fork(url=f"http://127.0.0.1:1/v3/{key}", block=None)),
    ):
        pass
    assert key not in str(refused.value)


def test_a_call_that_reverts_raises_with_its_data(backend: Backend) -> None:
    controls = Controls(backend)
    receipt = controls.execute(
        backend.accounts[0], None, own_artifact("FlowTrader").bytecode, what="deploy"
    )
    assert receipt.succeeded
    created = ask(backend, "eth_getTransactionReceipt", receipt.tx_hash)["contractAddress"]
    call = ContractCall(created, b"\x12\x34\x56\x78", bytes)
    with pytest.raises(CallReverted) as raised:
        controls.node.call(call, controls.node.head())
    assert raised.value.data == b""


def _closes(port: int) -> bool:
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return True
        time.sleep(0.02)
    return False
