"""Transactions as a signer is asked to sign them."""

from __future__ import annotations

from typing import Any

from builders import CHAIN_ID

GWEI = 10**9


def a_transaction(to: str, data: bytes = b"", **changes: Any) -> dict[str, Any]:
    plain = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": 7,
        "to": to,
        "value": 0,
        "data": data,
        "gas": 500_000,
        "maxFeePerGas": 20 * GWEI,
        "maxPriorityFeePerGas": GWEI,
    }
    return plain | changes
