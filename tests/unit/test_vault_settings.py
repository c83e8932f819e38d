"""What the file may say of vaults and of who owns them."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from lpmanager.config import load
from lpmanager.errors import ConfigError
from lpmanager.setting_types import share_pips_from
from lpmanager.settings import Settings

ACCOUNT = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
OWNER = "0x00000000000000000000000000000000000000A1"
VAULT = "0x0000000000000000000000000000000000000022"
IN_VAULT = f'custody = "vault"\nvault = "{VAULT}"\n'


@pytest.fixture(autouse=True)
def _no_variables_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LPM_PRIVATE_KEY", "LPM_OWNER_PRIVATE_KEY", "LPM_OWNER_KEYSTORE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


def text_with(campaign: str = "", owner: str = "") -> str:
    """The template with more lines in its campaign, and an [owner]."""
    text = files("lpmanager").joinpath("templates", "lpmanager.toml").read_text(encoding="utf-8")
    text = text.replace(f'"0x{"0" * 40}"', f'"{ACCOUNT}"', 1)
    text = text.replace("[campaigns.eth-usdc]\n", f"[campaigns.eth-usdc]\n{campaign}")
    return text.replace("[schedule]", f"{owner}\n[schedule]")


def settings_of(folder: Path, text: str, dotenv: str = "") -> Settings:
    (folder / "lpmanager.toml").write_text(text)
    (folder / ".env").write_text(dotenv)
    return load(folder / "lpmanager.toml")


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        settings_of(folder, text)
    return str(caught.value)


def test_a_campaign_is_in_the_accounts_wallet_unless_it_says_otherwise(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, text_with())
    campaign = settings.campaigns["eth-usdc"]
    assert (campaign.custody, campaign.vault, settings.owner) == ("wallet", None, None)


def test_a_campaign_may_be_held_by_a_vault(tmp_path: Path) -> None:
    campaign = settings_of(tmp_path, text_with(IN_VAULT)).campaigns["eth-usdc"]
    assert (campaign.custody, campaign.vault) == ("vault", VAULT)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('custody = "vault"\n', r'custody = "vault" needs vault = "0x..."; `lpm vault deploy` ma'),
        (f'vault = "{VAULT}"\n', 'vault is only used with custody = "vault"; add that line'),
        (IN_VAULT + "positions = [5]\n", "all that the vault holds is the campaign's; remove pos"),
        (IN_VAULT + 'budget = { USDC = "5" }\n', "all that the vault holds is the campaign's; rem"),
        ('custody = "safe"\n', "campaigns.eth-usdc.custody: should be 'wallet' or 'vault'"),
        (IN_VAULT.replace('22"', '2"'), "campaigns.eth-usdc.vault: expected an address"),
    ],
)
def test_what_does_not_go_with_a_vault_is_told(tmp_path: Path, lines: str, expected: str) -> None:
    found = mistake(tmp_path, text_with(lines))
    assert found.startswith("campaigns.eth-usdc")
    assert expected in found


def test_one_vault_is_managed_once(tmp_path: Path) -> None:
    text = text_with(IN_VAULT)
    campaign = text[text.index("[campaigns.eth-usdc]") : text.index("# A chain of your own")]
    twice = text + campaign.replace("campaigns.eth-usdc", "campaigns.again")
    assert mistake(tmp_path, twice) == (
        f"campaigns.again: manages vault {VAULT} on base, which campaigns.eth-usdc already does; "
        "keep one of them"
    )
    another = twice[::-1].replace(VAULT[::-1], OWNER[::-1], 1)[::-1]
    assert len(settings_of(tmp_path, another).campaigns) == 2
    beside = twice[::-1].replace(IN_VAULT[::-1], "", 1)[::-1]
    assert len(settings_of(tmp_path, beside).campaigns) == 2


def test_the_owner_signs_by_a_key_of_its_own(tmp_path: Path) -> None:
    owner = f'[owner]\naddress = "{OWNER}"\nkeystore = "owner.json"\npassword_file = "p"\n'
    dotenv = "LPM_OWNER_KEYSTORE_PASSWORD=secret-of-the-owner\nLPM_OWNER_PRIVATE_KEY=0xabc\n"
    settings = settings_of(tmp_path, text_with(owner=owner), dotenv)
    account, who = settings.signatories()
    assert (account.key, account.table.address, account.private_key) == ("account", ACCOUNT, None)
    assert (who.key, who.table.address, who.table.keystore) == (
        "owner",
        OWNER,
        tmp_path / "owner.json",
    )
    assert who.keystore_password is not None
    assert who.keystore_password.get_secret_value() == "secret-of-the-owner"
    for shown in (settings.model_dump_json(), repr(settings), repr(who)):
        assert not re.search("secret-of-the-owner|0xabc", shown)


@pytest.mark.parametrize(
    ("text", "pips"), [("0.25%", 2_500), (" 1 % ", 10_000), ("0%", 0), ("100%", 10**6)]
)
def test_a_share_is_counted_in_millionths(text: str, pips: int) -> None:
    assert share_pips_from(text) == pips


@pytest.mark.parametrize("text", ["1", "", "%", "-1%", "100.0001%", "0.00001%", "nan%", "many"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|share"):
        share_pips_from(text)


def test_nobody_is_the_owner_until_the_file_names_one(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, text_with())
    assert [who.key for who in settings.signatories()] == ["account"]
    with pytest.raises(ConfigError, match=r"^owner: missing; name the account that owns"):
        settings.owner_signatory()


def test_the_key_that_runs_a_vault_may_not_own_it(tmp_path: Path) -> None:
    found = mistake(tmp_path, text_with(owner=f'[owner]\naddress = "{ACCOUNT}"\n'))
    assert found.startswith("owner.address: is account.address too, so who steals the key")


def test_what_the_owner_signs_with_must_go_together(tmp_path: Path) -> None:
    owner = f'[owner]\naddress = "{OWNER}"\nsigner_kind = "clef"\n'
    assert "owner: give both of signer_url and signer_kind" in mistake(
        tmp_path, text_with(owner=owner)
    )
