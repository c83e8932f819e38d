"""Who signs. Keys come from an encrypted keystore; in clear text only on a devnet."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from eth_account import Account
from eth_account.signers.local import LocalAccount

from lpmanager.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed transaction: its bytes, and its hash computed here, never taken from an RPC."""

    raw: bytes
    tx_hash: str


class Signer(Protocol):
    """Signs transactions of one account."""

    @property
    def address(self) -> str:
        """The checksummed address of the account."""
        ...

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """The signed bytes of an EIP-1559 transaction given as web3 names its fields."""
        ...


@dataclass(frozen=True, slots=True)
class LocalSigner:
    """A key in this process's memory. Its repr does not show the key."""

    _account: LocalAccount = field(repr=False)

    @property
    def address(self) -> str:
        return str(self._account.address)

    def sign(self, transaction: dict[str, Any]) -> Signed:
        signed = self._account.sign_transaction(transaction)
        return Signed(raw=bytes(signed.raw_transaction), tx_hash="0x" + bytes(signed.hash).hex())


def signer_from_keystore(path: Path, password: str) -> LocalSigner:
    """The account of a keystore v3 file. Raises ConfigError where it does not open."""
    try:
        keystore = json.loads(path.read_text())
        key = Account.decrypt(keystore, password)
    except OSError as error:
        raise ConfigError(f"account.keystore: cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"account.keystore: {path} does not open; it is no keystore v3 file or the password "
            "is wrong"
        ) from error
    return LocalSigner(Account.from_key(key))


def signer_from_clear_key(key: str, *, devnet: bool) -> LocalSigner:
    """The account of a key in clear text, refused with ConfigError unless the chain is a devnet."""
    if not devnet:
        raise ConfigError(
            "LPM_PRIVATE_KEY: a key in clear text is refused outside devnets; put it into a "
            "keystore and set account.keystore"
        )
    try:
        return LocalSigner(Account.from_key(key))
    except (ValueError, TypeError) as error:
        raise ConfigError("LPM_PRIVATE_KEY: not a private key of 32 bytes in hex") from error
