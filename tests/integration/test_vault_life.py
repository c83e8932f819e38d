"""The life of a vault as its owner and its operator type it; the books close to the wei."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from live_desk import Desk, Devnet, typed
from sqlalchemy import text
from vault_desk import USDC, VaultDesk, a_vault_desk, another_pool

from lpmanager.account_lock import only_one
from lpmanager.chain.node import Question
from lpmanager.chain.presets import Chain
from lpmanager.config import load
from lpmanager.desk import owner as owners_desk
from lpmanager.desk.signing import lock_paths, send_policy
from lpmanager.execution.sender import SendPolicy
from lpmanager.ledger.store import Ledger
from lpmanager.settings import Settings


@pytest.fixture
def desk(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> VaultDesk:
    return a_vault_desk(devnet, tmp_path, request.node.nodeid)


def cycle(desk: Desk) -> tuple[str, list[str], int]:
    """What a live cycle decided, the gates that were closed, and the transactions it took."""
    told = desk.json("run", "--once", "--live")["campaigns"]["main"]
    closed = [gate["name"] for gate in told["gates"] if not gate["passed"]]
    return told["decision"], closed, len((told["outcome"] or {"steps": []})["steps"])


def in_books(desk: VaultDesk) -> tuple[str, str]:
    """All that the campaign's books hold in whole USDC and WETH. A report is only made of books
    that equal the chain."""
    held = desk.json("report")["campaigns"]["main"]["held"]
    return held["USDC"], held["WETH"]


@contextmanager
def nothing_mined(desk: VaultDesk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Inside the `with` block nothing is mined, and an owner waits for a second alone."""

    def impatient(settings: Settings, chain: Chain, within_s: int) -> SendPolicy:
        return replace(send_policy(settings, chain, within_s), timeout_s=1.0)

    desk.devnet.refresh()
    with monkeypatch.context() as patched:
        patched.setattr(owners_desk, "send_policy", impatient)
        desk.devnet.controls.set_automine(False)
        try:
            yield
        finally:
            desk.devnet.controls.set_automine(True)


def lose_the_last_signature(desk: VaultDesk) -> None:
    """Let the journal's last row of a signature rot."""
    ledger = Ledger.open(f"sqlite:///{desk.folder / 'lpmanager.db'}")
    with ledger.engine.begin() as connection:
        last = "(SELECT max(id) FROM journal WHERE event = 'signed')"
        connection.execute(text(f"UPDATE journal SET intent = 'x' WHERE id = {last}"))
    ledger.engine.dispose()


def test_from_the_first_deposit_to_the_exit(desk: VaultDesk) -> None:
    desk.edit('quote = "USDC"', 'quote = "USDC"\nchanged_by_hand = "adopt"')
    before = desk.balances(desk.owner)
    vault = desk.deployed("--cooldown", "1m")
    desk.json_of("fund", "main", "20000 USDC", "8 WETH", "--live")

    desk.json_of("pause", "main", "--live")
    assert cycle(desk) == ("hold", ["vault paused"], 0)
    desk.json_of("unpause", "main", "--live")
    assert cycle(desk) == ("plan", [], 1)
    seen = desk.json_of("status")["vaults"]["main"]
    assert seen["seq"] == 1
    assert len(seen["ranges"]) > 0
    (usdc, weth) = in_books(desk)
    assert 19_999 < float(usdc) <= 20_000
    assert 7.999 < float(weth) <= 8

    desk.json_of("fund", "main", "1000 USDC", "--live")
    desk.json_of("withdraw", "main", "300 USDC", "--live")
    assert cycle(desk)[0] == "hold"
    assert in_books(desk) == (str(float(usdc) + 700), weth)

    desk.json_of("exit", "main", "--live")
    assert desk.balances(vault) == (0, 0)
    assert cycle(desk)[0] == "hold"
    assert in_books(desk) == ("0", "0")
    after = desk.balances(desk.owner)
    assert all(0 <= b - a <= 2 for b, a in zip(before, after, strict=True))  # what the pool keeps


def test_a_campaign_halts_where_its_owner_left_and_that_is_not_adopted(desk: VaultDesk) -> None:
    desk.deployed()
    desk.json_of("fund", "main", "20000 USDC", "8 WETH", "--live")
    assert cycle(desk)[0] == "plan"
    desk.json_of("exit", "main", "--live")
    stopped = desk.lpm("run", "--once", "--live")
    assert stopped.returncode == 1
    assert 'set changed_by_hand = "adopt"' in stopped.stderr


def test_a_vault_that_another_account_runs_is_left_alone(desk: VaultDesk) -> None:
    desk.deployed()
    desk.json_of("fund", "main", "20000 USDC", "8 WETH", "--live")
    desk.json_of("set-operator", "main", "0x" + "0" * 40, "--live")
    assert cycle(desk) == ("hold", ["vault operator"], 0)


