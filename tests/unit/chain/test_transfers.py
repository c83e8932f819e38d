"""What the logs of tokens tell of what came to an account and left it."""

from __future__ import annotations

from typing import Any

import pytest
from builders import CHAIN_ID
from eth_abi.abi import encode

from lpmanager.abi import Event
from lpmanager.chain.node import Node
from lpmanager.chain.transfers import find_transfers, received
from lpmanager.venues import erc20

WETH = "0x0000000000000000000000000000000000000010"
STRANGE = "0x0000000000000000000000000000000000000011"
ACCOUNT = "0x0000000000000000000000000000000000000020"
NOBODY = "0x" + "00" * 20


class Told:
    """A node that has these logs, and answers for them as geth does."""

    def __init__(self, *logs: dict[str, Any]) -> None:
        self._logs = logs

    def request_many(self, requests: Any) -> list[Any]:
        return [[log for log in self._logs if _fits(log, params[0])] for _, params in requests]


def _fits(log: dict[str, Any], query: dict[str, Any]) -> bool:
    wanted = query["topics"]
    return (
        log["address"] in query["address"]
        and len(log["topics"]) >= len(wanted)
        and all(
            want is None or topic in (want if isinstance(want, list) else [want])
            for want, topic in zip(wanted, log["topics"], strict=False)
        )
    )


def an_event(
    event: Event, raw: int, *sides: str, token: str = WETH, tx: int = 1, at: int = 1
) -> dict[str, Any]:
    return {
        "address": token,
        "topics": [event.topic, *("0x" + side[2:].rjust(64, "0") for side in sides)],
        "data": "0x" + encode(["uint256"], [raw]).hex(),
        "blockNumber": "0x5",
        "blockHash": f"0x{5:064x}",
        "transactionHash": f"0x{tx:064x}",
        "logIndex": hex(at),
    }


def came(*logs: dict[str, Any], token: str = WETH) -> int:
    node = Node(Told(*logs), CHAIN_ID)
    found = find_transfers(node, [WETH, STRANGE], WETH, ACCOUNT, 1, 9)
    return received(found, token, ACCOUNT)


def test_what_is_wrapped_comes_and_what_is_unwrapped_goes() -> None:
    assert came(an_event(erc20.WRAPPED, 70, ACCOUNT)) == 70
    assert came(an_event(erc20.UNWRAPPED, 30, ACCOUNT)) == -30
    assert came(an_event(erc20.WRAPPED, 70, STRANGE)) == 0


def test_what_a_token_tells_of_twice_is_counted_once() -> None:
    """As a transfer from or to nobody in the same transaction."""
    wrapped = an_event(erc20.WRAPPED, 70, ACCOUNT, at=2)
    assert came(an_event(erc20.TRANSFER, 70, NOBODY, ACCOUNT), wrapped) == 70
    unwrapped = an_event(erc20.UNWRAPPED, 70, ACCOUNT, at=2)
    assert came(an_event(erc20.TRANSFER, 70, ACCOUNT, NOBODY), unwrapped) == -70


@pytest.mark.parametrize("other", [{"raw": 71}, {"tx": 2}, {"side": STRANGE}])
def test_another_transfer_is_none_of_what_was_wrapped(other: dict[str, Any]) -> None:
    raw, side, tx = other.get("raw", 70), other.get("side", NOBODY), other.get("tx", 1)
    transfer = an_event(erc20.TRANSFER, raw, side, ACCOUNT, tx=tx)
    assert came(transfer, an_event(erc20.WRAPPED, 70, ACCOUNT, at=2)) == 70 + raw


@pytest.mark.parametrize("event", [erc20.WRAPPED, erc20.UNWRAPPED])
def test_another_token_is_not_believed_to_have_wrapped_anything(event: Event) -> None:
    """It may give its events what names it likes, and mean something else by them."""
    assert came(an_event(event, 70, ACCOUNT, token=STRANGE), token=STRANGE) == 0
