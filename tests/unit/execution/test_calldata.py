"""What an action calls, what it may take, and never more than the wallet has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import (
    ACCOUNT,
    USDC,
    WETH,
    a_limits,
    a_market,
    a_pool,
    a_range,
    a_record,
    a_view,
    amounts,
)

from lpmanager.execution.calldata import approve_call, first_call, limited_to, main_call, spending
from lpmanager.model import (
    Action,
    Amount,
    Collect,
    Liquidity,
    Mint,
    Plan,
    SqrtPriceX96,
    Swap,
    SwapPurpose,
    Withdraw,
)
from lpmanager.rebalancer import decide
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.venues import erc20
from lpmanager.venues.uniswap_v3 import UniswapV3

VENUE = UniswapV3(
    factory="0x00000000000000000000000000000000000000F1",
    position_manager="0x00000000000000000000000000000000000000F2",
    swap_router="0x00000000000000000000000000000000000000F3",
    quoter="0x00000000000000000000000000000000000000F4",
    tick_lens="0x00000000000000000000000000000000000000F5",
    swap_router_has_deadline=True,
)
MINT = Mint(range=a_range("[-10, 10)"), desired=amounts(7, 8), minimum=amounts(5, 6))
SWAP = Swap(
    purpose=SwapPurpose.HEDGE,
    amount_in=Amount(USDC, 10),
    expected_out=Amount(WETH, 9),
    minimum_out=Amount(WETH, 8),
    sqrt_price_limit_x96=SqrtPriceX96(2**95),
)
WITHDRAW = Withdraw(
    token_id=4, liquidity=Liquidity(5), minimum=amounts(1, 2), expected=amounts(3, 4)
)
COLLECT = Collect(token_id=4, expected=amounts(3, 4))


@pytest.mark.parametrize(
    ("action", "to", "what"),
    [
        (MINT, VENUE.position_manager, "mint [-10, 10)"),
        (WITHDRAW, VENUE.position_manager, "withdraw position 4"),
        (COLLECT, VENUE.position_manager, "collect fees of position 4"),
        (SWAP, VENUE.swap_router, "swap 0.000010 USDC to WETH"),
    ],
)
def test_each_action_calls_the_contract_that_does_it(action: Action, to: str, what: str) -> None:
    call = main_call(action, VENUE, a_pool(), ACCOUNT, 99)
    assert (call.to, call.what) == (to, what)


def test_only_a_swap_and_a_mint_may_take_and_only_exact_amounts() -> None:
    swap, mint = spending(SWAP, VENUE), spending(MINT, VENUE)
    assert swap is not None
    assert mint is not None
    assert (swap.spender, swap.amounts) == (VENUE.swap_router, (Amount(USDC, 10),))
    assert (mint.spender, mint.amounts) == (
        VENUE.position_manager,
        (Amount(USDC, 7), Amount(WETH, 8)),
    )
    assert spending(WITHDRAW, VENUE) is None
    assert spending(COLLECT, VENUE) is None


def test_a_one_sided_mint_asks_for_one_allowance() -> None:
    needed = spending(replace(MINT, desired=amounts(0, 8)), VENUE)
    assert needed is not None
    assert needed.amounts == (Amount(WETH, 8),)


def test_an_allowance_of_nothing_takes_the_right_away() -> None:
    assert approve_call(Amount(USDC, 7), "0x" + "f2" * 20).what == "allow USDC"
    revoked = approve_call(Amount(USDC, 0), "0x" + "f2" * 20)
    assert (revoked.to, revoked.what) == (USDC.address, "revoke USDC")


def test_a_mint_is_cut_down_to_the_wallet_and_keeps_its_minimums() -> None:
    cut = limited_to(MINT, amounts(6, 100))
    assert cut == replace(MINT, desired=amounts(6, 8))
    assert limited_to(SWAP, amounts(0, 0)) is SWAP


def test_the_first_transaction_of_a_plan_is_the_allowance_it_needs() -> None:
    view = a_view(a_market(), a_record((10**12, 10**12)))
    plan = decide("mine", view, FixedWidth(half_width_ticks=600), a_limits())
    assert isinstance(plan, Plan)
    mint = plan.actions[-1]
    assert isinstance(mint, Mint)
    only = replace(plan, actions=(mint,))
    call = first_call(only, VENUE, a_pool())
    assert call.to == USDC.address
    assert call.data == erc20.approve(VENUE.position_manager, mint.desired.amount0.raw)
    collecting = first_call(replace(plan, actions=(COLLECT,)), VENUE, a_pool())
    assert collecting.to == VENUE.position_manager
