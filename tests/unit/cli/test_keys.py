"""`lpm keys` and `lpm halt` on the command line, without a chain."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from unittest import mock

import pytest
from eth_account import Account
from live_desk import Done, surroundings

from lpmanager.cli.main import main
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger

#: Public knowledge: the first account of every development chain.
KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
PASSWORD = "correct horse"

Lpm = Callable[..., Done]


@pytest.fixture
def lpm(tmp_path: Path) -> Lpm:
    """Type `lpm ...` in a folder with a password file; `typed` is piped in."""
    (tmp_path / "password").write_text(PASSWORD + "\n")

    def run(*arguments: str, typed: str = "") -> Done:
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(tmp_path),
            mock.patch.dict(os.environ, surroundings({}), clear=True),
            mock.patch.object(sys, "argv", ["lpm", *arguments]),
            mock.patch.object(sys, "stdin", io.StringIO(typed)),
            mock.patch("lpmanager.cli.secret_input.Path", side_effect=OSError("no terminal")),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as left,
        ):
            main()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, out.getvalue(), err.getvalue())

    return run


def put_a_key(folder: Path, name: str = "key.json") -> Path:
    """A keystore that was made quickly."""
    (folder / "keys").mkdir(exist_ok=True)
    path = folder / "keys" / name
    path.touch(mode=0o600)
    path.write_text(json.dumps(Account.encrypt(KEY, PASSWORD, kdf="pbkdf2", iterations=1)))
    return path


def test_a_key_that_is_piped_in_is_sealed_and_only_its_address_shown(
    lpm: Lpm, tmp_path: Path
) -> None:
    done = lpm("keys", "import", "--password-file", "password", typed=f"0x{KEY}\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{ADDRESS}  keys/{ADDRESS}.json\n"
    assert f'keystore = "keys/{ADDRESS}.json"' in " ".join(done.stderr.split())
    assert (tmp_path / "keys" / f"{ADDRESS}.json").stat().st_mode & 0o777 == 0o600
    assert KEY not in done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr


def test_what_is_no_key_is_refused_and_not_repeated(lpm: Lpm, tmp_path: Path) -> None:
    done = lpm("keys", "import", "--password-file", "password", typed="attack at dawn")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not a private key" in done.stderr
    assert "attack" not in done.stderr
    assert not (tmp_path / "keys").exists()


def test_a_key_is_no_argument(lpm: Lpm) -> None:
    assert lpm("keys", "import", KEY, typed="").returncode == 2


def test_a_short_password_makes_no_file(lpm: Lpm, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("short")
    done = lpm("keys", "new", "--password-file", "password")
    assert done.returncode == 2
    assert "too short" in done.stderr
    assert not (tmp_path / "keys").exists()


def test_without_a_terminal_a_password_is_not_asked_for(lpm: Lpm) -> None:
    done = lpm("keys", "new")
    assert done.returncode == 2
    assert "no terminal to ask for the new password; name a --password-file" in done.stderr


def test_keys_are_listed_without_a_password(lpm: Lpm, tmp_path: Path) -> None:
    path = put_a_key(tmp_path)
    assert lpm("keys", "list").stdout == f"{ADDRESS}  keys/key.json\n"
    path.chmod(0o644)
    shown = lpm("keys", "list")
    assert "run `chmod 600 keys/key.json`" in shown.stderr
    (told,) = json.loads(lpm("keys", "list", "--json").stdout)["keys"]
    assert told == {"address": ADDRESS, "path": "keys/key.json", "private": False}


def test_a_file_that_is_no_keystore_hides_none(lpm: Lpm, tmp_path: Path) -> None:
    put_a_key(tmp_path)
    (tmp_path / "keys" / "README").write_text("the keys of the desk")
    (tmp_path / "keys" / ".DS_Store").write_bytes(b"\x00\xff")
    shown = lpm("keys", "list")
    assert (shown.returncode, shown.stdout) == (0, f"{ADDRESS}  keys/key.json\n")
    assert shown.stderr.splitlines() == [
        "left out, as it is no keystore v3 file that this user may read: keys/.DS_Store",
        "left out, as it is no keystore v3 file that this user may read: keys/README",
    ]
    told = lpm("keys", "list", "--json")
    assert [key["path"] for key in json.loads(told.stdout)["keys"]] == ["keys/key.json"]
    assert told.stderr == shown.stderr


def test_a_password_file_that_others_may_read_is_told_when_a_key_is_made(
    lpm: Lpm, tmp_path: Path
) -> None:
    (tmp_path / "password").chmod(0o644)
    done = lpm("keys", "import", "--password-file", "password", typed=KEY)
    assert done.returncode == 0
    assert "others may read password; run `chmod 600 password`" in done.stderr
    (tmp_path / "password").chmod(0o600)
    assert "others" not in lpm("keys", "new", "--password-file", "password").stderr


def test_keys_lie_beside_the_configuration_unless_a_folder_is_named(
    lpm: Lpm, tmp_path: Path
) -> None:
    (tmp_path / "desk").mkdir()
    put_a_key(tmp_path / "desk")
    listed = lpm("keys", "list", "--config", "desk/lpmanager.toml").stdout
    assert listed == f"{ADDRESS}  desk/keys/key.json\n"
    assert lpm("keys", "list", "--folder", "desk/keys").stdout == listed
    nothing = lpm("keys", "list")
    assert nothing.returncode == 2
    assert "lpm keys new" in nothing.stderr


@pytest.fixture
def configured(tmp_path: Path) -> None:
    """The template's configuration, of one campaign, without RPC and key."""
    text = files("lpmanager").joinpath("templates", "lpmanager.toml").read_text(encoding="utf-8")
    (tmp_path / "lpmanager.toml").write_text(text.replace("0x" + "0" * 40, ADDRESS))


