"""An account whose key is in another program, asked over JSON-RPC: web3signer or clef.

What comes back is believed in nothing: it must be the very transaction that was asked for, signed
by the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import rlp
from eth_account import Account
from eth_keys.constants import SECPK1_N
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from lpmanager.chain.transport import RpcError, Transport
from lpmanager.errors import ConfigError, RpcUnavailable, SignerUnavailable, SigningRefused
from lpmanager.execution.signer import Signed

_DYNAMIC_FEE = b"\x02"

#: What an EIP-1559 transaction is made of, in order; then come the access list and the signature.
_FIELDS = (
    "chainId",
    "nonce",
    "maxPriorityFeePerGas",
    "maxFeePerGas",
    "gas",
    "to",
    "value",
    "data",
)
_COUNT = len(_FIELDS) + 4


class SignerKind(StrEnum):
    """Which program signs: each names its methods, and wraps its result, in its own way."""

    WEB3SIGNER = "web3signer"
    CLEF = "clef"

    @property
    def signing_method(self) -> str:
        """The JSON-RPC method that signs and does not send."""
        return {"web3signer": "eth_signTransaction", "clef": "account_signTransaction"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSigner:
    """The Signer of `address` at the other end of a transport, which sets the time limit.

    `name` is how messages call it, `key` the table that configures it. Raises SignerUnavailable
    where it does not sign, SigningRefused where it signed something else.
    """

    transport: Transport
    kind: SignerKind
    address: str
    name: str
    key: str = "account"

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """As Signer."""
        told = self._ask(self.kind.signing_method, [_message(transaction, self.address)])
        raw = told.get("raw") if isinstance(told, dict) else told
        try:
            signed = bytes.fromhex(str(raw).removeprefix("0x"))
        except ValueError as error:
            raise SigningRefused(f"{self.name}: expected signed bytes in hex") from error
        return verified(signed, transaction, self.address, self.name)

    def require_account(self) -> None:
        """Raise ConfigError where the signer does not have the account, SignerUnavailable where it
        does not answer.

        clef is only asked for its version: before it names accounts, its owner has to agree.
        """
        if self.kind is SignerKind.CLEF:
            self._ask("account_version", [])
            return
        told = self._ask("eth_accounts", [])
        if not isinstance(told, list):
            raise SignerUnavailable(f"{self.name}: does not name its accounts")
        if self.address.lower() not in {str(address).lower() for address in told}:
            raise ConfigError(
                f"{self.name}: does not sign for {self.address}; load its key there, or correct "
                f"{self.key}.address"
            )

    def _ask(self, method: str, params: list[Any]) -> Any:
        try:
            (answer,) = self.transport.request_many([(method, params)])
        except RpcUnavailable as error:
            raise SignerUnavailable(
                f"{self.key}.signer_url: {error}; nothing was signed"
            ) from error
        if isinstance(answer, RpcError):
            raise SignerUnavailable(f"{self.name}: did not sign: {answer.message}")
        return answer


def verified(raw: bytes, asked: Mapping[str, Any], account: str, name: str) -> Signed:
    """The signed bytes with their hash; SigningRefused unless they are exactly the transaction
    that was asked for, signed by the account in the one way that a chain accepts."""
    *fields, access_list, parity, r, s = _decoded(raw, name)
    for field, found in zip(_FIELDS, fields, strict=True):
        expected = _bytes(asked[field])
        if found != expected:
            raise SigningRefused(
                f"{name}: signed another {field}: expected 0x{expected.hex()}, found {_hex(found)}"
            )
    if access_list != []:
        raise SigningRefused(f"{name}: signed an access list, expected none")
    _require_signature(parity, r, s, name)
    _require_signed_by(account, raw, name)
    return Signed(raw=raw, tx_hash="0x" + keccak(raw).hex())


def _decoded(raw: bytes, name: str) -> list[Any]:
    """What the signed bytes hold; rlp refuses what is not encoded in the one way there is."""
    try:
        found = rlp.decode(raw[1:])
    except (rlp.DecodingError, RecursionError) as error:
        raise SigningRefused(f"{name}: what it signed is no transaction of type 2") from error
    if raw[:1] != _DYNAMIC_FEE or not isinstance(found, list) or len(found) != _COUNT:
        raise SigningRefused(f"{name}: what it signed is no transaction of type 2")
    return list(found)


def _require_signature(parity: Any, r: Any, s: Any, name: str) -> None:
    """Of the two signatures a message has, a chain takes the one with the lower s."""
    numbers = all(isinstance(n, bytes) and len(n) <= 32 and n[:1] != b"\0" for n in (r, s))
    if not numbers or parity not in (b"", b"\1") or int.from_bytes(s) > SECPK1_N // 2:
        raise SigningRefused(f"{name}: signed in a way that no chain accepts")


def _require_signed_by(account: str, raw: bytes, name: str) -> None:
    try:
        signer = Account.recover_transaction(raw)
    except (ValueError, TypeError, BadSignature, ValidationError) as error:
        raise SigningRefused(f"{name}: what it returned holds no valid signature") from error
    if signer != account:
        raise SigningRefused(f"{name}: expected a signature of {account}, found one of {signer}")


def _hex(found: Any) -> str:
    return "0x" + found.hex() if isinstance(found, bytes) else "a list"


def _bytes(value: int | str | bytes) -> bytes:
    """A field as a transaction holds it: numbers without leading zeros."""
    if isinstance(value, int):
        return value.to_bytes((value.bit_length() + 7) // 8)
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else value


def _message(transaction: Mapping[str, Any], account: str) -> dict[str, str]:
    """The transaction as JSON. web3signer takes the chain from its own configuration and ignores
    the field; both its answer and clef's are compared with it."""
    numbers = ("chainId", "nonce", "value", "gas", "maxFeePerGas", "maxPriorityFeePerGas")
    return {
        "from": account,
        "to": transaction["to"],
        "data": "0x" + transaction["data"].hex(),
        **{name: hex(transaction[name]) for name in numbers},
    }
