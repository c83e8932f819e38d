"""ERC-20 calls and events."""

from __future__ import annotations

from lpmanager.abi import ContractCall, Event, Function, decode_values
from lpmanager.errors import ChainError

_BALANCE_OF = Function("balanceOf(address)", "(uint256)")
_ALLOWANCE = Function("allowance(address,address)", "(uint256)")
_DECIMALS = Function("decimals()", "(uint8)")
_SYMBOL = Function("symbol()", "(string)")
_APPROVE = Function("approve(address,uint256)")
_TRANSFER = Function("transfer(address,uint256)")
TRANSFER = Event("Transfer(address,address,uint256)", "(uint256)")
#: What WETH9 tells in place of a Transfer, where native coin is wrapped or unwrapped.
WRAPPED = Event("Deposit(address,uint256)", "(uint256)")
UNWRAPPED = Event("Withdrawal(address,uint256)", "(uint256)")


def balance_of(token: str, owner: str) -> ContractCall[int]:
    """An account's balance in raw units."""
    return _BALANCE_OF.call(token, owner, read=int)


def allowance(token: str, owner: str, spender: str) -> ContractCall[int]:
    """How much `spender` may still take from `owner`, in raw units."""
    return _ALLOWANCE.call(token, owner, spender, read=int)


def decimals(token: str) -> ContractCall[int]:
    """The token's decimals."""
    return _DECIMALS.call(token, read=int)


def symbol(token: str) -> ContractCall[str]:
    """The token's symbol; some old tokens answer with 32 bytes in place of a string."""
    return ContractCall(token, _SYMBOL.encode(), _read_symbol)


def approve(spender: str, raw: int) -> bytes:
    """Calldata that lets `spender` take exactly `raw`."""
    return _APPROVE.encode(spender, raw)


def transfer(recipient: str, raw: int) -> bytes:
    """Calldata that sends exactly `raw` to an account."""
    return _TRANSFER.encode(recipient, raw)


def _read_symbol(data: bytes) -> str:
    if len(data) == 32:
        text = data.rstrip(b"\0").decode("utf-8", "replace")
    else:
        (text,) = decode_values("(string)", data, "symbol()")
    printable = "".join(c for c in text if c.isprintable() and not c.isspace())[:16]
    if not printable:
        raise ChainError("symbol(): the token has no printable symbol")
    return printable