@pytest.mark.usefixtures("configured")
def test_a_halt_needs_neither_rpc_nor_key_and_lasts_until_it_is_lifted(lpm: Lpm) -> None:
    halted = lpm("halt", "--reason", "the price feed looks odd")
    assert (halted.returncode, halted.stdout) == (0, "")
    assert "eth-usdc is halted" in halted.stderr
    assert "lpm resume eth-usdc" in halted.stderr
    resumed = lpm("resume", "--yes")
    assert resumed.returncode == 0
    assert "eth-usdc is halted: the price feed looks odd" in resumed.stderr
    assert "eth-usdc runs again" in resumed.stderr
    assert lpm("resume", "--yes").returncode == 2


@pytest.mark.usefixtures("configured")
def test_a_halt_is_lifted_by_name_and_only_where_there_is_one(lpm: Lpm) -> None:
    refused = lpm("resume", "eth-usdc", "--yes")
    assert refused.returncode == 2
    assert "campaign eth-usdc is not halted" in refused.stderr
    assert lpm("halt", "eth-usdc").returncode == 0
    assert lpm("resume", "eth-usdc", typed="n\n").returncode == 1
    assert lpm("resume", "eth-usdc", "--yes").returncode == 0


@pytest.mark.usefixtures("configured")
def test_every_reason_is_shown_and_what_comes_after_that_is_not_lifted(
    lpm: Lpm, tmp_path: Path
) -> None:
    for reason in ("the price looks odd", "the books look odd"):
        lpm("halt", "--reason", reason)

    def another_halt_comes(*_told: object, **_options: object) -> None:
        engine = Ledger.open(f"sqlite:///{tmp_path}/lpmanager.db").engine
        Diary(engine, "eth-usdc").halt("somebody else signs", 1)
        engine.dispose()

    with mock.patch("typer.confirm", side_effect=another_halt_comes):
        resumed = lpm("resume")
    assert resumed.returncode == 1
    for shown in ("the price looks odd", "the books look odd"):
        assert f"eth-usdc is halted: {shown}\n" in resumed.stderr
    assert "eth-usdc was halted anew meanwhile: somebody else signs; " in resumed.stderr
    assert "runs again" not in resumed.stderr
    again = lpm("resume", "--yes")
    assert again.returncode == 0
    assert "look" not in again.stderr


@pytest.mark.usefixtures("configured")
def test_an_unknown_campaign_is_neither_halted_nor_resumed(lpm: Lpm) -> None:
    for verb in ("halt", "resume"):
        refused = lpm(verb, "eth-usdt")
        assert refused.returncode == 2
        assert "there is no campaign 'eth-usdt'" in refused.stderr


@pytest.mark.usefixtures("configured")
def test_a_repair_is_not_asked_for_by_what_goes_with_it_alone(lpm: Lpm) -> None:
    for arguments in (["--yes"], ["--used-up", "8"]):
        refused = lpm("doctor", *arguments)
        assert refused.returncode == 2
        assert f"{arguments[0]} goes with --repair" in refused.stderr


@pytest.mark.usefixtures("configured")
def test_a_whole_journal_is_not_repaired(lpm: Lpm) -> None:
    for arguments in ((), ("--yes",)):
        whole = lpm("doctor", "--repair", *arguments)
        assert whole.returncode == 0
        assert "the journal is whole: nothing to repair" in whole.stderr
    assert json.loads(lpm("doctor", "--repair", "--json").stdout) == {"whole": True, "done": False}
