"""Calls and answers of contracts as 32-byte words, by hand: several times faster than eth_abi.

Integers only. A negative one is its two's complement, as in the EVM.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eth_utils import function_signature_to_4byte_selector

WORD_BYTES = 32
_Q255, _Q256 = 2**255, 2**256


def selector(signature: str) -> bytes:
    """The first four bytes of a call, e.g. of "swap(address,bool,int256,uint160,bytes)"."""
    return bytes(function_signature_to_4byte_selector(signature))


def to_words(values: Iterable[int]) -> bytes:
    """Each value in a word."""
    return b"".join([(value % _Q256).to_bytes(WORD_BYTES, "big") for value in values])


def from_words(data: bytes) -> list[int]:
    """The words of an answer, unsigned."""
    return [
        int.from_bytes(data[at : at + WORD_BYTES], "big") for at in range(0, len(data), WORD_BYTES)
    ]


def signed(word: int) -> int:
    """A word that holds an int of any width."""
    return word - _Q256 if word >= _Q255 else word


def unsigned(value: int) -> int:
    """The word that holds `value`."""
    return value % _Q256


def to_array(values: Sequence[int]) -> bytes:
    """The tail of a dynamic array: its length and its elements."""
    return to_words((len(values), *values))


def to_bytes(data: bytes) -> bytes:
    """The tail of `bytes`: the length, and the content padded to whole words."""
    return to_words((len(data),)) + data + bytes(-len(data) % WORD_BYTES)


def with_tails(head: Sequence[int], tails: Sequence[bytes]) -> bytes:
    """Arguments of which the last ones are dynamic: words, then where each tail is, then tails."""
    offsets, at = [], WORD_BYTES * (len(head) + len(tails))
    for tail in tails:
        offsets.append(at)
        at += len(tail)
    return to_words((*head, *offsets)) + b"".join(tails)


def array_at(words: Sequence[int], argument: int) -> Sequence[int]:
    """The elements of the dynamic array that is argument number `argument` of an answer."""
    start = words[argument] // WORD_BYTES
    return words[start + 1 : start + 1 + words[start]]


def revert_code(data: bytes) -> str:
    """The message of `require(..., message)`, "" where the contract gave none.

    Raises ValueError for anything else a contract may revert with.
    """
    if not data:
        return ""
    if data[:4] != _ERROR:
        raise ValueError(f"expected a revert with a message or with none, found 0x{data.hex()}")
    length = int.from_bytes(data[4 + WORD_BYTES : 4 + 2 * WORD_BYTES], "big")
    return data[4 + 2 * WORD_BYTES :][:length].decode("ascii")


_ERROR = selector("Error(string)")
