"""Calls as values: known bytes out, typed answers in, and plain words for what does not decode."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from lpmanager.abi import CustomError, Event, Function, decode_values, revert_reason, topic_address
from lpmanager.errors import ChainError
from lpmanager.venues import erc20, liquidity_vault, uniswap_v3

TRANSFER = Function("transfer(address,uint256)", "(bool)")
WORD = "00" * 31


def test_calldata_is_the_selector_and_the_padded_arguments() -> None:
    data = TRANSFER.encode("0x00000000000000000000000000000000000000ff", 5)
    assert data.hex() == "a9059cbb" + WORD + "ff" + WORD + "05"


def test_a_function_without_arguments_is_its_selector_alone() -> None:
    assert Function("decimals()").encode().hex() == "313ce567"


def test_a_calls_answer_has_the_type_its_reader_gives() -> None:
    call = Function("pair()", "(uint256,uint8)").call("0xC", read=lambda a, b: (b, a))
    assert call.to == "0xC"
    assert call.decode(bytes.fromhex(WORD + "07" + WORD + "02")) == (2, 7)


INTEGERS = st.lists(
    st.builds("{}int{}".format, st.sampled_from(["u", ""]), st.integers(1, 32).map(lambda n: 8 * n))
)
EDGES = [b"\0" * 32, b"\xff" * 32, *(bytes(32 - n) + b"\x80" + bytes(n - 1) for n in range(1, 33))]


def decoded_by_eth_abi(types: list[str], data: bytes) -> tuple[int, ...] | None:
    try:
        return tuple(decode(types, data))
    except DecodingError:
        return None


def decoded_by_us(types: list[str], data: bytes) -> tuple[int, ...] | None:
    try:
        return decode_values(f"({','.join(types)})", data, "x")
    except ChainError:
        return None


@given(INTEGERS, st.lists(st.sampled_from(EDGES) | st.binary(max_size=32)).map(b"".join))
def test_integers_are_decoded_or_refused_as_eth_abi_does(types: list[str], data: bytes) -> None:
    assert decoded_by_us(types, data) == decoded_by_eth_abi(types, data)


@given(INTEGERS, st.data())
def test_integers_that_fit_are_decoded_to_what_was_encoded(
    types: list[str], data: st.DataObject
) -> None:
    least = {t: 0 if t[0] == "u" else -(2 ** (int(t[3:]) - 1)) for t in types}
    most = {t: 2 ** int(t[4:]) - 1 if t[0] == "u" else 2 ** (int(t[3:]) - 1) - 1 for t in types}
    values = tuple(data.draw(st.integers(least[t], most[t])) for t in types)
    assert decoded_by_us(types, encode(types, values)) == values


@pytest.mark.parametrize("data", [b"", b"\1" * 31, b"\xff" * 32])
def test_an_answer_of_another_contract_is_refused(data: bytes) -> None:
    with pytest.raises(ChainError, match=r"decimals\(\): expected \(uint8\)"):
        Function("decimals()", "(uint8)").decode(data)


def test_a_text_that_is_no_utf_8_is_refused() -> None:
    text = bytes.fromhex(WORD + "20" + WORD + "01" + "ff" + WORD)
    with pytest.raises(ChainError, match="do not decode"):
        decode_values("(string)", text, "symbol()")


def test_an_event_is_told_by_the_hash_of_its_signature() -> None:
    event = Event("Transfer(address,address,uint256)", "(uint256)")
    assert event.topic == "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert event.decode(bytes.fromhex(WORD + "09")) == (9,)


def test_an_indexed_address_gets_its_checksum() -> None:
    topic = "0x" + "00" * 12 + "d8da6bf26964af9d7eed9e03e53415d37aa96045"
    assert topic_address(topic) == "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"


def test_a_signature_that_is_no_tuple_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="not a tuple"):
        decode_values("uint256", b"", "x")


def test_a_revert_says_its_message_its_panic_or_its_bytes() -> None:
    said = Function("Error(string)").encode("Price slippage check")
    assert revert_reason(said) == "Price slippage check"
    assert revert_reason(Function("Panic(uint256)").encode(0x11)) == "panic 0x11"
    assert revert_reason(bytes.fromhex("deadbeef01")) == "custom error 0xdeadbeef01"
    assert revert_reason(b"") == "no reason given"


_ERROR, _PANIC = (Function(text).selector for text in ("Error(string)", "Panic(uint256)"))


@pytest.mark.parametrize(
    "data", [_ERROR, _ERROR + bytes(31), _ERROR + b"\xff" * 64, _PANIC, _PANIC + bytes(31)]
)
def test_a_message_or_panic_that_does_not_decode_is_told_raw(data: bytes) -> None:
    assert revert_reason(data) == f"custom error 0x{data.hex()}"


def test_what_a_contract_says_is_told_in_one_short_line() -> None:
    said = Function("Error(string)").encode("no\nlpm: all is well \x1b[2J" + "x" * 1000)
    assert revert_reason(said).startswith("no lpm: all is well [2Jxxx")
    assert len(revert_reason(said)) < 400
    assert len(revert_reason(b"\xab" * 10_000)) < 400


def test_a_custom_error_is_told_by_its_selector_and_has_typed_arguments() -> None:
    error = CustomError("TooLate(uint256)")
    data = error.selector + (99).to_bytes(32)
    assert error.name == "TooLate"
    assert error.selector == keccak(text="TooLate(uint256)")[:4]
    assert error.decode(data) == (99,)
    with pytest.raises(ChainError, match=r"TooLate\(uint256\): expected \(uint256\), found 31"):
        error.decode(data[:-1])


@pytest.mark.parametrize(
    ("event", "count"),
    [
        (erc20.TRANSFER, 3),
        (uniswap_v3.SWAP_EVENT, 3),
        (uniswap_v3.INITIALIZE_EVENT, 1),
        (uniswap_v3.INCREASE_EVENT, 2),
        (uniswap_v3.POOL_MINT_EVENT, 4),
        (liquidity_vault.REBALANCED, 2),
        (liquidity_vault.BOUNDS_SET, 1),
        (liquidity_vault.UNPAUSED, 1),
    ],
)
def test_a_log_has_a_topic_for_the_event_and_for_each_value_that_is_not_data(
    event: Event, count: int
) -> None:
    assert event.topic_count == count
