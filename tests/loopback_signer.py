"""An external signer on the loopback that signs with eth-account, honestly or as a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from eth_account import Account
from loopback_rpc import Answer, Loopback, loopback

#: The transaction it was asked for, as eth-account names its fields -> what it signs instead.
Whim = Callable[[dict[str, Any]], dict[str, Any]]

_NUMBERS = ("chainId", "nonce", "value", "gas", "maxFeePerGas", "maxPriorityFeePerGas")


def honestly(transaction: dict[str, Any]) -> dict[str, Any]:
    return transaction


@contextmanager
def loopback_signer(
    key: str, whim: Whim = honestly, *, delay_s: float = 0.0, chain_id: int | None = None
) -> Iterator[Loopback]:
    """Speaks as web3signer and as clef do. `chain_id` is web3signer's own, whatever was asked."""
    account = str(Account.from_key(key).address)

    def answer(posted: Any) -> tuple[int, Any]:
        return 200, {"jsonrpc": "2.0", "id": posted["id"], **reply(posted)}

    def reply(posted: Any) -> dict[str, Any]:
        match posted["method"]:
            case "eth_accounts" | "account_list":
                return {"result": [account.lower()]}
            case "account_version":
                return {"result": "6.1.0"}
            case "eth_signTransaction":
                return {"result": signed(posted["params"][0])}
            case "account_signTransaction":
                return {"result": {"raw": signed(posted["params"][0]), "tx": {}}}
        return {"error": {"code": -32601, "message": "method not found"}}

    def signed(told: dict[str, str]) -> str:
        assert told["from"] == account
        transaction: dict[str, Any] = {name: int(told[name], 16) for name in _NUMBERS}
        transaction |= {"type": 2, "to": told["to"], "data": told["data"]}
        if chain_id is not None:
            transaction["chainId"] = chain_id
        raw = Account.sign_transaction(whim(transaction), key).raw_transaction
        return "0x" + bytes(raw).hex()

    with loopback(answer, delay_s=delay_s) as server:
        yield server


def refusing(message: str) -> Answer:
    """A signer whose owner says no."""
    return lambda posted: (
        200,
        {"jsonrpc": "2.0", "id": posted["id"], "error": {"code": -32000, "message": message}},
    )