def test_what_was_maybe_sent_is_settled_by_the_same_command(
    desk: VaultDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = desk.deployed()
    desk.json_of("fund", "main", "5 USDC", "--live")

    with nothing_mined(desk, monkeypatch):
        timed_out = desk.lpm("vault", "withdraw", "main", "all USDC", "--live")
        assert desk.balances(vault) == (5 * USDC, 0)
    assert timed_out.returncode == 4
    assert "it may still be, and is looked up first next time" in " ".join(timed_out.stderr.split())
    again = desk.lpm("vault", "withdraw", "main", "5 USDC", "--live")
    assert again.returncode == 0, again.stderr
    assert "done by an earlier command" in again.stdout
    assert desk.balances(vault) == (0, 0)


def test_a_damaged_journal_is_not_mended_while_an_order_may_still_be_mined(
    desk: VaultDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = desk.deployed()
    with nothing_mined(desk, monkeypatch):
        assert desk.lpm("vault", "fund", "main", "5 USDC", "--live").returncode == 4
        lose_the_last_signature(desk)
        shown = typed(desk.folder, "doctor", "--repair", "--json").stdout  # mines no block
    obstacles = json.loads(shown)["obstacles"]
    assert any(f"1 transactions of {desk.owner} are pending" in found for found in obstacles)
    assert any("was signed and may still be mined" in found for found in obstacles)
    assert desk.lpm("doctor", "--repair", "--yes").returncode == 0
    assert desk.balances(vault) == (5 * USDC, 0)
    desk.json_of("exit", "main", "--live")
    assert desk.balances(vault) == (0, 0)


def test_two_programs_do_not_sign_for_the_owner_at_once(desk: VaultDesk) -> None:
    settings = load(desk.config)
    with only_one(lock_paths(settings, settings.chain_of("main"), desk.owner)):
        second = desk.lpm("vault", "deploy", "main", "--live")
    assert second.returncode == 2
    assert "another lpm signs for the account" in second.stderr


# ---- doctor ----


def rows(desk: VaultDesk) -> dict[str, tuple[bool, str]]:
    """What doctor says of the campaign's vault."""
    told = json.loads(desk.lpm("doctor", "--json").stdout)["checks"]
    return {
        check["name"]: (check["passed"], check["found"])
        for check in told
        if check["subject"] == "main" and check["name"].startswith("vault ")
    }


def test_doctor_finds_a_sound_vault_sound(desk: VaultDesk) -> None:
    desk.deployed()
    desk.json_of("fund", "main", "20000 USDC", "8 WETH", "--live")
    done = desk.lpm("doctor")
    assert done.returncode == 0, done.stdout
    assert cycle(desk)[0] == "plan"
    seen = rows(desk)
    assert [name for name, (passed, _) in seen.items() if not passed] == []
    assert list(seen) == [
        "vault code",
        "vault pool",
        "vault owner",
        "vault operator",
        "vault pause",
        "vault oracle",
        "vault budget",
        "vault cooldown",
    ]
    assert seen["vault cooldown"][1].startswith("until ")
    assert seen["vault budget"][1].endswith("may be lost now")


def test_doctor_says_why_a_vault_does_nothing(desk: VaultDesk) -> None:
    vault = desk.deployed()
    stranger = "0x00000000000000000000000000000000000000A1"
    desk.json_of("set-operator", "main", stranger, "--live")
    desk.json_of("pause", "main", "--live")
    wrong = {name: found for name, (passed, found) in rows(desk).items() if not passed}
    assert list(wrong) == ["vault operator", "vault pause"]
    assert f"`lpm vault set-operator main {desk.account}`" in wrong["vault operator"]
    assert "`lpm vault unpause main`" in wrong["vault pause"]
    desk.edit(f'[owner]\naddress = "{desk.owner}"', f'[owner]\naddress = "{stranger}"')
    passed, found = rows(desk)["vault owner"]
    assert (passed, found.startswith(f"the vault is owned by {desk.owner}")) == (False, True)
    desk.edit(f'vault = "{vault}"', f'vault = "{desk.devnet.deployment.factory}"')
    assert list(rows(desk)) == ["vault code"]
    assert "is not this version's vault" in rows(desk)["vault code"][1]


def test_a_vault_of_another_pool_is_found_by_doctor_and_by_its_owner(desk: VaultDesk) -> None:
    vault, here = desk.deployed(), desk.devnet.deployment.pool.address
    there = another_pool(desk.devnet)
    desk.edit(here, there)
    mended = f"vault {vault} is for pool {here}, the campaign for USDC/WETH 0.3% ({there}); name"
    passed, found = rows(desk)["vault pool"]
    assert (passed, found.startswith(mended)) == (False, True)
    told = desk.lpm("vault", "status")
    assert told.returncode == 3
    assert f"campaigns.main.vault: {mended}" in told.stderr


def test_doctor_finds_an_oracle_that_is_too_short_for_the_vault(desk: VaultDesk) -> None:
    desk.deployed()
    desk.json_of("set-bounds", "main", "--twap-window", "30d", "--live")
    passed, found = rows(desk)["vault oracle"]
    assert not passed
    assert "averages the price over 2592000 s" in found


def test_doctor_asks_for_gas_money_where_it_is_spent(desk: VaultDesk) -> None:
    desk.deployed()
    node = desk.devnet.controls.node
    node.ask(Question("anvil_setBalance", [desk.account, "0x0"], lambda done: done))
    told = json.loads(desk.lpm("doctor", "--json").stdout)["checks"]
    (gas,) = (check for check in told if check["name"] == "gas money")
    assert (gas["passed"], gas["found"].endswith(f"send some to {desk.account}")) == (False, True)
