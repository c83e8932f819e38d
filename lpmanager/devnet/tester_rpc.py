"""JSON-RPC as a node would answer it, over the chain inside this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eth.abc import ComputationAPI
from eth.exceptions import Revert, VMError
from eth_typing import Address
from eth_utils.address import to_checksum_address
from eth_utils.exceptions import ValidationError

from lpmanager.abi import decode_values
from lpmanager.chain.transport import Request, RpcError
from lpmanager.devnet.backend import BLOCK_GAS_LIMIT, CHAIN_ID
from lpmanager.devnet.tester_chain import TIP, EthTesterChain, TransactionRefused, Unsigned
from lpmanager.devnet.tester_json import block_json, matching, receipts_json

_INVALID_PARAMS = -32602
_INTERNAL = -32603
_REVERTED = 3
_REFUSED = -32003
_NOT_FOUND = -32001
_NO_METHOD = -32601

#: Selector of Error(string), which `require` and `revert` with a text use.
_ERROR_STRING = bytes.fromhex("08c379a0")


class _Answer(Exception):
    """Carries the error a node would answer with up to the dispatcher."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = RpcError(code, message, data)


class EthTesterTransport:
    """Carries JSON-RPC requests to a chain in this process, one after the other."""

    def __init__(self, chain: EthTesterChain) -> None:
        self._chain = chain
        self._automine = True
        self._next_timestamp: int | None = None
        self._numbers = {"0x" + chain.blocks[0].block.hash.hex(): 0}
        self._receipts: list[list[dict[str, Any]]] = [[]]
        self._by_hash: dict[str, dict[str, Any]] = {}
        self._methods: dict[str, Callable[..., Any]] = {
            "eth_accounts": self._accounts,
            "eth_blockNumber": self._block_number,
            "eth_call": self._call,
            "eth_chainId": self._chain_id,
            "eth_estimateGas": self._estimate_gas,
            "eth_gasPrice": self._gas_price,
            "eth_getBalance": self._balance,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockReceipts": self._block_receipts,
            "eth_getCode": self._code,
            "eth_getLogs": self._logs,
            "eth_getTransactionCount": self._transaction_count,
            "eth_getTransactionReceipt": self._receipt,
            "eth_maxPriorityFeePerGas": self._tip,
            "eth_sendRawTransaction": self._send_raw,
            "eth_sendTransaction": self._send,
            "evm_mine": self._mine_at,
            "evm_setAutomine": self._set_automine,
            "evm_setNextBlockTimestamp": self._set_next_timestamp,
        }

    def request_many(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """The answers in the order asked; each request sees what those before it did."""
        return [self._answer(method, params) for method, params in requests]

    def _answer(self, method: str, params: list[Any]) -> Any | RpcError:
        handler = self._methods.get(method)
        if handler is None:
            return RpcError(_NO_METHOD, "Method not found", None)
        try:
            return handler(*params)
        except _Answer as answer:
            return answer.error
        except (TransactionRefused, ValidationError) as error:
            return RpcError(_REFUSED, str(error), None)

    # ---- state ----

    def _accounts(self) -> list[str]:
        return [to_checksum_address(account) for account in self._chain.accounts]

    def _block_number(self) -> str:
        return hex(self._head())

    def _chain_id(self) -> str:
        return hex(CHAIN_ID)

    def _gas_price(self) -> str:
        return hex(self._chain.base_fee_to_come + TIP)

    def _tip(self) -> str:
        return hex(TIP)

    def _balance(self, account: str, at: Any) -> str:
        return hex(self._chain.balance(_address(account), self._number(at)))

    def _code(self, account: str, at: Any) -> str:
        return _hex(self._chain.code(_address(account), self._number(at)))

    def _receipt(self, tx_hash: str) -> dict[str, Any] | None:
        return self._by_hash.get(tx_hash)

    def _block_receipts(self, at: Any) -> list[dict[str, Any]]:
        return self._receipts[self._number(at)]

    def _transaction_count(self, account: str, at: Any) -> str:
        if at == "pending":
            return hex(self._chain.nonce_to_come(_address(account)))
        return hex(self._chain.nonce(_address(account), self._number(at)))

    def _call(self, message: dict[str, str], at: Any = "latest") -> str:
        computation = self._chain.call(_unsigned(message), self._number(at))
        if computation.is_error:
            raise _failure(computation)
        return _hex(computation.output)

    def _estimate_gas(self, message: dict[str, str], at: Any = "latest") -> str:
        unsigned, number = _unsigned(message), self._number(at)
        computation = self._chain.call(unsigned, number)
        if computation.is_error:
            raise _failure(computation)
        try:
            return hex(self._chain.estimate_gas(unsigned, number))
        except VMError as error:
            raise _Answer(_INTERNAL, f"EVM error {type(error).__name__}") from error

    def _block_by_number(self, at: Any, _full: bool) -> dict[str, Any] | None:
        try:
            return block_json(self._chain.blocks[self._number(at)].block)
        except _Answer:
            return None

    def _block_by_hash(self, block_hash: str, _full: bool) -> dict[str, Any] | None:
        return self._block_by_number({"blockHash": block_hash}, _full)

    def _logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = (self._number(query[key]) for key in ("fromBlock", "toBlock"))
        return [
            log
            for receipts in self._receipts[first : last + 1]
            for receipt in receipts
            for log in receipt["logs"]
            if matching(log, query)
        ]

    def _head(self) -> int:
        return len(self._chain.blocks) - 1

    def _number(self, at: Any) -> int:
        if isinstance(at, dict):
            at = at["blockNumber"] if "blockNumber" in at else self._numbers.get(at["blockHash"])
        if at in ("latest", "pending", "safe", "finalized"):
            return self._head()
        number = int(at, 16) if isinstance(at, str) else at
        if number is None or number > self._head():
            raise _Answer(_NOT_FOUND, "Resource not found")
        return int(number)

    # ---- transactions and blocks ----

    def _send(self, message: dict[str, str]) -> str:
        return self._accept(self._chain.sign(_unsigned(message)))

    def _send_raw(self, raw: str) -> str:
        try:
            transaction = self._chain.decode(bytes.fromhex(raw[2:]))
        except ValueError as error:
            raise _Answer(_INVALID_PARAMS, "Failed to decode transaction") from error
        return self._accept(transaction)

    def _accept(self, transaction: Any) -> str:
        self._chain.add(transaction)
        if self._automine:
            self._mine(self._timestamp_to_come())
        return _hex(transaction.hash)

    def _set_automine(self, on: bool) -> None:
        self._automine = on

    def _set_next_timestamp(self, timestamp: int) -> None:
        if timestamp <= self._chain.blocks[-1].block.header.timestamp:
            raise _Answer(
                _INVALID_PARAMS,
                f"Timestamp error: {timestamp} is lower than previous block's timestamp",
            )
        self._next_timestamp = timestamp

    def _mine_at(self, options: dict[str, int] | None = None) -> str:
        self._mine(options["timestamp"] if options else self._timestamp_to_come())
        return "0x0"

    def _timestamp_to_come(self) -> int:
        if self._next_timestamp is not None:
            return self._next_timestamp
        return self._chain.blocks[-1].block.header.timestamp + 1

    def _mine(self, timestamp: int) -> None:
        try:
            mined = self._chain.mine(timestamp)
        except ValueError as error:
            raise _Answer(_INVALID_PARAMS, str(error)) from error
        self._next_timestamp = None
        receipts = receipts_json(mined)
        self._numbers[_hex(mined.block.hash)] = mined.block.number
        self._receipts.append(receipts)
        self._by_hash.update({receipt["transactionHash"]: receipt for receipt in receipts})


def _failure(computation: ComputationAPI) -> _Answer:
    if isinstance(computation.error, Revert):
        reason = _reason(computation.output)
        return _Answer(_REVERTED, f"execution reverted{reason}", _hex(computation.output))
    return _Answer(_INTERNAL, f"EVM error {type(computation.error).__name__}")


def _reason(data: bytes) -> str:
    if data[:4] != _ERROR_STRING:
        return ""
    (text,) = decode_values("(string)", data[4:], "Error(string)")
    return f": {text}"


def _unsigned(message: dict[str, str]) -> Unsigned:
    return Unsigned(
        sender=_address(message.get("from", "0x" + "00" * 20)),
        to=_address(message.get("to", "0x")),
        data=bytes.fromhex(message.get("data", message.get("input", "0x"))[2:]),
        value=int(message.get("value", "0x0"), 16),
        gas=int(message["gas"], 16) if "gas" in message else BLOCK_GAS_LIMIT,
        nonce=int(message["nonce"], 16) if "nonce" in message else None,
    )


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text[2:]))


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
