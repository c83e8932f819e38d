"""What a receipt tells of an action, among whatever else stands in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from builders import CHAIN_ID, a_block, a_pool, a_range, amounts
from eth_abi.abi import encode

from lpmanager.chain.node import Log, Node, Receipt
from lpmanager.errors import ChainError
from lpmanager.execution.facts import read_fact
from lpmanager.execution.vault_facts import read_vault_facts
from lpmanager.model import (
    Action,
    Amount,
    Collect,
    Collected,
    Liquidity,
    Mint,
    SqrtPriceX96,
    Swap,
    Swapped,
    SwapPurpose,
    Withdraw,
    Withdrawn,
)
from lpmanager.venues import erc20, liquidity_vault, uniswap_v3
from lpmanager.venues.liquidity_vault import position_id

POOL = a_pool(number=0x10)
ACCOUNT = "0x0000000000000000000000000000000000000020"
MANAGER = "0x0000000000000000000000000000000000000030"
RANGE = a_range("[-60, 60)")
WITHDRAW = Withdraw(
    token_id=7, liquidity=Liquidity(5), minimum=amounts(0, 0), expected=amounts(3, 4)
)
COLLECT = Collect(token_id=7, expected=amounts(1, 1))
MINT = Mint(range=RANGE, desired=amounts(7, 8), minimum=amounts(5, 6))
SWAP = Swap(
    purpose=SwapPurpose.HEDGE,
    amount_in=Amount(POOL.token0, 10),
    expected_out=Amount(POOL.token1, 9),
    minimum_out=Amount(POOL.token1, 8),
    sqrt_price_limit_x96=SqrtPriceX96(2**95),
)


class Silent:
    """A node that has nothing to say."""

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        raise AssertionError(f"nobody should ask {requests}")


NODE = Node(Silent(), CHAIN_ID)


class Telling:
    """A node that tells of no swaps, and of a pool at a price."""

    def __init__(self, sqrt_price_x96: int) -> None:
        self._slot0 = "0x" + encode(["uint256"] * 7, [sqrt_price_x96, 0, 0, 0, 0, 0, 1]).hex()

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        block = a_block(99)
        parent = {"number": "0x63", "hash": block.hash, "timestamp": hex(block.timestamp)}
        told = {"eth_getLogs": [], "eth_getBlockByNumber": parent, "eth_call": self._slot0}
        return [told[method] for method, _ in requests]


def topic(address: str) -> str:
    return "0x" + address[2:].lower().rjust(64, "0")


def a_log(address: str, *topics: str, types: str = "", values: Sequence[Any] = ()) -> Log:
    block = a_block()
    return Log(
        address=address,
        topics=topics,
        data=encode(types.split(), values),
        block_number=block.number,
        block_hash=block.hash,
        tx_hash="0xAA",
        log_index=0,
    )


def paid(token: str, raw: int) -> Log:
    """What the pool sent to the account."""
    sides = topic(POOL.address), topic(ACCOUNT)
    return a_log(token, erc20.TRANSFER.topic, *sides, types="uint256", values=[raw])


def receipt_of(*logs: Log) -> Receipt:
    block = a_block()
    return Receipt(
        tx_hash="0xAA",
        succeeded=True,
        block_number=block.number,
        block_hash=block.hash,
        gas_used=1,
        gas_paid=1,
        logs=logs,
    )


DECREASE = a_log(
    MANAGER,
    uniswap_v3.DECREASE_EVENT.topic,
    topic("0x07"),
    types="uint128 uint256 uint256",
    values=[5, 30, 40],
)

#: Logs that no event of ours is: without topics, as an exotic token may write them, or with the
#: first alone.
ODD: dict[str, Callable[[str], tuple[Log, ...]]] = {
    "without topics": lambda address: (a_log(address),),
    "without indexed values": lambda address: tuple(
        a_log(address, event.topic)
        for event in (
            erc20.TRANSFER,
            uniswap_v3.INCREASE_EVENT,
            uniswap_v3.DECREASE_EVENT,
            uniswap_v3.SWAP_EVENT,
            liquidity_vault.COLLECTED,
            liquidity_vault.BURNED,
            liquidity_vault.REBALANCED,
        )
    ),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("address", [POOL.token0.address, POOL.address, MANAGER])
def test_logs_that_are_no_event_of_ours_are_passed_over(odd: str, address: str) -> None:
    stray = ODD[odd](address)
    token0, token1 = POOL.token0.address, POOL.token1.address
    receipt = receipt_of(*stray, DECREASE, paid(token0, 33), *stray, paid(token1, 44))
    assert read_fact(NODE, POOL, MANAGER, ACCOUNT, WITHDRAW, receipt) == Withdrawn(
        token_id=7, principal=amounts(30, 40), fees=amounts(3, 4)
    )
    assert read_fact(NODE, POOL, MANAGER, ACCOUNT, COLLECT, receipt) == Collected(
        token_id=7, fees=amounts(33, 44)
    )


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("action", [WITHDRAW, MINT, SWAP], ids=lambda action: action.kind)
def test_a_receipt_of_such_logs_alone_does_not_tell_what_was_done(odd: str, action: Action) -> None:
    with pytest.raises(ChainError, match="transaction 0xAA: "):
        read_fact(NODE, POOL, MANAGER, ACCOUNT, action, receipt_of(*ODD[odd](POOL.address)))


@pytest.mark.parametrize("action", [WITHDRAW, MINT], ids=lambda action: action.kind)
def test_what_a_token_tells_of_positions_is_not_believed(action: Action) -> None:
    """It is called in the midst, and may write the very logs that the position manager writes."""
    lies = [
        a_log(
            POOL.token0.address,
            event.topic,
            topic("0x08"),
            types="uint128 uint256 uint256",
            values=[5, 30, 40],
        )
        for event in (uniswap_v3.INCREASE_EVENT, uniswap_v3.DECREASE_EVENT)
    ]
    with pytest.raises(ChainError, match=f"Liquidity of {MANAGER}, found 0"):
        read_fact(NODE, POOL, MANAGER, ACCOUNT, action, receipt_of(*lies))
    told = read_fact(NODE, POOL, MANAGER, ACCOUNT, WITHDRAW, receipt_of(*lies, DECREASE))
    assert isinstance(told, Withdrawn)
    assert told.principal == amounts(30, 40)


def collected(lower: int, upper: int) -> Log:
    return a_log(
        ACCOUNT,
        liquidity_vault.COLLECTED.topic,
        topic("0x01"),
        types="int24 int24 uint256 uint256",
        values=[lower, upper, 5, 6],
    )


OF_VAULT = Collect(token_id=position_id(ACCOUNT, RANGE), expected=amounts(1, 1))


@pytest.mark.parametrize("odd", ODD)
def test_logs_of_a_vault_that_are_no_event_of_its_are_passed_over(odd: str) -> None:
    stray = (*ODD[odd](ACCOUNT), *ODD[odd](POOL.address))
    receipt = receipt_of(*stray, collected(-60, 60), *stray)
    assert read_vault_facts(NODE, POOL, ACCOUNT, [OF_VAULT], receipt) == (
        Collected(token_id=OF_VAULT.token_id, fees=amounts(5, 6)),
    )


@pytest.mark.parametrize(("lower", "upper"), [(60, -60), (60, 60), (-887273, 0)])
def test_a_range_that_no_vault_can_hold_is_not_believed(lower: int, upper: int) -> None:
    with pytest.raises(ChainError, match=r"transaction 0xAA of vault .*: its logs tell of a range"):
        read_vault_facts(NODE, POOL, ACCOUNT, [OF_VAULT], receipt_of(collected(lower, upper)))


def swapped() -> Log:
    sides = topic(ACCOUNT), topic(ACCOUNT)
    return a_log(
        POOL.address,
        uniswap_v3.SWAP_EVENT.topic,
        *sides,
        types="int256 int256 uint160 uint128 int24",
        values=[10, -9, 2**96, 5, 0],
    )


def test_a_swap_is_told_with_the_price_before_it() -> None:
    fact = read_fact(
        Node(Telling(2**96), CHAIN_ID), POOL, MANAGER, ACCOUNT, SWAP, receipt_of(swapped())
    )
    assert isinstance(fact, Swapped)
    assert (fact.delta, fact.sqrt_price_before_x96) == (amounts(-10, 9), 2**96)


@pytest.mark.parametrize("price", [0, 143, 2**160 - 1])
def test_a_price_before_a_swap_that_no_pool_can_have_is_not_believed(price: int) -> None:
    with pytest.raises(ChainError, match=f"expected a sqrtPriceX96 in .* found {price}"):
        read_fact(
            Node(Telling(price), CHAIN_ID), POOL, MANAGER, ACCOUNT, SWAP, receipt_of(swapped())
        )
