"""What [account] may say of who signs, and what a chain's code hashes look like."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from lpmanager.config import load
from lpmanager.errors import ConfigError
from lpmanager.settings import Settings

OWNER = "0x1F98431c8aD98523631AE4a59f267346ea31F984"


def settings_with(folder: Path, *account: str, end: str = "") -> Settings:
    """The template's settings with more lines in [account], and at the end."""
    text = files("lpmanager").joinpath("templates", "lpmanager.toml").read_text(encoding="utf-8")
    lines = "\n".join((f'"{OWNER}"', *account))
    path = folder / "lpmanager.toml"
    path.write_text(text.replace(f'"0x{"0" * 40}"', lines, 1) + end)
    return load(path)


def mistake(folder: Path, *account: str, end: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        settings_with(folder, *account, end=end)
    return str(caught.value)


def test_nobody_signs_unless_somebody_is_named(tmp_path: Path) -> None:
    account = settings_with(tmp_path).account
    assert (account.keystore, account.signer_url) == (None, None)


def test_an_external_signer_has_a_url_a_kind_and_a_minute(tmp_path: Path) -> None:
    lines = 'signer_url = "https://signer.example/token"', 'signer_kind = "clef"'
    account = settings_with(tmp_path, *lines).account
    assert account.signer_timeout == 60
    assert settings_with(tmp_path, *lines, 'signer_timeout = "5m"').account.signer_timeout == 300
    assert "token" not in repr(account)
    assert "token" not in account.model_dump_json()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['signer_url = "https://a.example"'], "account: give both of signer_url and signer_kind"),
        (['signer_kind = "clef"'], "account: give both of signer_url and signer_kind"),
        (
            ['signer_url = "https://a.example"', 'signer_kind = "clef"', 'keystore = "k.json"'],
            "account: give either keystore or signer_url",
        ),
        (
            ['password_file = "p"', 'password_credential = "p"'],
            "account: give either password_file or password_credential",
        ),
        (
            ['signer_url = "signer.example/token"', 'signer_kind = "clef"'],
            "account.signer_url: the URL in place 1 is none that begins with http:// or https://",
        ),
        (['signer_kind = "ledger"'], "account.signer_kind: should be 'web3signer' or 'clef'"),
        (['signer_timeout = "0s"'], "account.signer_timeout: should be greater than"),
        (['password_credential = "../p"'], "account.password_credential: expected the name of"),
        (['password_credential = ""'], "account.password_credential: expected the name of"),
        (["password_credential = 5"], "account.password_credential: expected the name of"),
    ],
)
def test_what_does_not_go_together_is_told(tmp_path: Path, lines: list[str], expected: str) -> None:
    assert expected in mistake(tmp_path, *lines)


def test_the_folder_of_credentials_is_systemds_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/lpm")
    assert settings_with(tmp_path).credentials_folder == Path("/run/credentials/lpm")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    assert settings_with(tmp_path).credentials_folder is None
    (tmp_path / "lpmanager.toml").write_text('credentials_folder = "/tmp"')
    with pytest.raises(ConfigError, match=r"credentials_folder: secrets belong in \.env"):
        load(tmp_path / "lpmanager.toml")


_CHAIN = """
[chains.mine]
chain_id = 5
block_time_s = 1
native_symbol = "ETH"
wrapped_native = "0x00000000000000000000000000000000000000A1"
[chains.mine.uniswap_v3]
factory = "0x00000000000000000000000000000000000000A1"
position_manager = "0x00000000000000000000000000000000000000A1"
swap_router = "0x00000000000000000000000000000000000000A1"
swap_router_has_deadline = true
quoter = "0x00000000000000000000000000000000000000A1"
tick_lens = "0x00000000000000000000000000000000000000A1"
[chains.mine.code_hashes]
"""


def test_a_chain_of_ones_own_may_name_the_hashes_of_its_code(tmp_path: Path) -> None:
    known = "0x" + "aB" * 32
    chain = settings_with(tmp_path, end=f'{_CHAIN}factory = "{known}"').known_chains()["mine"]
    assert chain.code_hashes == {"factory": known.lower()}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('factory = "0x12"', "chains.mine.code_hashes.factory: expected a hash"),
        ('oracle = "0x' + "00" * 32 + '"', "chains.mine.code_hashes.oracle"),
    ],
)
def test_what_is_no_hash_or_no_contract_of_ours_is_told(
    tmp_path: Path, line: str, expected: str
) -> None:
    assert expected in mistake(tmp_path, end=_CHAIN + line)
