"""`lpm` as the user of a vault types it, against a chain with the real contracts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from live_desk import ETHER, Desk, Devnet, new_desk
from vault_desk import another_pool
from vault_world import deploy_vault

from lpmanager.chain.node import Question
from lpmanager.devnet.deploy import fund
from lpmanager.devnet.orders import Trade
from lpmanager.venues import erc20, liquidity_vault

USDC_RAW, WETH_RAW = 50_000 * 10**6, 22 * ETHER


@pytest.fixture
def desk(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """A desk whose account has coins for gas and nothing else."""
    made = new_desk(devnet, tmp_path, request.node.nodeid)
    devnet.give_native(made.account, 10 * ETHER)
    return made


@pytest.fixture
def vault(desk: Desk) -> str:
    """The campaign's vault, which holds 50,000 USDC and 22 WETH; a dev account owns it."""
    backend, deployment = desk.devnet.backend, desk.devnet.deployment
    made = deploy_vault(backend, deployment, owner=owner_of(desk), operator=desk.account)
    fund(backend, deployment, made, deployment.pool.amounts(USDC_RAW, WETH_RAW))
    configure(desk, made)
    return made


def configure(desk: Desk, vault: str) -> None:
    desk.edit("[campaigns.main]\n", f'[campaigns.main]\ncustody = "vault"\nvault = "{vault}"\n')


def owner_of(desk: Desk) -> str:
    return desk.devnet.backend.accounts[3]


def execute_as_owner(desk: Desk, vault: str, data: bytes) -> None:
    desk.devnet.controls.execute(owner_of(desk), vault, data, what="an order of the owner")


def nonce(desk: Desk) -> int:
    question = Question("eth_getTransactionCount", [desk.account, "latest"], lambda n: int(n, 16))
    return desk.devnet.controls.node.ask(question)


def balances(desk: Desk, account: str) -> list[int]:
    node, pool = desk.devnet.controls.node, desk.devnet.deployment.pool
    tokens = (pool.token0.address, pool.token1.address)
    return node.call_many([erc20.balance_of(t, account) for t in tokens], node.head())


def test_a_plan_for_a_vault_is_made_rehearsed_and_carried_out_in_one_transaction(
    desk: Desk, vault: str
) -> None:
    status = desk.json("status")["campaigns"]["main"]
    assert status["wallet"] == {"USDC": "50000", "WETH": "22"}
    planned = desk.lpm("plan", "--out", "p.json")
    assert planned.returncode == 0, planned.stderr

    rehearsed = desk.json("execute", "p.json")
    assert rehearsed["simulated"] == f"rebalance 0 of vault {vault}"
    assert nonce(desk) == 0

    done = desk.json("execute", "p.json", "--live")
    assert (done["stopped"], done["books_closed"]) == (None, True)
    assert len(done["steps"]) == nonce(desk) == 1
    assert balances(desk, desk.account) == [0, 0]

    again = desk.lpm("execute", "p.json", "--live")
    assert again.returncode == 5
    assert nonce(desk) == 1


def test_run_once_live_puts_a_vault_to_work_and_its_books_close_to_the_wei(
    desk: Desk, vault: str
) -> None:
    cycle = desk.json("run", "--once", "--live")["campaigns"]["main"]
    assert cycle["decision"] == "plan"
    assert nonce(desk) == 1
    trade(desk, usdc_raw=60_000 * 10**6)

    again = desk.json("run", "--once", "--live")["campaigns"]["main"]
    assert (again["decision"], again["outcome"]) == ("hold", None)
    assert nonce(desk) == 1

    status = desk.json("status")["campaigns"]["main"]
    assert len(status["positions"]) == len(ranges(desk, vault)) > 0
    report = desk.json("report")["campaigns"]["main"]
    assert report["identity_error"] == "0"
    assert report["put_in"] == {"USDC": "50000", "WETH": "22"}
    assert float(report["fees"]) > 0
    assert balances(desk, desk.account) == [0, 0]


def test_what_is_paid_into_a_vault_later_is_a_deposit_and_no_gain(desk: Desk, vault: str) -> None:
    assert desk.json("run", "--once", "--live")["campaigns"]["main"]["decision"] == "plan"
    backend, deployment = desk.devnet.backend, desk.devnet.deployment
    fund(backend, deployment, vault, deployment.pool.amounts(1_000 * 10**6, 0))
    report = desk.json("report")["campaigns"]["main"]
    assert report["identity_error"] == "0"
    assert report["net_deposits"] == "1000"


def test_a_paused_vault_holds_and_goes_on_once_it_is_let(desk: Desk, vault: str) -> None:
    execute_as_owner(desk, vault, liquidity_vault.pause())
    cycle = desk.json("run", "--once", "--live")["campaigns"]["main"]
    assert cycle["decision"] == "hold"
    assert "paused" in json.dumps(cycle)
    assert nonce(desk) == 0
    execute_as_owner(desk, vault, liquidity_vault.unpause())
    assert desk.json("run", "--once", "--live")["campaigns"]["main"]["decision"] == "plan"
    assert nonce(desk) == 1


@pytest.mark.parametrize("command", [("plan",), ("run", "--once", "--live")])
def test_an_address_without_a_contract_is_no_vault(desk: Desk, command: tuple[str, ...]) -> None:
    configure(desk, desk.account)
    done = desk.lpm(*command)
    assert done.returncode == 3
    assert f"campaigns.main.vault: vault {desk.account}: there is no contract" in done.stderr


def test_another_contract_is_no_vault(desk: Desk) -> None:
    configure(desk, desk.devnet.deployment.pool.token0.address)
    done = desk.lpm("plan")
    assert done.returncode == 3
    assert "the contract there is not this version's vault" in done.stderr


def test_a_vault_of_another_pool_is_none_for_the_campaign(desk: Desk, vault: str) -> None:
    here = desk.devnet.deployment.pool.address
    there = another_pool(desk.devnet)
    desk.edit(here, there)
    done = desk.lpm("plan")
    assert done.returncode == 3
    assert f"campaigns.main.vault: vault {vault} is for pool {here}, the campaign" in done.stderr
    assert f"({there}); name that pool, or the vault that was made for this one" in done.stderr


def trade(desk: Desk, *, usdc_raw: int) -> None:
    """Somebody buys WETH for USDC in the pool."""
    order = Trade(zero_for_one=True, raw_in=usdc_raw)
    deployment, somebody = desk.devnet.deployment, desk.devnet.backend.accounts[1]
    data = order.calldata(deployment.pool.address)
    desk.devnet.controls.execute(somebody, deployment.flow_trader, data, what="a trade")


def ranges(desk: Desk, vault: str) -> tuple[object, ...]:
    node = desk.devnet.controls.node
    return node.call(liquidity_vault.ranges(vault), node.head())
