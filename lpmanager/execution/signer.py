"""Who signs, and what stands before every signer.

Keys come from an encrypted keystore; in clear text only on a devnet. `remote_signer` has the kind
whose key is in another program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from eth_account import Account
from eth_account.signers.local import LocalAccount

from lpmanager.errors import ConfigError
from lpmanager.execution.allowed import AllowList, require_allowed
from lpmanager.execution.keystore import open_keystore


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


@dataclass(frozen=True, slots=True)
class GuardedSigner:
    """Signs what an allow-list names and nothing else; the key is not touched for the rest.

    `may_sign` raises where nothing may be signed now. It is asked again once the signature is
    there, because an external signer may take long, and a person may have said stop meanwhile.
    """

    signer: Signer
    allowed: AllowList
    may_sign: Callable[[], None]

    @property
    def address(self) -> str:
        return self.signer.address

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """As Signer. Raises SigningRefused for what is not on the list."""
        require_allowed(transaction, self.allowed)
        self.may_sign()
        signed = self.signer.sign(transaction)
        self.may_sign()
        return signed


def signer_from_keystore(
    path: Path, password: str, setting: str = "account.keystore"
) -> LocalSigner:
    """The account of a keystore v3 file, which `setting` names. Raises ConfigError where it does
    not open."""
    return LocalSigner(Account.from_key(open_keystore(path, password, setting)))


def signer_from_clear_key(
    key: str, *, devnet: bool, variable: str = "LPM_PRIVATE_KEY"
) -> LocalSigner:
    """The account of a key in clear text that a variable holds, refused with ConfigError unless the
    chain is a devnet."""
    if not devnet:
        raise ConfigError(
            f"{variable}: a key in clear text is refused outside devnets; put it into a keystore "
            "with `lpm keys import`, and set the account's keystore"
        )
    try:
        return LocalSigner(Account.from_key(key))
    except (ValueError, TypeError):
        # the cause may quote what it was given: it is not passed on
        raise ConfigError(f"{variable}: not a private key of 32 bytes in hex") from None
