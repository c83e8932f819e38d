"""What may be signed at all: an allow-list of contracts, functions and recipients. Pure.

Each custody has its own list. Their functions are written out there once more rather than shared
with the code that makes calldata: a change there must not widen what is signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Protocol

from lpmanager.abi import Function, decode_values
from lpmanager.errors import ChainError, SigningRefused

#: More than any call here takes, the data fees that some rollups count as gas included.
MOST_GAS = 10_000_000

_DYNAMIC_FEE = 2
_NUMBERS = ("type", "chainId", "nonce", "value", "gas", "maxFeePerGas", "maxPriorityFeePerGas")
_FIELDS = frozenset({*_NUMBERS, "to", "data"})


class AllowList(Protocol):
    """What an account may sign on a chain besides cancelling, at most at these fees."""

    @property
    def chain_id(self) -> int:
        """The one chain it signs for."""
        ...

    @property
    def account(self) -> str:
        """The checksummed address of the account."""
        ...

    @property
    def max_fee(self) -> int:
        """The most it offers, in wei per gas."""
        ...

    @property
    def max_gas(self) -> int:
        """The most gas a transaction may take."""
        ...

    def require_call(self, to: str, data: bytes) -> None:
        """Raise SigningRefused, saying why, unless a call is on the list in every argument."""
        ...


def require_allowed(transaction: Mapping[str, Any], allowed: AllowList) -> None:
    """Raise SigningRefused, saying why, unless a transaction is on the list in every field."""
    _require_known_fields(transaction)
    _require_bounds(transaction, allowed)
    to, data = transaction["to"], transaction["data"]
    if to == allowed.account:
        expect("data of a cancellation", "none", "0x" + data.hex(), data == b"")
    else:
        allowed.require_call(to, data)


def function_of(data: bytes, listed: tuple[Function, ...], contract: str) -> Function:
    """The listed function that calldata names."""
    for function in listed:
        if data[:4] == function.selector:
            return function
    names = ", ".join(function.signature.partition("(")[0] for function in listed)
    refuse(f"function of {contract}", names, "0x" + data[:4].hex())


def arguments_of(function: Function, data: bytes) -> tuple[Any, ...]:
    """The arguments in calldata; refused where it holds anything else besides."""
    types = function.signature[function.signature.index("(") :]
    try:
        values = decode_values(types, data[4:], function.signature)
    except ChainError as error:
        raise SigningRefused(f"refused to sign: {error}") from error
    exact = function.encode(*values) == data
    expect(f"calldata of {function.signature}", "its arguments alone", "more", exact)
    return values


def expect_account(what: str, expected: str, found: str) -> None:
    """Refuse any other account than the one expected."""
    expect(what, expected, found, plain(found) == plain(expected))


def expect(what: str, expected: object, found: object, holds: bool) -> None:
    """Refuse unless it holds."""
    if not holds:
        refuse(what, expected, found)


def refuse(what: str, expected: object, found: object) -> NoReturn:
    """Raise SigningRefused."""
    raise SigningRefused(
        f"refused to sign: {what}: expected {expected}, found {found}; nothing was signed, and "
        "this is a fault of the program or of what it was fed: look before you resume"
    )


def plain(address: str) -> str:
    """An address as calldata holds it, without a checksum."""
    return address.lower()


def listed(names: Iterable[str]) -> str:
    """Names in a sentence."""
    return ", ".join(sorted(names))


def _require_known_fields(transaction: Mapping[str, Any]) -> None:
    names = frozenset(transaction)
    expect("fields", listed(_FIELDS), listed(names), names == _FIELDS)
    for name in _NUMBERS:
        value = transaction[name]
        expect(name, "a whole number", repr(value), type(value) is int and value >= 0)
    expect("data", "bytes", repr(transaction["data"]), isinstance(transaction["data"], bytes))


def _require_bounds(transaction: Mapping[str, Any], allowed: AllowList) -> None:
    for name, expected in (
        ("type", _DYNAMIC_FEE),
        ("chainId", allowed.chain_id),
        ("value", 0),
    ):
        expect(name, expected, transaction[name], transaction[name] == expected)
    for name, most in (
        ("gas", allowed.max_gas),
        ("maxFeePerGas", allowed.max_fee),
        ("maxPriorityFeePerGas", transaction["maxFeePerGas"]),
    ):
        expect(name, f"at most {most}", transaction[name], transaction[name] <= most)
