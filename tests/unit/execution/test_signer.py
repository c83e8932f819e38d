"""Keys stay where they belong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account
from eth_utils.crypto import keccak

from lpmanager.errors import ConfigError
from lpmanager.execution.signer import signer_from_clear_key, signer_from_keystore

#: Public knowledge: the first account of every development chain.
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
TRANSACTION = {
    "type": 2,
    "chainId": 31337,
    "nonce": 0,
    "to": ADDRESS,
    "value": 0,
    "data": b"",
    "gas": 21000,
    "maxFeePerGas": 10**9,
    "maxPriorityFeePerGas": 1,
}


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "right", kdf="pbkdf2", iterations=2)))
    return path


def test_a_keystore_opens_with_its_password_alone(keystore: Path) -> None:
    assert signer_from_keystore(keystore, "right").address == ADDRESS
    with pytest.raises(ConfigError, match=r"account\.keystore: .* does not open"):
        signer_from_keystore(keystore, "wrong")


@pytest.mark.parametrize("text", ["", "{}", "[]", "5", '"x"', '{"version": 3}', "\xff"])
def test_what_is_no_keystore_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match="does not open"):
        signer_from_keystore(path, "right")


def test_a_keystore_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        signer_from_keystore(tmp_path / "none.json", "right")


def test_a_clear_key_is_refused_outside_devnets() -> None:
    assert signer_from_clear_key(KEY, devnet=True).address == ADDRESS
    with pytest.raises(ConfigError, match="refused outside devnets") as caught:
        signer_from_clear_key(KEY, devnet=False)
    assert KEY[2:] not in str(caught.value)


@pytest.mark.parametrize(
    "key", ["", "0x", "zz", "0x12", KEY + "00", "0x" + "00" * 32, "0x" + "ff" * 32]
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="LPM_PRIVATE_KEY"):
        signer_from_clear_key(key, devnet=True)


def test_the_key_is_not_shown() -> None:
    signer = signer_from_clear_key(KEY, devnet=True)
    assert KEY[2:] not in repr(signer)
    assert KEY[2:] not in str(signer)


def test_the_hash_is_that_of_the_signed_bytes() -> None:
    signed = signer_from_clear_key(KEY, devnet=True).sign(TRANSACTION)
    assert signed.tx_hash == "0x" + keccak(signed.raw).hex()
    assert Account.recover_transaction(signed.raw) == ADDRESS
