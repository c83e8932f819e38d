"""Each precondition on this machine, wrong and right, with how to mend it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from builders import a_purpose
from eth_account import Account
from eth_utils.crypto import keccak
from faults.bad_disks import without_privileges
from loopback_rpc import Answer, always, loopback, result
from loopback_signer import loopback_signer
from sqlalchemy import text

from lpmanager.account_lock import only_one
from lpmanager.chain.node import Node
from lpmanager.chain.presets import Chain, presets
from lpmanager.chain.transport import HttpTransport
from lpmanager.config import load
from lpmanager.desk.signing import lock_paths
from lpmanager.doctor import Check, examine
from lpmanager.doctor.chain import look_at_chain
from lpmanager.doctor.check import attempt
from lpmanager.doctor.machine import look_at_machine
from lpmanager.doctor.vault import look_at_vault
from lpmanager.errors import ClockDrift, LpmError, RpcUnavailable
from lpmanager.execution.keystore import seal
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.model import Block
from lpmanager.settings import Settings

NAME = "eth-usdc"
#: Public knowledge: the first account of every development chain.
KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = str(Account.from_key(KEY).address)
OTHER = "0x1F98431c8aD98523631AE4a59f267346ea31F984"


def settings_with(
    folder: Path, account: str = "", store: str = "sqlite:///lpmanager.db", address: str = ADDRESS
) -> Settings:
    """The template's settings; `account` are more lines of its [account] table."""
    text = files("lpmanager").joinpath("templates", "lpmanager.toml").read_text(encoding="utf-8")
    text = text.replace("sqlite:///lpmanager.db", store)
    path = folder / "lpmanager.toml"
    path.write_text(text.replace(f'"0x{"0" * 40}"', f'"{address}"\n{account}', 1))
    return load(path)


def machine(settings: Settings) -> dict[str, Check]:
    """What was looked at, by its name."""
    return {check.name: check for check in look_at_machine(settings, [NAME], [base()])}


def machine_of_a_user(settings: Settings) -> dict[str, Check]:
    """The same, looked at by somebody whom the modes of files bind: root is not."""
    with ThreadPoolExecutor(1, initializer=without_privileges) as thread:
        return thread.submit(machine, settings).result()


def base() -> Chain:
    return presets()["base"]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'lpmanager.db'}")
    yield ledger
    ledger.engine.dispose()


def test_a_new_desk_is_sound_and_nothing_is_left_on_its_disk(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    checks = machine(settings)
    assert [name for name, check in checks.items() if not check.passed] == []
    assert list(checks) == [
        "disk",
        "database",
        "journal",
        "open transactions on base",
        "halt",
        "secrets",
        "signing key",
        "password",
        "lock on base",
    ]
    assert checks["database"].found.endswith("will be made by the first live run")
    assert checks["signing key"].found == "none, so dry runs only"
    assert [path.name for path in tmp_path.iterdir()] == ["lpmanager.toml"]


@pytest.mark.parametrize("folder", ["/proc", "missing"])
def test_a_folder_that_takes_no_file_is_found(tmp_path: Path, folder: str) -> None:
    checks = machine(settings_with(tmp_path, store=f"sqlite:///{folder}/lpmanager.db"))
    assert "takes no file" in checks["disk"].found
    assert not checks["disk"].passed


def test_a_full_disk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shutil.disk_usage(tmp_path)._replace(free=255 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: found)
    disk = machine(settings_with(tmp_path))["disk"]
    assert not disk.passed
    assert "expected 256 MiB free, found 255; make room" in disk.found


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
def test_a_store_that_this_user_may_not_write_is_found(
    tmp_path: Path, ledger: Ledger, ending: str
) -> None:
    settings = settings_with(tmp_path)
    assert machine_of_a_user(settings)["database"].passed
    with ledger.engine.connect() as connection:  # keeps the log beside the file
        connection.execute(text("SELECT * FROM journal"))
        path = tmp_path / f"lpmanager.db{ending}"
        path.chmod(0o444)
        database = machine_of_a_user(settings)["database"]
    assert not database.passed
    assert database.found == (
        f"{path}: this user may not write it, so nothing can be signed; let this user write it"
    )


def test_a_folder_that_this_user_may_not_enter_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    settings = settings_with(tmp_path, store=f"sqlite:///{folder}/lpmanager.db")
    folder.chmod(0)
    checks = machine_of_a_user(settings)
    folder.chmod(0o700)
    wrong = {name: check.found for name, check in checks.items() if not check.passed}
    assert set(wrong) == {"disk", "database", "lock on base"}
    assert wrong["database"] == (
        f"{folder}/lpmanager.db: cannot be looked for (Permission denied); see that its disk is "
        "there, and let this user enter its folder, or name another one"
    )
    assert wrong["lock on base"].startswith(f"cannot lock {folder}/lpmanager-8453-")


def test_what_is_in_a_database_that_does_not_open_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "lpmanager.db").write_text("no database")
    checks = machine(settings_with(tmp_path))
    assert not checks["database"].passed
    assert not {"journal", "halt"} & checks.keys()
    assert "lock on base" in checks


