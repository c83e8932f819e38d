"""Contract calls as values: where to, which bytes, and how to read the answer.

A `Function` is one line of ABI. Applying it to a contract gives a `ContractCall`, which knows the
type of its answer; only `chain/` can carry it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_abi.grammar import TupleType, parse
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from lpmanager.errors import ChainError
from lpmanager.foreign_words import in_one_line

T = TypeVar("T")

_WORD = 32
_INTEGER = re.compile(r"(u?)int(\d+)")


@dataclass(frozen=True, slots=True)
class ContractCall(Generic[T]):
    """One call of a contract: `data` to `to`; `decode` turns the bytes returned into a `T`."""

    to: str
    data: bytes
    decode: Callable[[bytes], T]


@dataclass(frozen=True, slots=True)
class Function:
    """One function of an ABI: `signature` such as "balanceOf(address)", `returns` "(uint256)"."""

    signature: str
    returns: str = "()"

    @property
    def selector(self) -> bytes:
        """The first four bytes of its calldata."""
        return function_signature_to_4byte_selector(self.signature)

    def encode(self, *arguments: Any) -> bytes:
        """Calldata: selector and encoded arguments. eth_abi raises where a value does not fit."""
        types = self.signature[self.signature.index("(") :]
        return self.selector + encode(_members(types), arguments)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """The returned values. Raises ChainError where `data` is not of the type expected."""
        return decode_values(self.returns, data, self.signature)

    def call(self, to: str, *arguments: Any, read: Callable[..., T]) -> ContractCall[T]:
        """A call whose answer is `read(*values)`."""
        return ContractCall(to, self.encode(*arguments), lambda data: read(*self.decode(data)))


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an ABI: its signature, and the types of its data outside the topics."""

    signature: str
    data: str

    @property
    def topic(self) -> str:
        """The first topic, as hex."""
        return "0x" + keccak(text=self.signature).hex()

    @property
    def topic_count(self) -> int:
        """How many topics its logs have: the first, and one for each value that is not data."""
        types = self.signature[self.signature.index("(") :]
        return 1 + len(_members(types)) - len(_members(self.data))

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """The values outside the topics."""
        return decode_values(self.data, data, self.signature)


@dataclass(frozen=True, slots=True)
class CustomError:
    """One error that a contract reverts with: `signature` such as "TooLate(uint256)"."""

    signature: str

    @property
    def name(self) -> str:
        """What stands before the arguments."""
        return self.signature.partition("(")[0]

    @property
    def selector(self) -> bytes:
        """The first four bytes of its revert data."""
        return function_signature_to_4byte_selector(self.signature)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Its arguments. Raises ChainError where the revert data is not of the type expected."""
        return decode_values(self.signature[len(self.name) :], data[4:], self.signature)


def decode_values(types: str, data: bytes, what: str) -> tuple[Any, ...]:
    """Decode `data` as the tuple `types`; ChainError where it does not fit."""
    integers = _integers(types, data)
    if integers is not None:
        return integers
    try:
        return tuple(decode(_members(types), data))
    except (DecodingError, OverflowError, UnicodeDecodeError) as error:
        raise ChainError(
            f"{what}: expected {types}, found {len(data)} bytes that do not decode; "
            "is there another contract at this address?"
        ) from error


def _integers(types: str, data: bytes) -> tuple[int, ...] | None:
    """The values where they all are integers and fit; None where eth_abi is to look at them.

    An hour of a pool's swaps is hundreds of such tuples, and eth_abi takes six times as long.
    """
    bounds = _bounds(types)
    if bounds is None or len(data) < _WORD * len(bounds):
        return None
    words = [data[start : start + _WORD] for start in range(0, _WORD * len(bounds), _WORD)]
    values = tuple(
        int.from_bytes(word, signed=least < 0)
        for word, (least, _) in zip(words, bounds, strict=True)
    )
    fit = all(least <= v <= most for v, (least, most) in zip(values, bounds, strict=True))
    return values if fit else None


@lru_cache(maxsize=256)
def _bounds(types: str) -> tuple[tuple[int, int], ...] | None:
    """The least and the greatest value of each member; None where one is no integer."""
    bounds = []
    for member in _members(types):
        integer = _INTEGER.fullmatch(member)
        if integer is None:
            return None
        size = 2 ** int(integer[2])
        bounds.append((0, size - 1) if integer[1] else (-size // 2, size // 2 - 1))
    return tuple(bounds)


@lru_cache(maxsize=4096)
def topic_address(topic: str) -> str:
    """The checksummed address in an indexed topic."""
    return to_checksum_address("0x" + topic[-40:])


@lru_cache(maxsize=256)
def _members(types: str) -> tuple[str, ...]:
    if types == "()":
        return ()
    parsed = parse(types)
    if not isinstance(parsed, TupleType):
        raise ValueError(f"{types!r} is not a tuple of types")
    return tuple(member.to_type_str() for member in parsed.components)


def revert_reason(data: bytes) -> str:
    """What a contract said when it reverted, in a short line: its message, its panic code, or its
    raw data."""
    try:
        if data[:4] == _ERROR.selector:
            (reason,) = _ERROR.decode(data)
            return in_one_line(reason)
        if data[:4] == _PANIC.selector:
            (code,) = _PANIC.decode(data)
            return f"panic 0x{code:02x}"
    except ChainError:
        pass  # it is no such error then, whatever it begins with
    return in_one_line(f"custom error 0x{data.hex()}") if data else "no reason given"


_ERROR = CustomError("Error(string)")
_PANIC = CustomError("Panic(uint256)")
