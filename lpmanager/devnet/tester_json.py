"""Blocks, receipts and logs of py-evm as the JSON a node would send."""

from __future__ import annotations

from typing import Any

from eth.abc import BlockAPI, SignedTransactionAPI
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from rlp import encode

from lpmanager.devnet.tester_chain import MinedBlock, base_fee

_SUCCEEDED = b"\x01"


def block_json(block: BlockAPI) -> dict[str, Any]:
    """A block with the hashes of its transactions."""
    header: Any = block.header
    return {
        "number": hex(header.block_number),
        "hash": _hex(header.hash),
        "parentHash": _hex(header.parent_hash),
        "timestamp": hex(header.timestamp),
        "miner": to_checksum_address(header.coinbase),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "stateRoot": _hex(header.state_root),
        "transactionsRoot": _hex(header.transaction_root),
        "receiptsRoot": _hex(header.receipt_root),
        "mixHash": _hex(header.mix_hash),
        "extraData": _hex(header.extra_data),
        "transactions": [_hex(transaction.hash) for transaction in block.transactions],
    }


def receipts_json(mined: MinedBlock) -> list[dict[str, Any]]:
    """The receipts of a block, in order, with logs numbered through the block."""
    burnt = base_fee(mined.block.header)
    receipts: list[dict[str, Any]] = []
    gas_before = log_index = 0
    for index, transaction in enumerate(mined.block.transactions):
        receipt = mined.receipts[index]
        place = {
            "transactionHash": _hex(transaction.hash),
            "transactionIndex": hex(index),
            "blockHash": _hex(mined.block.hash),
            "blockNumber": hex(mined.block.number),
        }
        logs = [
            {**place, "logIndex": hex(log_index + position), **_log_json(log)}
            for position, log in enumerate(receipt.logs)
        ]
        receipts.append(
            {
                **place,
                "status": "0x1" if receipt.state_root == _SUCCEEDED else "0x0",
                "from": to_checksum_address(transaction.sender),
                "to": to_checksum_address(transaction.to) if transaction.to else None,
                "contractAddress": _created(transaction),
                "cumulativeGasUsed": hex(receipt.gas_used),
                "gasUsed": hex(receipt.gas_used - gas_before),
                "effectiveGasPrice": hex(_price_paid(transaction, burnt)),
                "logs": logs,
            }
        )
        gas_before, log_index = receipt.gas_used, log_index + len(logs)
    return receipts


def matching(log: dict[str, Any], query: dict[str, Any]) -> bool:
    """Whether a log is one that the query of an eth_getLogs asks for."""
    wanted = query.get("address")
    if wanted is not None:
        addresses = [wanted] if isinstance(wanted, str) else wanted
        if log["address"].lower() not in {address.lower() for address in addresses}:
            return False
    topics = query.get("topics") or []
    if len(topics) > len(log["topics"]):
        return False
    return all(
        choice is None or found in ([choice] if isinstance(choice, str) else choice)
        for choice, found in zip(topics, log["topics"], strict=False)
    )


def _log_json(log: Any) -> dict[str, Any]:
    return {
        "address": to_checksum_address(log.address),
        "topics": [f"0x{topic:064x}" for topic in log.topics],
        "data": _hex(log.data),
        "removed": False,
    }


def _created(transaction: SignedTransactionAPI) -> str | None:
    if transaction.to:
        return None
    origin = encode([transaction.sender, transaction.nonce])
    return to_checksum_address(keccak(origin)[-20:])


def _price_paid(transaction: SignedTransactionAPI, burnt: int) -> int:
    return min(transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas + burnt)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
