"""Where the locks of an account lie, and who signs for it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from eth_account import Account
from structlog.testing import capture_logs

from lpmanager.config import load
from lpmanager.desk.signing import load_signer, lock_paths
from lpmanager.errors import ConfigError
from lpmanager.execution.keystore import seal
from lpmanager.execution.remote_signer import RemoteSigner, SignerKind
from lpmanager.settings import Settings

OWNER = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
#: Public knowledge: the first account of every development chain.
KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def settings_with(
    folder: Path,
    *,
    address: str = OWNER,
    store: str = "sqlite:///lpmanager.db",
    account: str = "",
) -> Settings:
    """The template's settings; `account` are more lines of its [account] table."""
    text = files("lpmanager").joinpath("templates", "lpmanager.toml").read_text(encoding="utf-8")
    path = folder / "lpmanager.toml"
    text = text.replace("sqlite:///lpmanager.db", store)
    path.write_text(text.replace(f'"0x{"0" * 40}"', f'"{address}"\n{account}', 1))
    return load(path)


def locks(settings: Settings) -> frozenset[Path]:
    return lock_paths(settings, settings.chain_of("eth-usdc"), settings.account.address)


def signer(settings: Settings, password: str | None = None) -> object:
    def ask() -> str:
        assert password is not None, "nobody is to be asked for a password here"
        return password

    return load_signer(settings.account_signatory(), settings.chain_of("eth-usdc"), ask)


