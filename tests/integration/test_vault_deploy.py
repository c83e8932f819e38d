"""`lpm vault deploy` as an owner types it, against a chain with the real contracts."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_desk import Devnet
from vault_desk import VaultDesk, a_vault_desk

from lpmanager.abi import Function
from lpmanager.chain.node import Question, code_question
from lpmanager.chain.vaults import is_ours
from lpmanager.desk.vault_bounds import (
    DEFAULT,
    LEAST_COOLDOWN_S,
    LEAST_TWAP_WINDOW_S,
    MOST_DEVIATION_TICKS,
    MOST_LOSS_PER_DAY_PIPS,
)
from lpmanager.execution.deployment import DEPLOYER, DEPLOYER_CODE


@pytest.fixture
def desk(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> VaultDesk:
    return a_vault_desk(devnet, tmp_path, request.node.nodeid)


def code_at(desk: VaultDesk, address: str) -> bytes:
    node = desk.devnet.controls.node
    return node.ask(code_question(address, node.head()))


def veto(desk: VaultDesk, *arguments: str) -> str:
    """What a command that is refused says."""
    done = desk.lpm("vault", *arguments)
    assert done.returncode == 5, (done.stdout, done.stderr)
    return " ".join(done.stderr.split())


def test_a_dry_run_shows_what_any_wallet_can_send(desk: VaultDesk) -> None:
    told = desk.json_of("deploy", "main")
    (sent,) = told["transactions"]
    assert (told["live"], sent["from"], sent["to"]) == (False, desk.owner, DEPLOYER)
    assert code_at(desk, told["vault"]) == b""
    stranger = desk.devnet.backend.accounts[5]
    data = bytes.fromhex(sent["data"].removeprefix("0x"))
    desk.devnet.controls.execute(stranger, sent["to"], data, what="another wallet")
    assert is_ours(code_at(desk, told["vault"]))
    shown = desk.lpm("vault", "deploy", "main")
    assert "stands already" in shown.stderr
    assert f'custody = "vault"\nvault = "{told["vault"]}"\n' in shown.stdout


def test_the_transaction_is_printed_in_full(desk: VaultDesk) -> None:
    (sent,) = desk.json_of("deploy", "main")["transactions"]
    lines = desk.lpm("vault", "deploy", "main").stdout.splitlines()
    assert f"  data   {sent['data']}" in lines
    assert f"  to     {DEPLOYER}" in lines


def test_the_same_vault_is_made_once(desk: VaultDesk) -> None:
    first = desk.json_of("deploy", "main", "--live")
    (done,) = first["done"]
    assert (done["status"], done["earlier"]) == ("final", False)
    again = desk.json_of("deploy", "main", "--live")
    assert (again["vault"], again["done"]) == (first["vault"], [])
    other = desk.json_of("deploy", "main", "--max-move", "1999", "--live")
    assert other["vault"] != first["vault"]


def test_a_new_vault_is_its_owners_and_the_account_runs_it(desk: VaultDesk) -> None:
    guardian = "0x00000000000000000000000000000000000000A2"
    vault = desk.deployed("--guardian", guardian, "--cooldown", "1m", "--max-loss-per-day", "2%")
    seen = desk.json_of("status")["vaults"]["main"]
    assert (seen["address"], seen["owner"], seen["operator"], seen["guardian"]) == (
        vault,
        desk.owner,
        desk.account,
        guardian,
    )
    assert seen["bounds"] == {
        "twap_window_s": DEFAULT.twap_window_s,
        "max_deviation_ticks": DEFAULT.max_deviation_ticks,
        "min_width_ticks": DEFAULT.min_width_ticks,
        "max_move_ticks": DEFAULT.max_move_ticks,
        "cooldown_s": 60,
        "max_loss_per_call_pips": DEFAULT.max_loss_per_call_pips,
        "max_loss_per_day_pips": 20_000,
    }
    assert seen["ranges"] == []
    assert seen["idle"] == {"USDC": "0", "WETH": "0"}


def test_the_maxima_are_the_contracts_own(desk: VaultDesk) -> None:
    vault, node = desk.deployed(), desk.devnet.controls.node

    def told(name: str) -> int:
        return node.call(Function(f"{name}()", "(uint256)").call(vault, read=int), node.head())

    assert told("MIN_TWAP_WINDOW") == LEAST_TWAP_WINDOW_S
    assert told("MIN_COOLDOWN") == LEAST_COOLDOWN_S
    assert told("MAX_DEVIATION") == MOST_DEVIATION_TICKS
    assert told("MAX_LOSS_PER_DAY") == MOST_LOSS_PER_DAY_PIPS
    assert DEFAULT.twap_window_s > LEAST_TWAP_WINDOW_S
    assert DEFAULT.cooldown_s > LEAST_COOLDOWN_S
    assert DEFAULT.max_deviation_ticks < MOST_DEVIATION_TICKS
    assert DEFAULT.max_loss_per_day_pips < MOST_LOSS_PER_DAY_PIPS


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--twap-window", "59s"], "--twap-window: expected from 60 to"),
        (["--cooldown", "0"], "--cooldown: expected from 60 to"),
        (["--max-deviation", "201"], "--max-deviation: expected from 0 to 200, found 201"),
        (["--max-loss-per-day", "5.0001%"], "--max-loss-per-day: expected from 0 to 50000, fo"),
        (["--max-loss-per-call", "2%"], "--max-loss-per-call: expected at most --max-loss-per-day"),
        (["--min-width", str(2**24)], "--min-width: expected from 0 to 16777215"),
        (["--max-move", "-1"], "--max-move: expected from 0 to"),
        (["--twap-window", "30d"], "the pool's oracle does not reach back the 2592000 s"),
    ],
)
def test_bounds_that_the_vault_would_refuse_are_refused(
    desk: VaultDesk, options: list[str], expected: str
) -> None:
    for live in ([], ["--live"]):
        assert expected in veto(desk, "deploy", "main", *options, *live)


def test_the_owner_may_not_be_the_operator(desk: VaultDesk) -> None:
    assert "would be the owner" in veto(desk, "deploy", "main", "--operator", desk.owner)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["deploy", "other"], "there is no campaign 'other'"),
        (["deploy", "main", "--guardian", "0x12"], "expected an address"),
        (["deploy", "main", "--cooldown", "soon"], "--cooldown: expected seconds, or a duration"),
        (
            ["deploy", "main", "--max-loss-per-day", "many"],
            "--max-loss-per-day: expected a share in percent",
        ),
        (["fund", "main", "5 USDC"], "campaign main has no vault; make one with `lpm vault deploy"),
        (["status"], "no campaign has a vault"),
    ],
)
def test_what_cannot_be_done_as_asked_is_wrong_usage(
    desk: VaultDesk, arguments: list[str], expected: str
) -> None:
    done = desk.lpm("vault", *arguments)
    assert done.returncode == 2
    assert expected in " ".join(done.stderr.split())


def test_a_chain_without_the_deployer_is_told_of(desk: VaultDesk) -> None:
    node = desk.devnet.controls.node

    def put(code: bytes) -> None:
        node.ask(Question("anvil_setCode", [DEPLOYER, "0x" + code.hex()], lambda done: done))

    for code, found in ((b"", "found nothing"), (b"\x00", "found another contract")):
        put(code)
        try:
            assert found in veto(desk, "deploy", "main")
        finally:
            put(DEPLOYER_CODE)


def test_without_an_owner_there_is_no_vault_to_make(desk: VaultDesk) -> None:
    desk.edit(f'[owner]\naddress = "{desk.owner}"\n', "")
    done = desk.lpm("vault", "deploy", "main")
    assert done.returncode == 3
    assert done.stderr.startswith("lpm: owner: missing; name the account")
