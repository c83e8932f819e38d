"""What tokens answer, the odd ones included."""

from __future__ import annotations

import pytest

from lpmanager.abi import Function
from lpmanager.errors import ChainError
from lpmanager.venues import erc20

TOKEN = "0x00000000000000000000000000000000000000A0"
SPENDER = "0x00000000000000000000000000000000000000b0"
_TEXT = Function("answer(string)")


def answered(text: str) -> str:
    return erc20.symbol(TOKEN).decode(_TEXT.encode(text)[4:])


def test_a_symbol_is_text_or_an_old_tokens_32_bytes() -> None:
    assert answered("USDC") == "USDC"
    assert erc20.symbol(TOKEN).decode(b"MKR".ljust(32, b"\0")) == "MKR"


def test_a_symbol_cannot_carry_control_signs_or_fill_the_screen() -> None:
    assert answered("U\x1b[31mS\nDC") == "U[31mSDC"
    assert answered("X" * 1000) == "X" * 16


@pytest.mark.parametrize("data", [b"\0" * 32, _TEXT.encode("\n\t ")[4:]])
def test_a_token_without_a_printable_symbol_is_refused(data: bytes) -> None:
    with pytest.raises(ChainError, match="no printable symbol"):
        erc20.symbol(TOKEN).decode(data)


def test_an_allowance_is_exact() -> None:
    data = erc20.approve(SPENDER, 12345)
    assert data[:4].hex() == "095ea7b3"
    assert int.from_bytes(data[4:36], "big") == 0xB0
    assert int.from_bytes(data[36:], "big") == 12345


def test_a_balance_is_an_integer() -> None:
    assert erc20.balance_of(TOKEN, SPENDER).decode((2**255).to_bytes(32, "big")) == 2**255