@pytest.mark.parametrize("store", ["sqlite:///lpmanager.db", "postgresql://host/books"])
def test_whatever_its_configuration_an_account_has_one_lock_on_a_chain(
    tmp_path: Path, store: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = locks(settings_with(tmp_path / "a"))
    other = locks(settings_with(tmp_path / "b", store=store))
    home = Path.home() / ".local" / "state" / "lpmanager"
    assert one & other == {home / f"lpmanager-8453-{OWNER}.lock"}


def test_another_account_has_another_lock(tmp_path: Path) -> None:
    one, other = settings_with(tmp_path), settings_with(tmp_path, address=ADDRESS)
    assert not locks(one) & locks(other)


@pytest.mark.parametrize("store", ["sqlite:///lpmanager.db", "sqlite:///books/lpmanager.db"])
def test_who_shares_a_sqlite_store_shares_a_lock_beside_it(tmp_path: Path, store: str) -> None:
    folder = (tmp_path / store.removeprefix("sqlite:///")).parent
    assert folder / f"lpmanager-8453-{OWNER}.lock" in locks(settings_with(tmp_path, store=store))


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seal(KEY, "correct horse", tmp_path_factory.mktemp("keys")).path


def test_a_keystores_password_is_asked_for_where_no_file_holds_it(
    tmp_path: Path, keystore: Path
) -> None:
    account = f'keystore = "{keystore}"'
    settings = settings_with(tmp_path, address=ADDRESS, account=account)
    assert getattr(signer(settings, "correct horse"), "address", None) == ADDRESS
    with pytest.raises(ConfigError, match=r"account\.keystore: .* does not open"):
        signer(settings, "wrong horse")


def test_a_password_is_read_from_its_file(tmp_path: Path, keystore: Path) -> None:
    (tmp_path / "password").write_text("correct horse\n")
    account = f'keystore = "{keystore}"\npassword_file = "password"'
    settings = settings_with(tmp_path, address=ADDRESS, account=account)
    assert getattr(signer(settings), "address", None) == ADDRESS


def test_a_password_is_read_from_what_systemd_hands_over(
    tmp_path: Path, keystore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "lpm").write_text("correct horse")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    account = f'keystore = "{keystore}"\npassword_credential = "lpm"'
    settings = settings_with(tmp_path, address=ADDRESS, account=account)
    assert getattr(signer(settings), "address", None) == ADDRESS
    (tmp_path / "credentials" / "lpm").unlink()
    with pytest.raises(ConfigError, match=r"account\.password_credential: cannot read"):
        signer(settings)


def test_files_that_others_may_read_are_warned_of_and_used(tmp_path: Path, keystore: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse")
    account = f'keystore = "{keystore}"\npassword_file = "password"'
    settings = settings_with(tmp_path, address=ADDRESS, account=account)
    for mode, warned_of in ((0o600, []), (0o644, [password, keystore])):
        for path in (keystore, password):
            path.chmod(mode)
        with capture_logs() as logs:
            signer(settings)
        assert [(line["log_level"], line["event"], line["mend"]) for line in logs] == [
            ("warning", "others may read a secret", f"chmod 600 {path}") for path in warned_of
        ]
    keystore.chmod(0o600)


def test_what_systemd_hands_over_is_systemds_to_keep(
    tmp_path: Path, keystore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For another user than root it grants the reading by an access list, whose mask a mode shows
    as the group's."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "handed").write_text("correct horse")
    (tmp_path / "handed").chmod(0o440)
    account = f'keystore = "{keystore}"\npassword_credential = "handed"'
    with capture_logs() as logs:
        signer(settings_with(tmp_path, address=ADDRESS, account=account))
    assert logs == []


def test_a_credential_outside_systemd_is_explained(
    tmp_path: Path, keystore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    account = f'keystore = "{keystore}"\npassword_credential = "lpm"'
    settings = settings_with(tmp_path, address=ADDRESS, account=account)
    with pytest.raises(ConfigError, match=r"CREDENTIALS_DIRECTORY is not set; .*LoadCredential"):
        signer(settings)


def test_a_key_of_another_account_is_refused(tmp_path: Path, keystore: Path) -> None:
    settings = settings_with(tmp_path, account=f'keystore = "{keystore}"')
    with pytest.raises(ConfigError, match=rf"account\.address: is {OWNER}, .* {ADDRESS}"):
        signer(settings, "correct horse")


@pytest.mark.parametrize("kind", ["web3signer", "clef"])
def test_an_external_signer_signs_for_the_configured_account(tmp_path: Path, kind: str) -> None:
    account = f'signer_url = "http://127.0.0.1:9000/token"\nsigner_kind = "{kind}"'
    made = signer(settings_with(tmp_path, account=account))
    assert isinstance(made, RemoteSigner)
    assert (made.address, made.kind) == (OWNER, SignerKind(kind))
    assert made.name == f"{kind} at http://127.0.0.1:9000"


def test_a_clear_key_is_refused_where_the_chain_is_no_devnet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "0x" + KEY.hex()
    monkeypatch.setenv("LPM_PRIVATE_KEY", key)
    with pytest.raises(ConfigError, match="refused outside devnets"):
        signer(settings_with(tmp_path, address=str(Account.from_key(key).address)))


def test_without_a_key_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lpm keys new"):
        signer(settings_with(tmp_path))


def test_the_vaults_owner_signs_by_a_table_of_its_own(tmp_path: Path, keystore: Path) -> None:
    text = (files("lpmanager") / "templates" / "lpmanager.toml").read_text(encoding="utf-8")
    text = text.replace(f'"0x{"0" * 40}"', f'"{OWNER}"', 1)
    owner = f'[owner]\naddress = "{ADDRESS}"\nkeystore = "{keystore}"\n\n[schedule]'
    (tmp_path / "lpmanager.toml").write_text(text.replace("[schedule]", owner))
    settings = load(tmp_path / "lpmanager.toml")
    who, chain = settings.owner_signatory(), settings.chain_of("eth-usdc")
    assert load_signer(who, chain, lambda: "correct horse").address == ADDRESS
    assert not lock_paths(settings, chain, ADDRESS) & locks(settings)
    with pytest.raises(ConfigError, match=r"^owner\.keystore: .* does not open"):
        load_signer(who, chain, lambda: "wrong horse")
    with pytest.raises(ConfigError, match=r"^account: nothing to sign with"):
        load_signer(settings.account_signatory(), chain, lambda: "correct horse")
