"""The allow-list lets through all that the program sends, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from builders import ACCOUNT, CHAIN_ID, USDC, WETH, a_pool, a_range, a_token, amounts
from signing_requests import GWEI, a_transaction

from lpmanager.abi import Function
from lpmanager.errors import SigningRefused
from lpmanager.execution.allowed import require_allowed
from lpmanager.execution.calldata import approve_call, main_call
from lpmanager.execution.wallet_allowed import WalletAllowList
from lpmanager.model import (
    Action,
    Amount,
    Collect,
    Liquidity,
    Mint,
    SqrtPriceX96,
    Swap,
    SwapPurpose,
    TickRange,
    Withdraw,
)
from lpmanager.venues import erc20
from lpmanager.venues.uniswap_v3 import UINT128_MAX, UniswapV3

MANAGER = "0x00000000000000000000000000000000000000F2"
ROUTER = "0x00000000000000000000000000000000000000F3"
STRANGER = "0x00000000000000000000000000000000000000E1"
FIRST_ROUTER = UniswapV3(
    factory="0x00000000000000000000000000000000000000F1",
    position_manager=MANAGER,
    swap_router=ROUTER,
    quoter="0x00000000000000000000000000000000000000F4",
    tick_lens="0x00000000000000000000000000000000000000F5",
    swap_router_has_deadline=True,
)
SECOND_ROUTER = replace(FIRST_ROUTER, swap_router_has_deadline=False)
RANGE = a_range("[-10, 10)")
MINT = Mint(range=RANGE, desired=amounts(7, 8), minimum=amounts(5, 6))
SWAP = Swap(
    purpose=SwapPurpose.HEDGE,
    amount_in=Amount(USDC, 10),
    expected_out=Amount(WETH, 9),
    minimum_out=Amount(WETH, 8),
    sqrt_price_limit_x96=SqrtPriceX96(2**95),
)
SWAP_BACK = replace(SWAP, amount_in=Amount(WETH, 10), minimum_out=Amount(USDC, 8))
WITHDRAW = Withdraw(
    token_id=4, liquidity=Liquidity(5), minimum=amounts(1, 2), expected=amounts(3, 4)
)
DRAINED = replace(WITHDRAW, liquidity=Liquidity(0))
COLLECT = Collect(token_id=4, expected=amounts(3, 4))

MULTICALL = Function("multicall(bytes[])")
TAKE_OUT = Function("collect((uint256,address,uint128,uint128))")
DECREASE = Function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))")


def the_list(venue: UniswapV3 = FIRST_ROUTER) -> WalletAllowList:
    return WalletAllowList(
        chain_id=CHAIN_ID, account=ACCOUNT, venue=venue, pool=a_pool(), max_fee=100 * GWEI
    )


def refusal(to: str, data: bytes = b"", venue: UniswapV3 = FIRST_ROUTER, **changes: Any) -> str:
    with pytest.raises(SigningRefused) as caught:
        require_allowed(a_transaction(to, data, **changes), the_list(venue))
    return str(caught.value)


@pytest.mark.parametrize("venue", [FIRST_ROUTER, SECOND_ROUTER])
@pytest.mark.parametrize("action", [MINT, SWAP, SWAP_BACK, WITHDRAW, DRAINED, COLLECT])
def test_every_action_of_a_plan_is_allowed(action: Action, venue: UniswapV3) -> None:
    call = main_call(action, venue, a_pool(), ACCOUNT, 2**40)
    require_allowed(a_transaction(call.to, call.data), the_list(venue))


@pytest.mark.parametrize("spender", [MANAGER, ROUTER])
@pytest.mark.parametrize("amount", [Amount(USDC, 10), Amount(WETH, 0)])
def test_exact_allowances_and_taking_them_back_are_allowed(amount: Amount, spender: str) -> None:
    call = approve_call(amount, spender)
    require_allowed(a_transaction(call.to, call.data), the_list())


def test_a_cancellation_is_allowed_and_carries_nothing() -> None:
    require_allowed(a_transaction(ACCOUNT), the_list())
    assert "data of a cancellation: expected none, found 0x00" in refusal(ACCOUNT, b"\0")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", 0),
        ("type", True),
        ("chainId", 1),
        ("chainId", "31337"),
        ("nonce", -1),
        ("nonce", None),
        ("value", 1),
        ("gas", 10_000_001),
        ("gas", 5e5),
        ("maxFeePerGas", 100 * GWEI + 1),
        ("maxPriorityFeePerGas", 20 * GWEI + 1),
        ("data", "0x"),
    ],
)
def test_a_field_beyond_its_bounds_is_named(field: str, value: object) -> None:
    assert f"refused to sign: {field}: expected" in refusal(ACCOUNT, **{field: value})


def test_a_field_more_or_less_is_refused() -> None:
    assert "fields" in refusal(ACCOUNT, accessList=[])
    one_less = a_transaction(ACCOUNT)
    del one_less["maxFeePerGas"]
    with pytest.raises(SigningRefused, match="fields"):
        require_allowed(one_less, the_list())


@pytest.mark.parametrize("to", [STRANGER, a_pool().address, FIRST_ROUTER.factory, None, ""])
def test_no_other_contract_is_called(to: str) -> None:
    data = erc20.approve(MANAGER, 1)
    assert "refused to sign: contract: expected" in refusal(to, data)


def a_step_out(recipient: str) -> bytes:
    return TAKE_OUT.encode((4, recipient, UINT128_MAX, UINT128_MAX))


@pytest.mark.parametrize("depth", ["alone", "in a multicall", "last in a multicall"])
def test_what_is_collected_goes_to_the_account_alone(depth: str) -> None:
    theft = a_step_out(STRANGER)
    steps: dict[str, bytes] = {
        "alone": theft,
        "in a multicall": MULTICALL.encode([theft]),
        "last in a multicall": MULTICALL.encode(
            [DECREASE.encode((4, 5, 1, 2, 2**40)), a_step_out(ACCOUNT), theft]
        ),
    }
    assert f"recipient of the collect: expected {ACCOUNT}" in refusal(MANAGER, steps[depth])


def test_the_manager_itself_is_no_recipient() -> None:
    """Address zero means the manager there, from where anybody may sweep the tokens."""
    assert "recipient of the collect" in refusal(MANAGER, a_step_out("0x" + "00" * 20))


def test_a_position_is_minted_to_the_account_alone() -> None:
    data = FIRST_ROUTER.mint(a_pool(), RANGE, amounts(7, 8), amounts(5, 6), STRANGER, 2**40)
    assert "recipient of the mint" in refusal(MANAGER, data)


def test_a_position_is_minted_in_the_campaigns_pool_alone() -> None:
    others = [
        a_pool(token1=a_token("DAI", 18, 3)),
        replace(a_pool(), fee_pips=3000),
    ]
    for pool in others:
        wanted = pool.amounts(7, 8)
        data = FIRST_ROUTER.mint(pool, TickRange(-10, 10), wanted, wanted, ACCOUNT, 2**40)
        assert "pool of the mint" in refusal(MANAGER, data)


def a_swap(venue: UniswapV3, **changes: Any) -> bytes:
    plain: dict[str, Any] = {
        "token_in": USDC.address,
        "token_out": WETH.address,
        "fee_pips": 500,
        "recipient": ACCOUNT,
        "deadline": 2**40,
        "raw_in": 10,
        "minimum_raw_out": 8,
        "sqrt_price_limit_x96": SqrtPriceX96(2**95),
    }
    arguments = plain | changes
    tokens = [arguments.pop(name) for name in ("token_in", "token_out", "fee_pips")]
    return venue.swap_exact_input(*tokens, **arguments)


@pytest.mark.parametrize("venue", [FIRST_ROUTER, SECOND_ROUTER])
@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"recipient": STRANGER}, "recipient of the swap"),
        ({"token_out": STRANGER}, "tokens of the swap"),
        ({"token_out": USDC.address}, "tokens of the swap"),
        ({"fee_pips": 100}, "fee of the swap"),
        ({"sqrt_price_limit_x96": 0}, "price limit of the swap: expected one"),
    ],
)
def test_a_swap_stays_in_the_pool_has_a_limit_and_pays_the_account(
    venue: UniswapV3, changes: dict[str, Any], what: str
) -> None:
    assert what in refusal(ROUTER, a_swap(venue, **changes), venue)


def test_each_router_takes_its_own_way_to_swap_alone() -> None:
    assert "function of the swap router" in refusal(ROUTER, a_swap(SECOND_ROUTER), FIRST_ROUTER)
    assert "function of the swap router" in refusal(ROUTER, a_swap(FIRST_ROUTER), SECOND_ROUTER)


@pytest.mark.parametrize(
    "signature",
    [
        "transferFrom(address,address,uint256)",
        "safeTransferFrom(address,address,uint256)",
        "approve(address,uint256)",
        "setApprovalForAll(address,bool)",
        "sweepToken(address,uint256,address)",
        "burn(uint256)",
        "multicall(uint256,bytes[])",
    ],
)
def test_other_functions_of_the_position_manager_are_refused(signature: str) -> None:
    types = signature[signature.index("(") + 1 : -1].split(",")
    sample = {"address": STRANGER, "uint256": 4, "bool": True, "bytes[]": [a_step_out(ACCOUNT)]}
    data = Function(signature).encode(*(sample[kind] for kind in types))
    if signature != "burn(uint256)":
        assert "of the position manager's multicall" in refusal(MANAGER, MULTICALL.encode([data]))
    assert "function of the position manager" in refusal(MANAGER, data)


def test_a_multicall_in_a_multicall_is_refused() -> None:
    nested = MULTICALL.encode([MULTICALL.encode([a_step_out(STRANGER)])])
    assert "of the position manager's multicall" in refusal(MANAGER, nested)


@pytest.mark.parametrize("token", [USDC, WETH])
@pytest.mark.parametrize(
    ("data", "what"),
    [
        (erc20.approve(STRANGER, 1), "spender"),
        (erc20.approve(ACCOUNT, 1), "spender"),
        (erc20.approve(MANAGER, 2**128), "allowance: expected at most"),
        (erc20.approve(MANAGER, 2**256 - 1), "allowance: expected at most"),
        (Function("transfer(address,uint256)").encode(STRANGER, 1), "function of a token"),
        (Function("increaseAllowance(address,uint256)").encode(MANAGER, 1), "function of a token"),
        (b"", "function of a token"),
    ],
)
def test_tokens_are_only_allowed_to_the_two_spenders_and_never_without_limit(
    token: Any, data: bytes, what: str
) -> None:
    assert what in refusal(token.address, data)


@pytest.mark.parametrize(
    ("to", "data"),
    [
        (USDC.address, erc20.approve(MANAGER, 1)),
        (MANAGER, a_step_out(ACCOUNT)),
        (MANAGER, MULTICALL.encode([a_step_out(ACCOUNT)])),
        (ROUTER, a_swap(FIRST_ROUTER)),
    ],
)
def test_calldata_that_holds_more_or_less_than_its_arguments_is_refused(
    to: str, data: bytes
) -> None:
    assert "refused to sign" in refusal(to, data + b"\0")
    assert "refused to sign" in refusal(to, data + bytes(32))
    for length in (len(data) - 1, len(data) - 32, 4, 3):
        assert "refused to sign" in refusal(to, data[:length])


def test_an_address_with_dirt_before_it_is_refused() -> None:
    """A contract would cut it off, and pay whom is left."""
    clean = erc20.approve(MANAGER, 1)
    dirty = clean[:4] + b"\1" + clean[5:]
    assert "refused to sign" in refusal(USDC.address, dirty)


def test_arguments_at_an_unusual_place_are_refused() -> None:
    """Two readers of such calldata may see two different things."""
    step = a_step_out(ACCOUNT)
    plain = MULTICALL.encode([step])
    moved: Sequence[bytes] = [
        plain[:4] + (64).to_bytes(32) + bytes(32) + plain[36:],
        plain + plain[4:],
    ]
    for data in moved:
        assert "refused to sign" in refusal(MANAGER, data)
