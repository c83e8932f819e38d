"""Keys as people use them: made at a terminal, opened by hand or by systemd, or kept elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from live_desk import Desk, surroundings
from loopback_signer import loopback_signer
from terminal import Session, at_a_terminal

from lpmanager.chain.node import Question
from lpmanager.cli.campaigns import signing
from lpmanager.config import load
from lpmanager.execution.keystore import seal

PASSWORD = "correct horse"
OTHER_KEY = "0x" + "11" * 32


def type_at_a_terminal(desk: Desk, *arguments: str, answers: list[tuple[str, str]]) -> Session:
    desk.devnet.refresh()
    return at_a_terminal(
        [sys.executable, "-m", "lpmanager.cli.main", *arguments],
        answers,
        folder=desk.folder,
        environment=surroundings({}),
    )


def sent(desk: Desk) -> int:
    """How many transactions of the account are mined."""
    asked = Question("eth_getTransactionCount", [desk.account, "latest"], lambda n: int(n, 16))
    return desk.devnet.controls.node.ask(asked)


def forget_clear_key(desk: Desk) -> None:
    env = desk.folder / ".env"
    lines = env.read_text().splitlines()
    env.write_text("\n".join(line for line in lines if "LPM_PRIVATE_KEY" not in line))


def set_account(desk: Desk, *lines: str) -> None:
    """Sign in another way than by a key in clear text."""
    forget_clear_key(desk)
    desk.edit("[account]", "\n".join(("[account]", *lines)))


@pytest.fixture
def sealed(desk: Desk) -> Desk:
    """A desk whose key is in a keystore with a password."""
    kept = seal(bytes.fromhex(desk.key[2:]), PASSWORD, desk.folder / "keys")
    set_account(desk, f'keystore = "keys/{kept.path.name}"')
    return desk


def test_a_key_made_at_a_terminal_is_never_on_the_screen(desk: Desk) -> None:
    made = type_at_a_terminal(
        desk, "keys", "new", answers=[("new password: ", PASSWORD), ("again: ", PASSWORD)]
    )
    assert made.returncode == 0, made.screen
    (file,) = (desk.folder / "keys").iterdir()
    assert file.stem in made.screen
    key = bytes(Account.decrypt(json.loads(file.read_text()), PASSWORD)).hex()
    assert key not in made.screen
    assert PASSWORD not in made.screen


def test_a_password_that_is_mistyped_makes_no_file(desk: Desk) -> None:
    made = type_at_a_terminal(
        desk, "keys", "new", answers=[("new password: ", PASSWORD), ("again: ", "correct house")]
    )
    assert made.returncode == 2
    assert "was not the same twice" in made.screen
    assert not (desk.folder / "keys").exists()


def test_a_key_typed_in_signs_after_its_password_was_typed(desk: Desk) -> None:
    taken = type_at_a_terminal(
        desk,
        "keys",
        "import",
        answers=[
            ("private key in hex: ", desk.key),
            ("new password: ", PASSWORD),
            ("again: ", PASSWORD),
        ],
    )
    assert taken.returncode == 0, taken.screen
    assert desk.key[2:] not in taken.screen
    set_account(desk, f'keystore = "keys/{desk.account}.json"')
    live = ("run", "--once", "--live")
    wrong = type_at_a_terminal(desk, *live, answers=[("password of the keystore: ", "guess")])
    assert wrong.returncode == 3
    assert "does not open" in wrong.screen
    assert sent(desk) == 0
    right = type_at_a_terminal(desk, *live, answers=[("password of the keystore: ", PASSWORD)])
    assert right.returncode == 0, right.screen
    assert PASSWORD not in right.screen
    assert sent(desk) > 0


def test_a_run_without_a_terminal_says_where_to_put_the_password(sealed: Desk) -> None:
    done = sealed.start("run", "--once", "--live")
    _out, err = done.communicate(timeout=60)
    assert done.returncode == 2
    assert "set account.password_file or account.password_credential" in err


def test_one_password_opens_the_keystore_for_all_campaigns(
    sealed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answered(what: str, instead: str) -> str:
        asked.append((what, instead))
        return PASSWORD

    monkeypatch.setattr("lpmanager.cli.secret_input.ask_secret", answered)
    text = sealed.config.read_text()
    campaign = text[text.index("[campaigns.main]") : text.index("[chains.devnet]")]
    second = campaign.replace("campaigns.main", "campaigns.second")
    sealed.config.write_text(
        text + second.replace(sealed.devnet.deployment.pool.address, "0x" + "11" * 20)
    )
    with signing(load(sealed.config), ["main", "second"], lambda: False, 0.0):
        assert len(asked) == 1


def test_systemd_hands_over_the_password(sealed: Desk) -> None:
    sealed.edit("[account]", '[account]\npassword_credential = "lpm-keystore"')
    missing = sealed.lpm("run", "--once", "--live")
    assert missing.returncode == 3
    assert "LoadCredential=lpm-keystore:FILE" in missing.stderr
    (sealed.folder / "handed").mkdir()
    (sealed.folder / "handed" / "lpm-keystore").write_text(PASSWORD + "\n")
    handed = str(sealed.folder / "handed")
    done = sealed.lpm("run", "--once", "--live", CREDENTIALS_DIRECTORY=handed)
    assert done.returncode == 0, done.stderr
    assert sent(sealed) > 0


@pytest.mark.parametrize("kind", ["web3signer", "clef"])
def test_a_signer_elsewhere_signs_a_whole_plan(desk: Desk, kind: str) -> None:
    with loopback_signer(desk.key) as server:
        set_account(desk, f'signer_url = "{server.url}"', f'signer_kind = "{kind}"')
        assert desk.json("doctor")["healthy"] is True
        done = desk.lpm("run", "--once", "--live")
        assert done.returncode == 0, done.stderr
        asked = [post["method"] for post in server.posts if "sign" in post["method"].lower()]
        assert len(asked) == sent(desk) > 0
        assert desk.json("report")["campaigns"]["main"]["identity_error"] == "0"


def stolen(transaction: dict[str, Any]) -> dict[str, Any]:
    return transaction | {"to": str(Account.from_key(OTHER_KEY).address)}


def another_nonce(transaction: dict[str, Any]) -> dict[str, Any]:
    return transaction | {"nonce": transaction["nonce"] + 1}


@pytest.mark.parametrize("whim", [stolen, another_nonce])
def test_what_a_signer_made_of_it_is_not_sent_and_halts_the_campaign(
    desk: Desk, whim: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    with loopback_signer(desk.key, whim) as server:
        set_account(desk, f'signer_url = "{server.url}"', 'signer_kind = "web3signer"')
        done = desk.lpm("run", "--once", "--live")
        assert done.returncode == 1
        assert "signed another" in done.stderr
        assert sent(desk) == 0
        again = desk.lpm("run", "--once", "--live")
    assert "main is halted" in again.stderr
    assert len(server.posts) == 1


def test_a_signer_that_is_away_stops_the_plan_and_the_next_cycle_goes_on(desk: Desk) -> None:
    with loopback_signer(desk.key) as server:
        set_account(
            desk,
            f'signer_url = "{server.url}"',
            'signer_kind = "web3signer"',
            'signer_timeout = "1s"',
        )
    away = desk.lpm("run", "--once", "--live")
    assert away.returncode == 1
    assert sent(desk) == 0
    with loopback_signer(desk.key) as server:
        text = desk.config.read_text()
        old = next(line for line in text.splitlines() if line.startswith("signer_url"))
        desk.edit(old, f'signer_url = "{server.url}"')
        back = desk.lpm("run", "--once", "--live")
    assert back.returncode == 0, back.stderr
    assert sent(desk) > 0


def test_a_signer_of_another_account_is_found_by_the_doctor(desk: Desk) -> None:
    with loopback_signer(OTHER_KEY) as server:
        set_account(desk, f'signer_url = "{server.url}"', 'signer_kind = "web3signer"')
        told = json.loads(desk.lpm("doctor", "--json").stdout)
    (wrong,) = (check for check in told["checks"] if not check["passed"])
    assert wrong["name"] == "signing key"
    assert "does not sign for" in wrong["found"]


def test_a_keys_folder_is_made_beside_the_configuration(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    config = str(desk.config)
    done = desk.lpm("keys", "new", "-c", config, "--password-file", str(tmp_path / "password"))
    assert done.returncode == 0, done.stderr
    assert (desk.folder / "keys").is_dir()
