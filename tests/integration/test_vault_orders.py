"""What an owner orders a vault by `lpm vault`, against a chain with the real contracts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from live_desk import ETHER, Devnet
from vault_desk import USDC, VaultDesk, a_vault_desk

from lpmanager.chain.node import Question, code_question
from lpmanager.errors import ChainError
from lpmanager.execution.keystore import seal
from lpmanager.venues import liquidity_vault

STRANGER = "0x00000000000000000000000000000000000000A1"
NOBODY = liquidity_vault.NOBODY


@pytest.fixture
def desk(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> VaultDesk:
    return a_vault_desk(devnet, tmp_path, request.node.nodeid)


def veto(desk: VaultDesk, *arguments: str) -> str:
    """What a command that is refused says."""
    done = desk.lpm("vault", *arguments)
    assert done.returncode == 5, (done.stdout, done.stderr)
    return " ".join(done.stderr.split())


def test_money_goes_in_and_comes_out_to_the_wei(desk: VaultDesk) -> None:
    vault = desk.deployed()
    before = desk.balances(desk.owner)
    funded = desk.json_of("fund", "main", "1234.567891 USDC", "0.5 WETH", "--live")
    assert [deed["status"] for deed in funded["done"]] == ["final", "final"]
    assert desk.balances(vault) == (1_234_567_891, ETHER // 2)
    desk.json_of("withdraw", "main", "1000 USDC", "all WETH", "--live")
    assert desk.balances(vault) == (234_567_891, 0)
    desk.json_of("exit", "main", "--live")
    assert desk.balances(vault) == (0, 0)
    assert desk.balances(desk.owner) == before


def test_a_dry_run_sends_nothing(desk: VaultDesk) -> None:
    vault = desk.deployed()
    before = desk.balances(desk.owner)
    told = desk.json_of("fund", "main", "100 USDC")
    (sent,) = told["transactions"]
    assert sent["to"] == desk.devnet.deployment.pool.token0.address
    shown = desk.lpm("vault", "fund", "main", "100 USDC")
    assert f"  data   {sent['data']}\n" in shown.stdout
    assert "nothing was signed" in shown.stderr
    assert (desk.balances(vault), desk.balances(desk.owner)) == ((0, 0), before)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["fund", "main", "50001 USDC"], "asked for 50,001.000000 USDC, owner"),
        (["withdraw", "main", "11 USDC"], "asked for 11.000000 USDC, vault"),
        (["withdraw", "main", "all WETH"], "asked for 0.000000000000000000 WETH, vault"),
        (["unpause", "main"], "is not paused"),
    ],
)
def test_what_makes_no_sense_is_vetoed(
    desk: VaultDesk, arguments: list[str], expected: str
) -> None:
    desk.deployed()
    desk.json_of("fund", "main", "10 USDC", "--live")
    for live in ([], ["--live"]):
        assert expected in veto(desk, *arguments, *live)


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (["5 DAI"], "'DAI' does not name one token of the pool"),
        (["5"], "'' does not name one token"),
        (["five USDC"], "'five' is not a decimal amount of USDC"),
        (["0 USDC"], "expected more than 0"),
        (["-5 USDC"], "expected more than 0"),
        (["5 USDC", "6 usdc"], "USDC is named twice"),
    ],
)
def test_amounts_that_are_none_are_wrong_usage(
    desk: VaultDesk, amounts: list[str], expected: str
) -> None:
    desk.deployed()
    done = desk.lpm("vault", "fund", "main", "--", *amounts)
    assert done.returncode == 2
    assert expected in " ".join(done.stderr.split())


def test_another_vaults_owner_is_told_whose_it_is(desk: VaultDesk) -> None:
    desk.deployed()
    desk.json_of("fund", "main", "10 USDC", "--live")
    desk.edit(f'[owner]\naddress = "{desk.owner}"', f'[owner]\naddress = "{STRANGER}"')
    for arguments in (["withdraw", "main", "5 USDC"], ["exit", "main"], ["unpause", "main"]):
        assert f"is owned by {desk.owner}, owner.address is {STRANGER}" in veto(desk, *arguments)
    assert "may pause it" in veto(desk, "pause", "main")


def test_the_guardian_can_pause_and_do_nothing_else(desk: VaultDesk) -> None:
    guardian = desk.devnet.backend.accounts[6]
    desk.deployed("--guardian", guardian)
    desk.edit(f'[owner]\naddress = "{desk.owner}"', f'[owner]\naddress = "{guardian}"')
    (sent,) = desk.json_of("pause", "main")["transactions"]
    data = bytes.fromhex(sent["data"].removeprefix("0x"))
    desk.devnet.controls.execute(guardian, sent["to"], data, what="pause")
    assert desk.json_of("status")["vaults"]["main"]["paused"] is True
    assert "is owned by" in veto(desk, "unpause", "main")


def test_the_operators_key_can_take_nothing_out(desk: VaultDesk) -> None:
    vault = desk.deployed()
    desk.json_of("fund", "main", "10 USDC", "--live")
    text, node = desk.config.read_text(), desk.devnet.controls.node
    desk.edit(f'[owner]\naddress = "{desk.owner}"', f'[owner]\naddress = "{desk.account}"')
    refused = desk.lpm("vault", "exit", "main", "--live")
    assert (refused.returncode, "owner.address: is account.address" in refused.stderr) == (3, True)
    desk.config.write_text(text)
    node.ask(Question("anvil_impersonateAccount", [desk.account], lambda done: done))
    token = desk.devnet.deployment.pool.token0.address
    for data in (
        liquidity_vault.exit_all(desk.account),
        liquidity_vault.withdraw(token, 1, desk.account),
        liquidity_vault.set_operator(desk.account),
    ):
        with pytest.raises(ChainError):
            desk.devnet.controls.execute(desk.account, vault, data, what="theft")
    assert desk.balances(vault) == (10 * USDC, 0)


def test_the_owner_leaves_though_the_vault_is_paused(desk: VaultDesk) -> None:
    vault = desk.deployed()
    desk.json_of("fund", "main", "10 USDC", "1 WETH", "--live")
    desk.json_of("pause", "main", "--live")
    assert "paused already" in veto(desk, "pause", "main", "--live")
    desk.json_of("exit", "main", "--leave", "WETH", "--live")
    assert desk.balances(vault) == (0, ETHER)
    desk.json_of("exit", "main", "--live")
    assert desk.balances(vault) == (0, 0)
    desk.json_of("unpause", "main", "--live")
    assert desk.json_of("status")["vaults"]["main"]["paused"] is False


def test_no_money_goes_into_code_that_is_not_ours_but_all_comes_out(desk: VaultDesk) -> None:
    vault = desk.deployed()
    desk.json_of("fund", "main", "10 USDC", "--live")
    node = desk.devnet.controls.node
    other = node.ask(code_question(vault, node.head())) + b"\0"
    node.ask(Question("anvil_setCode", [vault, "0x" + other.hex()], lambda done: done))
    for live in ([], ["--live"]):
        refused = desk.lpm("vault", "fund", "main", "10 USDC", *live)
        assert refused.returncode == 3
        assert "is not this version's vault" in " ".join(refused.stderr.split())
    assert desk.balances(vault) == (10 * USDC, 0)
    desk.json_of("exit", "main", "--live")
    assert desk.balances(vault) == (0, 0)


def test_the_owner_names_another_operator_or_none(desk: VaultDesk) -> None:
    desk.deployed()
    for operator in (STRANGER, NOBODY):
        desk.json_of("set-operator", "main", operator, "--live")
        assert desk.json_of("status")["vaults"]["main"]["operator"] == operator
    shown = " ".join(desk.lpm("vault", "status").stdout.split())
    assert f"nobody; NOT the configured account {desk.account}" in shown


def test_bounds_that_are_not_named_stay(desk: VaultDesk) -> None:
    desk.deployed()
    before = desk.json_of("status")["vaults"]["main"]["bounds"]
    desk.json_of("set-bounds", "main", "--cooldown", "2m", "--live")
    after = desk.json_of("status")["vaults"]["main"]["bounds"]
    assert after == {**before, "cooldown_s": 120}
    assert "expected from 60 to" in veto(desk, "set-bounds", "main", "--cooldown", "1s")


def test_what_the_owner_signs_elsewhere_stops_nobody(desk: VaultDesk) -> None:
    vault = desk.deployed()
    node, controls = desk.devnet.controls.node, desk.devnet.controls
    node.ask(Question("anvil_impersonateAccount", [desk.owner], lambda done: done))
    controls.execute(desk.owner, STRANGER, b"", value=1, what="another wallet")
    desk.json_of("fund", "main", "10 USDC", "--live")
    assert desk.balances(vault) == (10 * USDC, 0)


def test_a_halt_of_the_campaign_does_not_stop_its_owner(desk: VaultDesk) -> None:
    vault = desk.deployed()
    desk.json_of("fund", "main", "10 USDC", "--live")
    assert desk.lpm("halt", "main").returncode == 0
    desk.json_of("exit", "main", "--live")
    assert desk.balances(vault) == (0, 0)


def test_the_owners_keystore_signs_and_its_key_is_never_shown(desk: VaultDesk) -> None:
    kept = seal(bytes.fromhex(desk.owner_key[2:]), "correct horse", desk.folder / "owner")
    dotenv = desk.folder / ".env"
    dotenv.write_text(dotenv.read_text().split("LPM_OWNER_PRIVATE_KEY")[0])
    desk.edit(
        f'[owner]\naddress = "{desk.owner}"',
        f'[owner]\naddress = "{desk.owner}"\nkeystore = "owner/{kept.path.name}"',
    )
    variables = {"LPM_OWNER_KEYSTORE_PASSWORD": "wrong horse"}
    wrong = desk.lpm("-v", "vault", "deploy", "main", "--live", **variables)
    assert wrong.returncode == 3
    assert "owner.keystore: " in wrong.stderr
    variables = {"LPM_OWNER_KEYSTORE_PASSWORD": "correct horse"}
    made = desk.lpm("-v", "vault", "deploy", "main", "--live", **variables)
    assert made.returncode == 0, made.stderr
    written = (desk.folder / "lpmanager.db").read_bytes()
    for secret in (desk.owner_key[2:], "correct horse", "wrong horse"):
        assert secret.encode() not in written
        assert secret not in wrong.stdout + wrong.stderr + made.stdout + made.stderr


def test_doctor_looks_at_the_owner_too(desk: VaultDesk) -> None:
    told = json.loads(desk.lpm("doctor", "--json").stdout)
    owners = [check["name"] for check in told["checks"] if check["subject"] == "owner"]
    assert owners == [
        "open transactions on devnet",
        "signing key",
        "password",
        "lock on devnet",
    ]