def test_a_damaged_journal_is_found_with_its_row(tmp_path: Path, ledger: Ledger) -> None:
    ledger.journal(8453).plan(ADDRESS, 5, a_purpose(1))
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE journal SET account = 'x'"))
    journal = machine(settings_with(tmp_path))["journal"]
    assert not journal.passed
    assert "row 1 of the journal is damaged" in journal.found
    assert "lpm doctor --repair" in journal.found


def test_an_open_transaction_is_told_of_with_the_command_that_settles_it(
    tmp_path: Path, ledger: Ledger
) -> None:
    ledger.journal(8453).plan(ADDRESS, 5, a_purpose(1, what="mint"))
    found = machine(settings_with(tmp_path))["open transactions on base"]
    assert not found.passed
    assert "mint of campaign main, nonce 5, is planned" in found.found
    assert "`lpm run --once --live main`" in found.found


def test_a_halt_is_told_of_with_its_reason(tmp_path: Path, ledger: Ledger) -> None:
    Diary(ledger.engine, NAME).halt("a test says so", 1)
    halt = machine(settings_with(tmp_path))["halt"]
    assert not halt.passed
    assert halt.found == f"halted: a test says so; look into it, then `lpm resume {NAME}`"


def test_a_store_beside_the_users_own_lock_has_that_lock_however_it_is_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By two names one lock is two, and whoever takes both waits for itself."""
    home = tmp_path / "real"
    (home / ".local/state/lpmanager").mkdir(parents=True)
    (tmp_path / "home").symlink_to(home)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    settings = settings_with(tmp_path, store=f"sqlite:///{home}/.local/state/lpmanager/books.db")
    paths = lock_paths(settings, settings.chain_of(NAME), ADDRESS)
    assert len(paths) == 1
    with only_one(paths):
        pass


def test_while_lpm_runs_its_lock_and_what_it_has_under_way_are_in_order(
    tmp_path: Path, ledger: Ledger
) -> None:
    settings = settings_with(tmp_path)
    ledger.journal(8453).plan(ADDRESS, 5, a_purpose(1, what="mint"))
    with only_one(lock_paths(settings, settings.chain_of(NAME), ADDRESS)):
        running = machine(settings)
    assert [name for name, check in running.items() if not check.passed] == []
    assert running["lock on base"].found.startswith(f"held by process {os.getpid()}, since ")
    under_way = running["open transactions on base"].found
    assert under_way.startswith(
        f"mint of campaign main, nonce 5, is planned; process {os.getpid()}"
    )
    assert under_way.endswith("sees to it")
    ended = machine(settings)
    assert ended["lock on base"].found == "free"
    assert not ended["open transactions on base"].passed


def test_the_lock_of_another_account_sees_to_nothing_of_ours(
    tmp_path: Path, ledger: Ledger
) -> None:
    settings = settings_with(tmp_path)
    ledger.journal(8453).plan(ADDRESS, 5, a_purpose(1))
    with only_one(lock_paths(settings, settings.chain_of(NAME), OTHER)):
        assert not machine(settings)["open transactions on base"].passed


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seal(KEY, "correct horse", tmp_path_factory.mktemp("keys")).path


def test_a_keystore_for_its_owner_alone_is_sound(tmp_path: Path, keystore: Path) -> None:
    checks = machine(settings_with(tmp_path, f'keystore = "{keystore}"'))
    assert checks["signing key"].found == f"{keystore}, for its owner alone"
    assert checks["password"].found == "asked for at each start"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_keystore_that_others_reach_is_found(tmp_path: Path, keystore: Path, mode: int) -> None:
    keystore.chmod(mode)
    key = machine(settings_with(tmp_path, f'keystore = "{keystore}"'))["signing key"]
    keystore.chmod(0o600)
    assert not key.passed
    assert f"run `chmod 600 {keystore}`" in key.found


def test_the_keystore_of_the_vaults_owner_is_looked_at_too(tmp_path: Path, keystore: Path) -> None:
    settings = settings_with(tmp_path, address=OTHER)
    path = tmp_path / "lpmanager.toml"
    owner = f'[owner]\naddress = "{ADDRESS}"\nkeystore = "{keystore}"\n\n[schedule]'
    path.write_text(path.read_text().replace("[schedule]", owner))
    keystore.chmod(0o640)
    wrong = [c for c in look_at_machine(load(path), [NAME], [base()]) if not c.passed]
    keystore.chmod(0o600)
    assert [(check.subject, check.name) for check in wrong] == [("owner", "signing key")]
    assert wrong[0].found.startswith("owner.keystore: others may read")
    assert settings.owner is None


def test_a_keystore_of_another_account_is_found(tmp_path: Path, keystore: Path) -> None:
    settings = settings_with(tmp_path, f'keystore = "{keystore}"', address=OTHER)
    key = machine(settings)["signing key"]
    assert not key.passed
    assert f"is of {ADDRESS}, account.address is {OTHER}" in key.found


def test_a_keystore_that_is_none_is_found(tmp_path: Path) -> None:
    key = machine(settings_with(tmp_path, 'keystore = "lpmanager.toml"'))["signing key"]
    assert not key.passed
    assert "no keystore v3 file" in key.found


def test_a_password_file_is_for_its_owner_alone(tmp_path: Path, keystore: Path) -> None:
    account = f'keystore = "{keystore}"\npassword_file = "password"'
    settings = settings_with(tmp_path, account)
    assert "cannot read" in machine(settings)["password"].found
    (tmp_path / "password").write_text("correct horse")
    (tmp_path / "password").chmod(0o644)
    assert "others may read" in machine(settings)["password"].found
    (tmp_path / "password").chmod(0o600)
    sound = machine(settings)["password"]
    assert sound.passed
    assert "correct horse" not in sound.found


def test_a_password_that_systemd_hands_over_is_systemds_to_keep(
    tmp_path: Path, keystore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For another user than root it grants the reading by an access list, whose mask a mode shows
    as the group's."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    account = f'keystore = "{keystore}"\npassword_credential = "handed"'
    assert "cannot read" in machine(settings_with(tmp_path, account))["password"].found
    (tmp_path / "handed").write_text("correct horse")
    (tmp_path / "handed").chmod(0o440)
    handed = machine(settings_with(tmp_path, account))["password"]
    assert (handed.passed, handed.found) == (True, f"in {tmp_path}/handed, as systemd keeps it")


@pytest.mark.parametrize(
    "line",
    [
        "LPM_PRIVATE_KEY=0xabc",
        "LPM_OWNER_KEYSTORE_PASSWORD=hunter2",
        "LPM_RPC_URL=https://one.example https://two.example/v3/abcdef12",
        "LPM_RELAY_URL_POLYGON=https://me:pw@relay.example",
    ],
)
def test_an_env_with_a_secret_is_for_its_owner_alone(tmp_path: Path, line: str) -> None:
    env = tmp_path / ".env"
    env.write_text(f"LPM_OWNER_PRIVATE_KEY=\n{line}\n")
    env.chmod(0o644)
    settings = settings_with(tmp_path)
    secrets = machine(settings)["secrets"]
    assert not secrets.passed
    assert secrets.found == (
        f"others may read {env}, which holds {line.split('=')[0]}; run `chmod 600 {env}`"
    )
    env.chmod(0o600)
    assert machine(settings)["secrets"].passed


@pytest.mark.parametrize(
    ("store", "account", "key"),
    [
        ("postgresql+psycopg://me:hunter2@127.0.0.1:1/books", "", "store"),
        (
            "sqlite:///lpmanager.db",
            'signer_url = "https://signer.example/a-token-of-mine"\nsigner_kind = "clef"',
            "account.signer_url",
        ),
    ],
)
def test_a_configuration_with_a_secret_is_for_its_owner_alone(
    tmp_path: Path, store: str, account: str, key: str
) -> None:
    settings = settings_with(tmp_path, account, store=store)
    path = tmp_path / "lpmanager.toml"
    path.chmod(0o640)
    assert machine(settings)["secrets"].found == (
        f"others may read {path}, which holds {key}; run `chmod 600 {path}`"
    )
    path.chmod(0o600)
    assert machine(settings)["secrets"].passed


def test_files_without_a_secret_may_be_read_by_all(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("LPM_RPC_URL=http://127.0.0.1:8545/rpc\nLPM_PRIVATE_KEY=\n")
    env.chmod(0o644)
    secrets = machine(settings_with(tmp_path))["secrets"]
    assert (secrets.passed, secrets.found) == (True, "none in the configuration's files")


def test_a_clear_key_is_refused_on_a_chain_that_is_no_devnet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LPM_PRIVATE_KEY", "0x" + KEY.hex())
    key = machine(settings_with(tmp_path))["signing key"]
    assert not key.passed
    assert "refused on base; take it into a keystore with `lpm keys import`" in key.found
    assert KEY.hex() not in key.found


def test_an_external_signer_is_asked_for_the_account(tmp_path: Path) -> None:
    with loopback_signer("0x" + KEY.hex()) as server:
        account = f'signer_url = "{server.url}"\nsigner_kind = "web3signer"'
        right = machine(settings_with(tmp_path, account))
        wrong = machine(settings_with(tmp_path, account, address=OTHER))
    silent = machine(settings_with(tmp_path, account))
    assert right["signing key"].found.endswith("answers")
    assert right["password"].found == "none is needed"
    assert f"does not sign for {OTHER}" in wrong["signing key"].found
    assert "account.signer_url: " in silent["signing key"].found
    assert [checks["signing key"].passed for checks in (right, wrong, silent)] == [
        True,
        False,
        False,
    ]


def test_without_an_rpc_the_chain_is_not_looked_at(tmp_path: Path) -> None:
    (check,) = look_at_chain(settings_with(tmp_path), base(), lambda: 0)
    assert not check.passed
    assert check.found.startswith("LPM_RPC_URL: missing")


def test_each_rpc_is_told_of_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback(result("0x1")) as other:
        urls = f"{other.url}/KEY-A, http://127.0.0.1:1/KEY-B"
        monkeypatch.setenv("LPM_RPC_URL", urls)
        checks = examine(settings_with(tmp_path), [NAME], lambda: 0)
    rpcs = [check for check in checks if check.name.startswith("RPC")]
    assert [check.passed for check in rpcs] == [False, False]
    assert rpcs[0].name == f"RPC {other.url}"
    (quorum,) = (check for check in checks if check.name == "quorum")
    assert not quorum.passed
    assert [check for check in checks if check.subject == NAME and check.name != "halt"] == []
    assert "KEY-" not in "".join(check.name + check.found for check in checks)


NOW = 1_800_000_000


@contextmanager
def a_base(*, timestamp: int = NOW, code: str = "0x60") -> Iterator[str]:
    """The URL of an RPC of Base, whose newest block has this time and whose contracts this code."""
    block = {
        "number": "0x64",
        "hash": "0x" + "ab" * 32,
        "timestamp": hex(timestamp),
        "baseFeePerGas": "0x1",
    }
    first = {**block, "number": "0x0"}
    told = {"eth_chainId": hex(8453), "eth_getBlockByNumber": block, "eth_getCode": code}

    def result_of(asked: Any) -> Any:
        of_first = asked["method"] == "eth_getBlockByNumber" and asked["params"][0] == "0x0"
        return first if of_first else told[asked["method"]]

    def answer(posted: Any) -> tuple[int, Any]:
        many = posted if isinstance(posted, list) else [posted]
        answers = [{"jsonrpc": "2.0", "id": a["id"], "result": result_of(a)} for a in many]
        return 200, answers if isinstance(posted, list) else answers[0]

    with loopback(answer) as server:
        yield server.url


def chain(settings: Settings, of: Chain | None = None) -> dict[str, Check]:
    return {check.name: check for check in look_at_chain(settings, of or base(), lambda: NOW)}


def test_a_sound_rpc_is_told_of_with_its_head_and_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_base(timestamp=NOW - 3) as url:
        monkeypatch.setenv("LPM_RPC_URL", url)
        checks = chain(settings_with(tmp_path))
    assert [check.passed for check in checks.values()] == [True] * 4
    assert checks[f"RPC {url}"].found == "serves chain 8453, block 100 is 3 s old"
    assert checks["quorum"].found.startswith("enough RPCs agree on block 100, 0xabab")
    assert checks["venue contracts"].found == (
        "all 6 have code; not compared, as no hash of theirs is known: factory, position_manager, "
        "swap_router, quoter, tick_lens, wrapped_native"
    )


@pytest.mark.parametrize(("ahead_s", "right"), [(-10, True), (5, True), (6, False), (29, False)])
def test_a_clock_that_is_behind_the_chains_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead_s: int, right: bool
) -> None:
    with a_base(timestamp=NOW + ahead_s) as url:
        monkeypatch.setenv("LPM_RPC_URL", url)
        clock = chain(settings_with(tmp_path))["clock"]
    assert clock.passed is right
    assert right or f"found 100 of {ahead_s} s ahead; this machine's clock" in clock.found


def test_an_old_head_is_found_and_nothing_else_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_base(timestamp=NOW - 11) as url:
        monkeypatch.setenv("LPM_RPC_URL", url)
        checks = chain(settings_with(tmp_path))
    assert set(checks) == {f"RPC {url}", "quorum"}
    assert "11 s old" in checks[f"RPC {url}"].found
    assert not any(check.passed for check in checks.values())


def relay(folder: Path, url: str, transactions: str = "") -> Check:
    """What is found of a relay, beside an RPC that is away."""
    (folder / ".env").write_text(f"LPM_RPC_URL=http://127.0.0.1:1\nLPM_RELAY_URL={url}\n")
    settings_with(folder)
    path = folder / "lpmanager.toml"
    path.write_text(path.read_text() + transactions)
    (check,) = (c for c in look_at_chain(load(path), base(), lambda: NOW) if "relay" in c.name)
    return check


REFUSES = always(
    200, {"jsonrpc": "2.0", "id": 0, "error": {"code": -32601, "message": "no such method"}}
)


@pytest.mark.parametrize(
    ("answer", "right", "found"),
    [
        (result("0x2105"), True, "serves chain 8453"),
        (REFUSES, True, "answers, but does not tell its chain: eth_chainId"),
        (result("0x1"), False, "serves chain 1, not 8453; correct its URL"),
    ],
)
def test_a_relay_is_asked_for_its_chain(
    tmp_path: Path, answer: Answer, right: bool, found: str
) -> None:
    with loopback(answer) as server:
        check = relay(tmp_path, f"{server.url}/KEY-OF-MINE")
    assert (check.name, check.passed) == (f"relay {server.url}", right)
    assert check.found.startswith(found)


@pytest.mark.parametrize(
    ("transactions", "right", "then"),
    [
        ("", False, 'no call is mined without it while transactions.relay_fallback is "never"'),
        (
            '[transactions]\nrelay_fallback = "2m"\n',
            True,
            "transactions go to the public RPCs after 120 s",
        ),
    ],
)
def test_a_relay_that_is_away_is_wrong_where_nothing_goes_past_it(
    tmp_path: Path, transactions: str, right: bool, then: str
) -> None:
    check = relay(tmp_path, "http://127.0.0.1:1/KEY-OF-MINE", transactions)
    assert check.passed is right
    assert check.found.startswith("http://127.0.0.1:1: no answer")
    assert check.found.endswith(then)
    assert "KEY" not in check.found


def test_a_missing_contract_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_base(code="0x") as url:
        monkeypatch.setenv("LPM_RPC_URL", url)
        contracts = chain(settings_with(tmp_path))["venue contracts"]
    assert not contracts.passed
    assert "no contract at factory, position_manager" in contracts.found


def test_hashes_that_are_not_known_are_told_as_they_stand_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_base() as url:
        monkeypatch.setenv("LPM_RPC_URL", url)
        settings = settings_with(tmp_path)
        paste = chain(settings)["venue contracts"].paste
        assert len(paste.splitlines()) == 1 + 6
        path = tmp_path / "lpmanager.toml"
        path.write_text(f"{path.read_text()}\n{paste}\n")
        known = load(path)
        compared = chain(known, known.known_chains()["base"])["venue contracts"]
    assert compared.found == "all 6 have the code that is known by its hash"
    assert (compared.passed, compared.paste) == (True, "")


def test_code_of_another_hash_than_the_known_one_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = "0x" + keccak(hexstr="0x60").hex()
    with a_base() as url:
        monkeypatch.setenv("LPM_RPC_URL", url)
        settings = settings_with(tmp_path)
        known = replace(base(), code_hashes={"factory": right})
        another = replace(base(), code_hashes={"factory": right, "quoter": "0x" + "00" * 32})
        sound = chain(settings, known)["venue contracts"]
        wrong = chain(settings, another)["venue contracts"]
    assert sound.found.endswith(
        "known: position_manager, swap_router, quoter, tick_lens, wrapped_native"
    )
    assert not wrong.passed
    assert "another contract at quoter: expected code of hash 0x0000" in wrong.found
    assert right in wrong.found


def test_what_the_system_refuses_is_a_check_that_failed(tmp_path: Path) -> None:
    check = attempt("store", "disk", lambda: (tmp_path / "none").read_text())
    assert not check.passed
    assert str(tmp_path / "none") in check.found


@pytest.mark.parametrize("error", [RpcUnavailable("it is away"), ClockDrift("it is ahead", 1)])
def test_a_vault_whose_rpc_fails_between_two_looks_is_a_check_that_failed(
    tmp_path: Path, error: LpmError
) -> None:
    class Away(Node):
        def head(self) -> Block:
            raise error

    node = Away(HttpTransport("http://127.0.0.1:1"), 8453)
    (check,) = look_at_vault(settings_with(tmp_path), NAME, node, OTHER)
    assert (check.name, check.passed, check.found) == ("vault code", False, str(error))
