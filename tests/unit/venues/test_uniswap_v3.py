"""Calldata for Uniswap v3, decoded again by the contracts' own signatures."""

from __future__ import annotations

from dataclasses import replace

from builders import ACCOUNT, a_pool, a_range, amounts
from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector

from lpmanager.model import SqrtPriceX96
from lpmanager.venues import uniswap_v3
from lpmanager.venues.uniswap_v3 import UniswapV3

VENUE = UniswapV3(
    factory="0x00000000000000000000000000000000000000F1",
    position_manager="0x00000000000000000000000000000000000000F2",
    swap_router="0x00000000000000000000000000000000000000F3",
    quoter="0x00000000000000000000000000000000000000F4",
    tick_lens="0x00000000000000000000000000000000000000F5",
    swap_router_has_deadline=True,
)
ME = ACCOUNT.lower()
POOL = a_pool()
ALL = 2**128 - 1


def selector(signature: str) -> str:
    return function_signature_to_4byte_selector(signature).hex()


def test_a_mint_names_the_pool_the_range_and_both_minimums() -> None:
    data = VENUE.mint(POOL, a_range("[-60, 120)"), amounts(7, 8), amounts(5, 6), ACCOUNT, 99)
    shape = "(address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256)"
    assert data[:4].hex() == selector(f"mint({shape})")
    tokens = (POOL.token0.address, POOL.token1.address)
    assert decode([shape], data[4:]) == ((*tokens, 500, -60, 120, 7, 8, 5, 6, ME, 99),)


def test_a_withdrawal_decreases_collects_and_burns_in_one_call() -> None:
    data = VENUE.withdraw(42, 1000, amounts(5, 6), ACCOUNT, 99)
    assert data[:4].hex() == selector("multicall(bytes[])")
    ((decrease, collect, burn),) = decode(["bytes[]"], data[4:])
    assert decrease[:4].hex() == selector(
        "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
    )
    assert decode(["(uint256,uint128,uint256,uint256,uint256)"], decrease[4:]) == (
        (42, 1000, 5, 6, 99),
    )
    assert collect[:4].hex() == selector("collect((uint256,address,uint128,uint128))")
    assert decode(["(uint256,address,uint128,uint128)"], collect[4:]) == ((42, ME, ALL, ALL),)
    assert burn[:4].hex() == selector("burn(uint256)")
    assert decode(["uint256"], burn[4:]) == (42,)


def test_an_empty_position_is_collected_and_burned_without_a_decrease() -> None:
    ((collect, burn),) = decode(["bytes[]"], VENUE.withdraw(42, 0, amounts(0, 0), ACCOUNT, 99)[4:])
    assert collect == VENUE.collect(42, ACCOUNT)
    assert burn[:4].hex() == selector("burn(uint256)")


def sell(venue: UniswapV3) -> bytes:
    return venue.swap_exact_input(
        POOL.token0.address,
        POOL.token1.address,
        500,
        recipient=ACCOUNT,
        deadline=99,
        raw_in=10,
        minimum_raw_out=9,
        sqrt_price_limit_x96=SqrtPriceX96(2**96),
    )


def test_the_first_router_takes_the_deadline_among_its_parameters() -> None:
    data = sell(VENUE)
    shape = "(address,address,uint24,address,uint256,uint256,uint256,uint160)"
    assert data[:4].hex() == selector(f"exactInputSingle({shape})")
    tokens = (POOL.token0.address, POOL.token1.address)
    assert decode([shape], data[4:]) == ((*tokens, 500, ME, 99, 10, 9, 2**96),)


def test_the_second_router_takes_the_deadline_in_its_multicall() -> None:
    data = sell(replace(VENUE, swap_router_has_deadline=False))
    assert data[:4].hex() == selector("multicall(uint256,bytes[])")
    deadline, (call,) = decode(["uint256", "bytes[]"], data[4:])
    assert deadline == 99
    shape = "(address,address,uint24,address,uint256,uint256,uint160)"
    assert call[:4].hex() == selector(f"exactInputSingle({shape})")
    tokens = (POOL.token0.address, POOL.token1.address)
    assert decode([shape], call[4:]) == ((*tokens, 500, ME, 10, 9, 2**96),)


def test_what_the_pool_answers_becomes_typed() -> None:
    types = ["uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool"]
    slot0 = uniswap_v3.slot0(POOL.address).decode(encode(types, [2**96, -5, 1, 2, 3, 0x64, True]))
    assert (slot0.sqrt_price_x96, slot0.tick, slot0.fee_protocol) == (2**96, -5, 0x64)
    observed = encode(["int56[]", "uint160[]"], [[-70, -10], [0, 0]])
    assert uniswap_v3.observe(POOL.address, 60).decode(observed) == (-70, -10)


def test_ticks_of_a_word_come_in_rising_order() -> None:
    answer = encode(["(int24,int128,uint128)[]"], [[(20, -3, 3), (-10, 3, 3)]])
    ticks = VENUE.tick_word(POOL.address, 0).decode(answer)
    assert [(t.tick, t.liquidity_net, t.liquidity_gross) for t in ticks] == [
        (-10, 3, 3),
        (20, -3, 3),
    ]
