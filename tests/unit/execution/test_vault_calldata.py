"""A plan becomes one call of the vault, or is refused."""

from __future__ import annotations

from typing import Any

import pytest
from builders import USDC, WETH, a_pool, a_range, amounts
from eth_abi.abi import decode

from lpmanager.errors import PlanRefused
from lpmanager.execution.calldata import Call
from lpmanager.execution.vault_calldata import may_lack_what_is_sold, vault_call
from lpmanager.model import (
    Action,
    Amount,
    Collect,
    Liquidity,
    Mint,
    SqrtPriceX96,
    Swap,
    SwapPurpose,
    VaultTurn,
    Withdraw,
)
from lpmanager.venues import liquidity_vault
from lpmanager.venues.liquidity_vault import Rebalance, position_id

VAULT = "0x00000000000000000000000000000000000000D1"
OTHER_VAULT = "0x00000000000000000000000000000000000000D2"
TURN = VaultTurn(address=VAULT, seq=5)
DEADLINE = 2**40
FIRST, SECOND, THIRD = a_range("[-60, 60)"), a_range("[60, 120)"), a_range("[-600, -60)")
NEW = a_range("[-10, 10)")
SWAP = Swap(
    purpose=SwapPurpose.HEDGE,
    amount_in=Amount(USDC, 10),
    expected_out=Amount(WETH, 9),
    minimum_out=Amount(WETH, 8),
    sqrt_price_limit_x96=SqrtPriceX96(2**95),
)
MINT = Mint(range=NEW, desired=amounts(7, 8), minimum=amounts(5, 6))
SHAPE = (
    "(uint256,uint256,uint256,(bool,uint128,uint160,uint256),"
    "(int24,int24,uint256,uint256,uint256,uint256)[])"
)


def withdraw(tick_range: Any, minimum: tuple[int, int] = (1, 2), vault: str = VAULT) -> Withdraw:
    return Withdraw(
        token_id=position_id(vault, tick_range),
        liquidity=Liquidity(5),
        minimum=amounts(*minimum),
        expected=amounts(3, 4),
    )


def collect(tick_range: Any) -> Collect:
    return Collect(token_id=position_id(VAULT, tick_range), expected=amounts(1, 1))


def call_of(*actions: Action, held: tuple[Any, ...] = (FIRST, SECOND, THIRD)) -> Call:
    return vault_call(actions, TURN, DEADLINE, a_pool(), held)


def order_of(*actions: Action) -> tuple[Any, ...]:
    seq, order, deadline = decode(["uint256", SHAPE, "uint256"], call_of(*actions).data[4:])
    assert (seq, deadline) == (5, DEADLINE)
    return tuple(order)


def refusal(*actions: Action) -> str:
    with pytest.raises(PlanRefused) as caught:
        call_of(*actions)
    return str(caught.value)


def test_a_whole_plan_is_one_call_of_the_vault() -> None:
    call = call_of(withdraw(FIRST), SWAP, MINT)
    order = Rebalance(keep=0b110, burn_minimum=amounts(1, 2), swap=SWAP, mints=(MINT,))
    assert call.to == VAULT
    assert call.data == liquidity_vault.rebalance(5, order, DEADLINE)
    assert call.what == f"rebalance 5 of vault {VAULT}"


@pytest.mark.parametrize(
    ("leaving", "keep"),
    [
        ((FIRST,), 0b110),
        ((SECOND,), 0b101),
        ((THIRD,), 0b011),
        ((THIRD, FIRST), 0b010),
        ((FIRST, SECOND, THIRD), 0),
    ],
)
def test_what_a_plan_does_not_withdraw_is_kept(leaving: tuple[Any, ...], keep: int) -> None:
    assert order_of(*(withdraw(r) for r in leaving))[0] == keep


def test_a_swap_alone_keeps_every_position() -> None:
    keep, burn0, burn1, (zero_for_one, *_), mints = order_of(SWAP)
    assert (keep, burn0, burn1, zero_for_one, mints) == (0b111, 0, 0, True, ())


def test_the_minimums_of_all_that_is_withdrawn_are_added_up() -> None:
    assert order_of(withdraw(FIRST, (10, 0)), withdraw(THIRD, (5, 7)))[1:3] == (15, 7)


def test_fees_of_any_positions_are_collected_in_a_call_of_its_own() -> None:
    call = call_of(collect(FIRST), collect(SECOND))
    assert call.data == liquidity_vault.collect_fees()
    assert call.what == f"collect fees of vault {VAULT}"


def test_a_position_may_be_closed_and_opened_again_in_the_same_range() -> None:
    again = Mint(range=FIRST, desired=amounts(7, 8), minimum=amounts(5, 6))
    assert order_of(withdraw(FIRST), again)[4] == ((-60, 60, 7, 8, 5, 6),)


@pytest.mark.parametrize(
    ("actions", "why"),
    [
        ((collect(FIRST), withdraw(SECOND)), "collects fees besides other actions"),
        ((SWAP, collect(FIRST)), "collects fees besides other actions"),
        ((SWAP, withdraw(FIRST)), "does swap, withdraw; a vault withdraws, swaps and mints"),
        ((MINT, SWAP), "does mint, swap; a vault withdraws, swaps and mints"),
        ((SWAP, SWAP), "swaps 2 times"),
        ((withdraw(NEW),), "withdraws 1 positions, of which vault"),
        ((withdraw(FIRST, vault=OTHER_VAULT),), "withdraws 1 positions, of which vault"),
        ((withdraw(FIRST), withdraw(FIRST)), "withdraws 2 positions, of which vault"),
        ((MINT, MINT), "mints into [-10, 10), which the vault holds then"),
        (
            (Mint(range=SECOND, desired=amounts(1, 1), minimum=amounts(1, 1)),),
            "mints into [60, 120), which the vault holds then",
        ),
    ],
)
def test_what_a_vault_cannot_do_in_one_call_is_refused(
    actions: tuple[Action, ...], why: str
) -> None:
    assert why in refusal(*actions)


@pytest.mark.parametrize(
    ("idle", "minimum", "may_lack"),
    [
        ((10, 0), (0, 1), False),
        ((4, 0), (6, 0), False),
        ((4, 0), (5, 0), True),
        ((9, 100), (0, 100), True),
    ],
)
def test_what_is_sold_is_sure_to_be_there_by_idle_tokens_and_minimums_alone(
    idle: tuple[int, int], minimum: tuple[int, int], *, may_lack: bool
) -> None:
    actions = (withdraw(FIRST, minimum), SWAP, MINT)
    assert may_lack_what_is_sold(actions, amounts(*idle)) is may_lack
    assert not may_lack_what_is_sold((withdraw(FIRST, minimum), MINT), amounts(*idle))
